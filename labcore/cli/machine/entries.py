"""Printing what the doctor finds and what its tables say: a mark, what is the case, why, a fix."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from labcore.cli.console import columns, printer
from labcore.doctor import AREAS, STATES, Area, Check, Finding, Machine, counted
from labcore.doctor.share import to_plain
from labcore.doctor.tables import Alternative, Pair

__all__ = [
    "print_alternatives",
    "print_commands",
    "print_finding",
    "print_findings",
    "print_json",
    "print_pair",
]

_MARKS = {
    "failure": ("✗", "x", "bold red"),
    "warning": ("!", "!", "bold yellow"),
    "unknown": ("?", "?", "cyan"),
    "ok": ("✓", "+", "green"),
    "yes": ("✓", "+", "green"),
    "limited": ("!", "!", "bold yellow"),
    "doubtful": ("?", "?", "bold yellow"),
    "no": ("✗", "x", "bold red"),
}
"""State of a finding or a verdict to its mark, the same in ASCII, and its style."""
_OF_TEXT = {"line", "text", "times", "also"}
"""Evidence of an error in a pasted text: where it stands and what follows from it."""


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
    known = {check.id: check.area for check in checks}
    areas: dict[Area, list[Finding]] = {area: [] for area in AREAS}
    for each in findings:
        areas[known[each.check]].append(each)
    with printer() as console:
        console.print(Text(heading, style="bold"))
        for area, found in areas.items():
            shown = [each for each in found if verbose or each.is_problem]
            if shown:
                console.print()
                console.print(Text(AREAS[area], style="bold"))
                for each in sorted(shown, key=lambda finding: STATES.index(finding.state)):
                    print_finding(console, each, verbose=verbose)
        if not verbose and not all(each.is_problem for each in findings):
            console.print()
            console.print(_overview(console, areas))


def print_finding(console: Console, finding: Finding, *, verbose: bool) -> None:
    """Prints what was found, its cause and its fix; of an error in a text also where it stands."""
    told, evidence = finding.summary, finding.evidence
    where = f"line {evidence['line']}" if "line" in evidence else ""
    quoted = evidence.get("text", "") if evidence.get("text", "") not in told else ""
    times = f"({evidence['times']} times)" if "times" in evidence else ""
    also = list(evidence.get("also", ()))
    if not verbose and len(also) > 3:
        also[3:] = [f"and {len(also) - 3} more that follow from it"]
    title = Text(told)
    title.append(f"  [{finding.check}]", style="dim")
    lines = [
        ("at:", ": ".join(filter(None, (where, f"{quoted}  {times}".strip()))), "dim"),
        ("why:", finding.cause, ""),
        ("fix:", finding.fix, "bold"),
        *(("then:", each, "dim") for each in also),
    ]
    if verbose:
        lines.append(("seen:", _seen(evidence), "dim"))
        lines.append(("from:", ", ".join(finding.sources), "dim"))
    _print_entry(console, finding.state, title, lines)


def print_pair(console: Console, line: Pair) -> None:
    """Prints the verdict on two things: a mark, the reason, what to do."""
    verdict = line.verdict
    label = "do:" if verdict.state == "limited" else "fix:"
    lines = [("", verdict.why, "dim"), (label, verdict.fix, "")]
    _print_entry(console, verdict.state, Text(line.title), lines)


def print_alternatives(console: Console, alternatives: Sequence[Alternative]) -> None:
    """Prints what goes instead of a set that does not, with the commands."""
    if not alternatives:
        text = "No set in the tables does it with this card and this system."
        console.print(Padding(Text(text), (1, 0, 0, 2)))
        return
    console.print(
        Padding(Text("What goes instead, least change first:", style="bold"), (1, 0, 0, 2))
    )
    for number, each in enumerate(alternatives, 1):
        title = Text(f"{number}. {', '.join(each.changes)}", style="cyan")
        console.print(Padding(title, (0, 0, 0, 4)))
        print_commands(console, each.commands, 7)
        for care in each.cares:
            console.print(Padding(Text(f"mind: {care}", style="dim"), (0, 0, 0, 7)))


def print_commands(console: Console, lines: Sequence[str], indent: int) -> None:
    """Prints commands, each on one line however narrow the terminal, so that they can be copied."""
    for line in lines:
        console.print(Text(" " * indent + line), soft_wrap=True)


def print_json(
    findings: Sequence[Finding],
    titles: Mapping[str, tuple[Area, str]],
    machine: Machine,
    **head: object,
) -> None:
    """Prints an answer for scripts.

    Args:
        findings: What was found.
        titles: Area and title by id of a check or known error.
        machine: The facts that it rests on.
        head: What comes first: ``schema``, ``exit_code``, ...
    """
    rows = [
        {
            "id": each.check,
            "area": titles.get(each.check, (None, None))[0],
            "title": titles.get(each.check, (None, None))[1],
            "state": each.state,
            "summary": each.summary,
            "cause": each.cause or None,
            "fix": each.fix or None,
            "evidence": dict(each.evidence),
            "sources": list(each.sources),
        }
        for each in findings
    ]
    answer = {**head, "findings": rows, "machine": to_plain(machine)}
    click.echo(json.dumps(answer, indent=1, ensure_ascii=False))


def _print_entry(
    console: Console, state: str, title: Text, lines: Iterable[tuple[str, str, str]]
) -> None:
    """Prints a mark and a title, and below it lines: a label, a text and its style."""
    table = _grid()
    table.add_row(_mark(console, state), title)
    for label, text, style in lines:
        if text and label:
            labelled = _grid()
            labelled.add_row(Text(label, style="dim"), Text(text, style=style))
            table.add_row("", labelled)
        elif text:
            table.add_row("", Text(text, style=style))
    console.print(Padding(table, (0, 0, 0, 2)))


def _overview(console: Console, areas: Mapping[Area, Sequence[Finding]]) -> Table:
    table = columns("", "", "", "", wrapped=2)
    for area, found in areas.items():
        if not found:
            continue
        worst = min((each.state for each in found), key=STATES.index)
        # One thing that is not known does not make an area doubtful.
        if worst == "unknown" and any(each.state == "ok" for each in found):
            worst = "ok"
        table.add_row(
            _mark(console, worst),
            AREAS[area],
            Text(found[0].summary),  # an area's first check names the thing
            Text(counted(found, "failure", "warning", "ok", "unknown"), style="dim"),
        )
    return table


def _grid() -> Table:
    table = columns("", "", wrapped=1)
    table.padding = (0, 1, 0, 0)
    return table


def _mark(console: Console, state: str) -> Text:
    """Returns the mark of a state, in ASCII where the console cannot write it."""
    mark, plain, style = _MARKS[state]
    try:
        mark.encode(console.encoding)
    except (UnicodeEncodeError, LookupError):
        mark = plain
    return Text(mark, style=style)


def _seen(evidence: Mapping[str, Any]) -> str:
    return "; ".join(
        f"{name}: {_in_words(value)}"
        for name, value in evidence.items()
        if name not in _OF_TEXT and value not in (None, "", [], {}, ())
    )


def _in_words(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_in_words(each)}".strip() for key, each in value.items())
    return str(value)
