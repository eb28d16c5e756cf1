"""``lab doctor --from FILE``: what a text from another machine says is wrong there."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import click
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from labcore.cli.console import printer
from labcore.cli.machine.findings import print_findings, to_json
from labcore.doctor import Check, Finding
from labcore.doctor.checks import all_checks
from labcore.doctor.pasted import (
    Conclusion,
    FarReport,
    conclude,
    describe,
    diagnose_report,
    known_errors,
    read,
)
from labcore.doctor.plain import to_plain
from labcore.errors import UsageError

__all__ = ["SCHEMA", "print_diagnosis"]

SCHEMA = "lab-diagnosis/1"
"""Of ``--json``; the number changes when a field changes its meaning or goes."""

_LARGEST = 50 * 2**20
_STYLES = {"failure": "bold red", "warning": "bold yellow", "unknown": "cyan", "ok": "green"}
_WORDS = {"failure": "failure", "warning": "warning", "unknown": "not known", "ok": "harmless"}


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
    rest = findings[len(report.errors) :]
    conclusion = conclude(report, findings)
    if as_json:
        _print_json(report, findings, checks, conclusion)
        return conclusion.exit_code
    with printer() as console:
        console.print(Text(conclusion.headline, style="bold"))
        facts = describe(report.said)
        if facts:
            console.print(Text(f"It tells of {facts}."))
        for finding in (*report.errors, *(each for each in rest if not _has_check(each, checks))):
            if finding.state != "ok" or verbose or not _is_bad(findings):
                console.print()
                console.print(_entry(finding, verbose=verbose))
    _print_rest([each for each in rest if _has_check(each, checks)], checks, verbose)
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


def _is_bad(findings: Sequence[Finding]) -> bool:
    return any(finding.state in {"failure", "warning"} for finding in findings)


def _has_check(finding: Finding, checks: Sequence[Check]) -> bool:
    return any(check.id == finding.check for check in checks)


def _entry(finding: Finding, *, verbose: bool) -> Padding:
    """One error: where it is, what it means, what mends it, what follows from it."""
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(no_wrap=True, style="dim")
    table.add_column(overflow="fold")
    word = Text(_WORDS[finding.state], style=_STYLES[finding.state])
    title = Text(finding.summary, style="bold")
    title.append(f"  [{finding.check}]", style="dim")
    table.add_row(word, title)
    evidence = finding.evidence
    if "text" in evidence and evidence["text"] not in finding.summary:
        times = f"  ({evidence['times']} times)" if "times" in evidence else ""
        table.add_row(f"line {evidence['line']}", Text(evidence["text"] + times, style="dim"))
    elif "line" in evidence:
        table.add_row("where", Text(f"line {evidence['line']}", style="dim"))
    for label, text in (("why", finding.cause), ("fix", finding.fix)):
        if text:
            table.add_row(label, Text(text, style="bold" if label == "fix" else ""))
    also = evidence.get("also", [])
    for line in also if verbose else also[:3]:
        table.add_row("then", Text(line, style="dim"))
    if not verbose and len(also) > 3:
        table.add_row("", Text(f"and {len(also) - 3} more that follow from it", style="dim"))
    if verbose and finding.sources:
        table.add_row("from", Text(", ".join(finding.sources), style="dim"))
    return Padding(table, (0, 0, 0, 2))


def _print_rest(findings: Sequence[Finding], checks: Sequence[Check], verbose: bool) -> None:
    """Prints what the versions in the text say, beyond its errors."""
    if verbose and findings:
        click.echo()
        print_findings(findings, checks=checks, verbose=True, heading="What the versions say")
        return
    problems = [each for each in findings if each.state in {"failure", "warning"}]
    if problems:
        with printer() as console:
            console.print()
            console.print(Text("What the versions say", style="bold"))
            for finding in problems:
                console.print()
                console.print(_entry(finding, verbose=False))


def _print_json(
    report: FarReport, findings: Sequence[Finding], checks: Sequence[Check], conclusion: Conclusion
) -> None:
    errors = [
        Check(id=error.id, area=error.area, title="a known error", ask=lambda machine: ())
        for error in known_errors()
    ]
    answer = {
        "schema": SCHEMA,
        "exit_code": conclusion.exit_code,
        "headline": conclusion.headline,
        "kind": report.kind,
        "findings": to_json(findings, [*checks, *errors]),
        "machine": to_plain(report.machine),
    }
    click.echo(json.dumps(answer, indent=1, ensure_ascii=False))
