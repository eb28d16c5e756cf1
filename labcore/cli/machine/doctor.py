"""``lab doctor``: what is wrong with this machine, or another, and what mends it."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from labcore.errors import RequirementError, RunFailed, UsageError

if TYPE_CHECKING:
    from labcore.discovery import FoundPlugin
    from labcore.doctor import Check, Finding, Machine

__all__ = ["SCHEMA", "doctor"]

SCHEMA = "lab-doctor/1"
"""Of ``--json``; the number changes when a field changes its meaning or goes."""


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
    _check_options(
        questions={"--explain": explain, "--from": bool(source), "--list": as_list},
        looks={
            "--deep": deep,
            "--only": bool(only),
            "--plugin": bool(plugin_name),
            "--report": report is not None,
        },
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
    return _examine(verbose, as_json, deep, plugin_name, only, report)


def _check_options(*, questions: Mapping[str, bool], looks: Mapping[str, bool]) -> None:
    """Refuses two questions at once, and a look at this machine beside one that needs none."""
    asked = [name for name, is_given in questions.items() if is_given]
    both = asked + [name for name, is_given in looks.items() if is_given and asked]
    if len(both) > 1:
        raise UsageError(
            f"{both[0]} and {both[1]} do not go together", fix=f"leave out one of {', '.join(both)}"
        )


def _examine(
    verbose: bool,
    as_json: bool,
    deep: bool,
    plugin_name: str | None,
    only: Sequence[str],
    report: str | None,
) -> int:
    """Looks at this machine and prints the page, the JSON or the report."""
    import time
    from dataclasses import replace

    from labcore.doctor import diagnose
    from labcore.doctor.checks import all_checks
    from labcore.doctor.gather import gather_here

    start = time.perf_counter()
    plugin = _find_plugin(plugin_name)
    checks = _chosen(all_checks(), only, deep=deep)
    if plugin is not None:
        checks = _of_plugin(plugin, checks)
    machine = gather_here()
    deep_checks = [check for check in checks if check.deep]
    if deep_checks:
        machine = replace(machine, probes=_probe(deep_checks))
    findings = diagnose(machine, checks)
    code = _exit_code(findings, checks, plugin)
    if report is not None:
        _write_report(machine, findings, report)
    elif as_json:
        _print_json(machine, findings, checks, code, plugin_name)
    else:
        from labcore.cli.machine.findings import print_findings

        heading = _heading(findings, checks, time.perf_counter() - start)
        print_findings(findings, checks=checks, verbose=verbose or bool(only), heading=heading)
        if plugin_name is not None:
            click.echo(f"\n{plugin_name} {'cannot' if code else 'can'} run here.")
        elif not (verbose or only):
            more = "" if deep else "; --deep tries the frameworks"
            click.echo(f"\nlab doctor -v shows every check{more}; --report makes a block to paste.")
    return code


def _find_plugin(name: str | None) -> "FoundPlugin | None":
    if name is None:
        return None
    from labcore.discovery import find_plugins, pick_plugin

    found = find_plugins()
    # One that is broken is not an error here, but what the doctor has to tell about.
    return found[name] if name in found else pick_plugin(found, name)


def _chosen(checks: Sequence["Check"], only: Sequence[str], *, deep: bool) -> Sequence["Check"]:
    if not only:
        return [check for check in checks if deep or not check.deep]
    from labcore.errors import nearest, suggestion

    known = {check.id: check for check in checks}
    problems = []
    for name in only:
        if name not in known:
            hint = suggestion(nearest(name, known))
            problems.append(f"there is no check {name!r}" + (f"; {hint}" if hint else ""))
    if problems:
        raise UsageError("which check?", problems=problems, fix="lab doctor --list shows them")
    return [known[name] for name in dict.fromkeys(only)]


def _of_plugin(found: "FoundPlugin", checks: Sequence["Check"]) -> Sequence["Check"]:
    from labcore.doctor.plugin_needs import areas_of, plugin_checks

    own = plugin_checks(found)
    if found.plugin is None:
        return own
    areas = areas_of(found.plugin)
    return [*own, *(check for check in checks if check.area in areas)]


def _probe(checks: Sequence["Check"]) -> Mapping[str, Mapping[str, object]]:
    """Runs the probes that the checks read; says on stderr which one, when somebody looks."""
    from rich.console import Console

    from labcore.doctor.probes import PROBES, run_probes

    wanted = {name for check in checks for name in check.probes}
    names = [name for name in PROBES if name in wanted]
    console = Console(stderr=True)
    if not console.is_terminal:
        return run_probes(names)
    with console.status("starting") as status:
        return run_probes(names, on_start=lambda probe: status.update(f"trying: {probe.title}"))


def _exit_code(
    findings: Sequence["Finding"], checks: Sequence["Check"], found: "FoundPlugin | None"
) -> int:
    """3 when something is broken; with a plugin, when that keeps the plugin from running."""
    from labcore.doctor.plugin_needs import stops

    areas = {check.id: check.area for check in checks}
    if found is not None and found.plugin is not None:
        plugin = found.plugin
        is_bad = any(stops(plugin, areas[each.check], each) for each in findings)
    else:
        is_bad = any(each.state == "failure" for each in findings)
    return RequirementError.exit_code if is_bad else 0


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


def _heading(findings: Sequence["Finding"], checks: Sequence["Check"], seconds: float) -> str:
    from labcore.cli.machine.findings import counted

    problems = counted(findings, "failure", "warning") or "no problem"
    made = len({finding.check for finding in findings})
    return f"{problems} in {made} checks that apply here, of {len(checks)} ({seconds:.1f} s)"


def _print_json(
    machine: "Machine",
    findings: Sequence["Finding"],
    checks: Sequence["Check"],
    code: int,
    plugin: str | None,
) -> None:
    from labcore.cli.machine.findings import to_json
    from labcore.doctor import STATES
    from labcore.doctor.plain import to_plain

    answer: dict[str, Any] = {
        "schema": SCHEMA,
        "exit_code": code,
        "plugin": plugin,
        "counts": {state: sum(each.state == state for each in findings) for state in STATES},
        "findings": to_json(findings, checks),
        "machine": to_plain(machine),
    }
    click.echo(json.dumps(answer, indent=1, ensure_ascii=False))


def _write_report(machine: "Machine", findings: Sequence["Finding"], target: str) -> None:
    from labcore.doctor.share import to_report

    text = to_report(machine, findings)
    if target == "-":
        click.echo(text, nl=False)
        return
    try:
        Path(target).write_text(text, encoding="utf-8")
    except OSError as error:
        raise RunFailed(
            f"{target} cannot be written: {error.strerror}", fix="name another file: --report FILE"
        ) from error
    click.echo(f"{target}: paste it into the issue. Home folders, names and secrets are left out.")
