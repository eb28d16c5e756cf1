"""``lab doctor``: what is wrong with this machine, or another, and what mends it."""

import json

import click

from labcore.errors import UsageError

__all__ = ["doctor"]


@click.command
@click.argument("words", nargs=-1, metavar="[NAME=VALUE]...")
@click.option("-v", "--verbose", is_flag=True, help="Show every check and what it rests on.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")
@click.option("--deep", is_flag=True, help="Also try each framework, in processes of their own.")
@click.option("--plugin", "plugin_name", metavar="NAME", help="Say whether this plugin can run.")
@click.option("--only", metavar="ID", multiple=True, help="Only this check; may be repeated.")
@click.option("--list", "as_list", is_flag=True, help="List the checks.")
@click.option(
    "--report",
    metavar="[FILE]",
    is_flag=False,
    flag_value="-",
    help="Write one block to paste into an issue; names and secrets are taken out.",
)
@click.option("--from", "source", metavar="FILE", help="Read a report or error text; - is stdin.")
@click.option("--explain", is_flag=True, help="Say whether versions go together: torch=2.0.1 ...")
def doctor(
    words: tuple[str, ...],
    verbose: bool,
    as_json: bool,
    deep: bool,
    plugin_name: str | None,
    only: tuple[str, ...],
    as_list: bool,
    report: str | None,
    source: str | None,
    explain: bool,
) -> int:
    """Say what is wrong with this machine and how to mend it.

    Looks at the driver, the GPUs, Python, the frameworks and the tools, without importing a
    framework. Exit code 0: nothing is broken (there may be warnings); 3: something is; 2: the
    command is wrong.

    \b
      lab doctor                              this machine
      lab doctor --plugin musicvae            can this plugin run here?
      lab doctor --from report.txt            another machine, or an error text
      lab doctor --explain torch=2.0.1 cuda=11.7 gpu="RTX 3080"
    """  # noqa: D301  # click wants a real backspace: it keeps these lines as they are
    given = {
        "--explain": explain, "--from": source, "--list": as_list,
        "--deep": deep, "--only": only, "--plugin": plugin_name, "--report": report is not None,
    }  # fmt: skip
    both = [name for name, is_given in given.items() if is_given]
    if len(both) > 1 and both[0] in ("--explain", "--from", "--list"):
        # Two questions at once, or a look at this machine beside a question that needs none.
        raise UsageError(
            f"{both[0]} and {both[1]} do not go together", fix=f"leave out one of {', '.join(both)}"
        )
    if explain:
        from labcore.cli.machine.explain import print_explanation

        return print_explanation(list(words), as_json)
    if words:
        raise UsageError(
            f"lab doctor does not know what to do with {' '.join(words)}",
            fix=f"to ask whether versions go together: lab doctor --explain {' '.join(words)}",
        )
    if source is not None:
        from labcore.cli.machine.diagnose import print_diagnosis

        return print_diagnosis(source, as_json, verbose)
    if as_list:
        return _list(as_json)
    if report is not None and as_json:
        raise UsageError(
            "--report and --json are two forms",
            fix="choose one: the report holds the facts as JSON",
        )
    from labcore.cli.machine.examine import examine

    return examine(verbose, as_json, deep, plugin_name, only, report)


def _list(as_json: bool) -> int:
    from labcore.doctor import AREAS
    from labcore.doctor.checks import all_checks

    checks = all_checks()
    if as_json:
        rows = [
            {"id": check.id, "area": check.area, "title": check.title, "deep": check.deep}
            for check in checks
        ]
        click.echo(json.dumps(rows, indent=1))
        return 0
    width = max(len(check.id) for check in checks)
    for area, title in AREAS.items():
        chosen = [check for check in checks if check.area == area]
        if chosen:
            click.secho(title, bold=True)
        for check in chosen:
            click.echo(f"  {check.id:{width}}  {check.title}{' (--deep)' if check.deep else ''}")
    return 0
