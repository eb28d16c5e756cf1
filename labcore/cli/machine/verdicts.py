"""Printing verdicts of the compatibility tables."""

from collections.abc import Sequence

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from labcore.doctor.tables import Alternative, Pair

__all__ = ["mark_of", "print_alternatives", "print_commands", "print_pair"]

_MARKS = {
    "yes": ("✓", "+", "green"),
    "limited": ("!", "!", "bold yellow"),
    "doubtful": ("?", "?", "bold yellow"),
    "no": ("✗", "x", "bold red"),
    "unknown": ("?", "?", "cyan"),
}


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


def print_pair(console: Console, line: Pair) -> None:
    """Prints the verdict on two things: a mark, the reason, what to do."""
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row(mark_of(console, *_MARKS[line.verdict.state]), Text(line.title))
    table.add_row("", Text(line.verdict.why, style="dim"))
    if line.verdict.fix:
        label = "do: " if line.verdict.state == "limited" else "fix: "
        table.add_row("", Text.assemble((label, "dim"), line.verdict.fix))
    console.print(Padding(table, (0, 0, 0, 2)))


def mark_of(console: Console, mark: str, plain: str, style: str) -> Text:
    """Returns a mark, in ASCII where the console cannot write it."""
    try:
        mark.encode(console.encoding)
    except (UnicodeEncodeError, LookupError):
        mark = plain
    return Text(mark, style=style)
