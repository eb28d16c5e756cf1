"""Printing what the doctor found: problems first, then a line for each area."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from labcore.cli.console import printer
from labcore.cli.machine.verdicts import mark_of
from labcore.doctor import AREAS, STATES, Area, Check, Finding, State

__all__ = ["counted", "print_findings", "to_json"]

_MARKS: dict[State, tuple[str, str, str]] = {
    "failure": ("✗", "x", "bold red"),
    "warning": ("!", "!", "bold yellow"),
    "unknown": ("?", "?", "cyan"),
    "ok": ("✓", "+", "green"),
}
"""State to its mark, the same in ASCII, and its style."""
_NOUNS: dict[State, tuple[str, str]] = {
    "failure": ("failure", "failures"),
    "warning": ("warning", "warnings"),
    "unknown": ("not known", "not known"),
    "ok": ("fine", "fine"),
}
_PLAIN_WIDTH = 100


def print_findings(
    findings: Sequence[Finding], *, checks: Sequence[Check], verbose: bool, heading: str
) -> None:
    """Prints a page.

    Args:
        findings: What was found.
        checks: The checks that were made: they tell the area of each finding.
        verbose: Whether everything is shown with what it rests on, not problems only.
        heading: First line.
    """
    areas = _by_area(findings, checks)
    with printer(_PLAIN_WIDTH) as console:
        console.print(Text(heading, style="bold"))
        for area, found in areas.items():
            shown = [each for each in found if verbose or each.state in {"failure", "warning"}]
            if shown:
                console.print()
                console.print(Text(AREAS[area], style="bold"))
                for each in sorted(shown, key=lambda finding: STATES.index(finding.state)):
                    console.print(_entry(console, each, verbose=verbose))
        if not verbose and any(each.state in {"ok", "unknown"} for each in findings):
            console.print()
            console.print(_overview(console, areas))


def counted(findings: Iterable[Finding], *states: State) -> str:
    """Returns ``1 failure, 2 warnings``; empty when there is none of these states."""
    listed = list(findings)
    parts = []
    for state in states:
        count = sum(finding.state == state for finding in listed)
        if count:
            parts.append(f"{count} {_NOUNS[state][count > 1]}")
    return ", ".join(parts)


def to_json(findings: Sequence[Finding], checks: Sequence[Check]) -> list[dict[str, Any]]:
    """Returns the findings as the rows that ``--json`` prints."""
    known = {check.id: check for check in checks}
    return [
        {
            "id": finding.check,
            "area": known[finding.check].area if finding.check in known else None,
            "title": known[finding.check].title if finding.check in known else None,
            "state": finding.state,
            "summary": finding.summary,
            "cause": finding.cause or None,
            "fix": finding.fix or None,
            "evidence": dict(finding.evidence),
            "sources": list(finding.sources),
        }
        for finding in findings
    ]


def _by_area(findings: Sequence[Finding], checks: Sequence[Check]) -> dict[Area, list[Finding]]:
    """Groups findings in the order of the page; an unknown id, as of an error text, goes last."""
    known = {check.id: check.area for check in checks}
    grouped: dict[Area, list[Finding]] = {}
    for area in AREAS:
        found = [each for each in findings if known.get(each.check, "tools") == area]
        if found:
            grouped[area] = found
    return grouped


def _entry(console: Console, finding: Finding, *, verbose: bool) -> Padding:
    lines: list[tuple[str, Text]] = []
    if finding.cause:
        lines.append(("why:", Text(finding.cause)))
    if finding.fix:
        lines.append(("fix:", Text(finding.fix, style="bold")))
    if verbose and finding.evidence:
        lines.append(("seen:", Text(_evidence(finding), style="dim")))
    if verbose and finding.sources:
        lines.append(("from:", Text(", ".join(finding.sources), style="dim")))
    title = Text(finding.summary)
    title.append(f"  [{finding.check}]", style="dim")
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row(mark_of(console, *_MARKS[finding.state]), title)
    if lines:
        details = Table.grid(padding=(0, 1, 0, 0))
        details.add_column(no_wrap=True, style="dim")
        details.add_column(overflow="fold")
        for label, text in lines:
            details.add_row(label, text)
        table.add_row("", details)
    return Padding(table, (0, 0, 0, 2))


def _overview(console: Console, areas: dict[Area, list[Finding]]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(no_wrap=True, style="dim")
    for area, found in areas.items():
        worst = min((each.state for each in found), key=STATES.index)
        # One thing that is not known does not make an area doubtful.
        if worst == "unknown" and any(each.state == "ok" for each in found):
            worst = "ok"
        table.add_row(
            mark_of(console, *_MARKS[worst]),
            AREAS[area],
            Text(found[0].summary),  # an area's first check names the thing
            counted(found, "failure", "warning", "ok", "unknown"),
        )
    return table


def _evidence(finding: Finding) -> str:
    return "; ".join(
        f"{name}: {_in_words(value)}"
        for name, value in finding.evidence.items()
        if value not in (None, "", [], {}, ())
    )


def _in_words(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_in_words(each)}".strip() for key, each in value.items())
    return str(value)
