"""``lab doctor --from FILE``: what a text from another machine says is wrong there."""

import sys
from pathlib import Path

import click
from rich.text import Text

from labcore.cli.console import printer
from labcore.cli.machine.entries import print_finding, print_findings, print_json
from labcore.doctor.checks import all_checks
from labcore.doctor.pasted import conclude, describe, diagnose_report, known_errors, read
from labcore.errors import UsageError

__all__ = ["SCHEMA", "print_diagnosis"]

SCHEMA = "lab-diagnosis/1"
"""Of ``--json``; the number changes when a field changes its meaning or goes."""

_LARGEST = 50 * 2**20


def print_diagnosis(path: str, as_json: bool, verbose: bool) -> int:
    """Reads a text and prints what it tells.

    Args:
        path: A file; ``-`` is standard input.
        as_json: Whether to print JSON for scripts.
        verbose: Whether to show everything and what it rests on.

    Returns:
        3 when something is broken there, 1 when that is not known, else 0.
    """
    report = read(_text(path))
    checks = all_checks()
    findings = diagnose_report(report, checks)
    conclusion = conclude(report, findings)
    titles = {check.id: (check.area, check.title) for check in checks}
    if as_json:
        print_json(
            findings,
            {**titles, **{error.id: (error.area, "a known error") for error in known_errors()}},
            report.machine,
            schema=SCHEMA,
            exit_code=conclusion.exit_code,
            headline=conclusion.headline,
            kind=report.kind,
        )
        return conclusion.exit_code
    rest = findings[len(report.errors) :]
    is_bad = any(each.is_problem for each in findings)
    with printer() as console:
        console.print(Text(conclusion.headline, style="bold"))
        facts = describe(report.said)
        if facts:
            console.print(Text(f"It tells of {facts}."))
        for each in (*report.errors, *(each for each in rest if each.check not in titles)):
            if each.state != "ok" or verbose or not is_bad:
                console.print()
                print_finding(console, each, verbose=verbose)
    # What the versions in the text say, beyond its errors.
    shown = [each for each in rest if each.check in titles and (verbose or each.is_problem)]
    if shown:
        click.echo()
        print_findings(shown, checks=checks, verbose=verbose, heading="What the versions say")
    if conclusion.all_clear is not None and not verbose:
        click.echo("\nThe versions that it tells go together (-v shows which).")
    return conclusion.exit_code


def _text(path: str) -> str:
    try:
        if path == "-":
            raw = sys.stdin.buffer.read(_LARGEST + 1)
        else:
            with Path(path).open("rb") as stream:
                raw = stream.read(_LARGEST + 1)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror}",
            fix="give the file with the report or error text, or - and paste it",
        ) from error
    if len(raw) > _LARGEST:
        raise UsageError(
            f"{path} is larger than {_LARGEST >> 20} MiB", fix="cut out the part with the errors"
        )
    # PowerShell writes UTF-16 when output is redirected.
    encoding = "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    return raw.decode(encoding, "replace")
