"""Printing tables: styled on a terminal, plain lines of a fixed width elsewhere."""

import contextlib
from collections.abc import Iterator

import click
from rich.console import Console
from rich.table import Table

__all__ = ["columns", "printer"]


@contextlib.contextmanager
def printer(plain_width: int = 100) -> Iterator[Console]:
    """Gives a Rich console and prints what was written to it at the end of the block.

    Args:
        plain_width: Columns when the output is no terminal, so that a pipe gets whole lines.
    """
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = plain_width
    with console.capture() as capture:
        yield console
    # Rich fills every line up with spaces.
    for line in capture.get().rstrip("\n").split("\n"):
        click.echo(line.rstrip())


def columns(*headers: str, wrapped: int) -> Table:
    """Returns a table without lines.

    Args:
        headers: One for each column; no header row when they are all empty.
        wrapped: Which column takes the rest of the width and wraps.
    """
    has_header = any(headers)
    table = Table(box=None, show_header=has_header, header_style="bold", pad_edge=False)
    table.padding = (0, 2, 0, 0)
    for number, header in enumerate(headers):
        table.add_column(header, no_wrap=number != wrapped, overflow="fold")
    return table
