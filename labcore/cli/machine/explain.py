"""``lab doctor --explain``: whether versions go together, and if not, what does."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import click
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from labcore.cli.console import printer
from labcore.cli.machine.entries import print_alternatives, print_commands, print_pair
from labcore.doctor.tables import Explanation, OsName, Pair, Setup, explain, sources
from labcore.errors import RequirementError

__all__ = ["print_explanation"]

_NAMES: dict[OsName, str] = {"linux": "Linux", "windows": "Windows", "macos": "macOS"}
_ANSWERS = {
    True: ("goes together", "bold green"),
    False: ("does not go together", "bold red"),
    None: ("not known: a row is missing", "bold cyan"),
}


def print_explanation(words: list[str], as_json: bool) -> int:
    """Prints whether a set of versions goes together.

    Without ``os=`` the answer is for Linux, with what is otherwise on Windows.

    Args:
        words: ``torch=2.0.1``, ``gpu=RTX 3080``, ...
        as_json: Whether to print JSON.

    Returns:
        The exit code: 3 when the set goes together on none of the systems, 0 otherwise.
    """
    setup = Setup.parse(words)
    systems: tuple[OsName, ...] = (setup.os,) if setup.os else ("linux", "windows")
    answers = [explain(replace(setup, os=system)) for system in systems]
    if as_json:
        click.echo(json.dumps({each.setup.system: _row(each) for each in answers}, indent=1))
    else:
        with printer() as console:
            console.print(Text(" ".join(setup.words()), style="bold"))
            told: Sequence[Pair] = ()
            for answer in answers:
                console.print()
                _print_answer(console, answer, [line for line in answer.lines if line not in told])
                told = answer.lines
    goes_nowhere = all(each.works is False for each in answers)
    return RequirementError.exit_code if goes_nowhere else 0


def _print_answer(console: Console, answer: Explanation, lines: Sequence[Pair]) -> None:
    text, style = _ANSWERS[answer.works]
    if answer.works and any(line.verdict.state == "limited" for line in answer.lines):
        text, style = "goes together, with care", "bold yellow"
    if answer.works is None and any(line.verdict.state == "doubtful" for line in answer.lines):
        text, style = "may not go together: nobody has checked the row that says so", "bold yellow"
    same = "" if lines else ", for the same reasons"
    console.print(Text.assemble(f"On {_NAMES[answer.setup.system]}: ", (text + same, style)))
    for line in lines:
        print_pair(console, line)
    if answer.commands:
        console.print(Padding(Text("To install it:", style="bold"), (1, 0, 0, 2)))
        print_commands(console, answer.commands, 4)
    if answer.works is False or answer.alternatives:
        print_alternatives(console, answer.alternatives)


def _row(answer: Explanation) -> dict[str, Any]:
    known = sources()
    return {
        "goes_together": answer.works,
        "pairs": [
            {
                "pair": line.title,
                "of": list(line.keys),
                "state": line.verdict.state,
                "why": line.verdict.why,
                "fix": line.verdict.fix or None,
                "sources": [
                    {"id": name, "title": known[name].title, "url": known[name].url}
                    for name in line.verdict.sources
                ],
            }
            for line in answer.lines
        ],
        "commands": list(answer.commands),
        "alternatives": [
            {
                "changes": list(each.changes),
                "set": list(each.setup.words()),
                "mind": list(each.cares),
                "commands": list(each.commands),
            }
            for each in answer.alternatives
        ],
    }
