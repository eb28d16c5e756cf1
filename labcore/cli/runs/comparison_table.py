"""A comparison as lines for the terminal, as many columns as there is room for."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import click

from labcore.errors import clean
from labcore.report.compare import Comparison, Group
from labcore.report.compare.comparison import ABSENT, BEST, Figure
from labcore.report.compare.labels import seeds, write_spread
from labcore.report.wording import format_number

__all__ = ["comparison_lines"]

_GAP = "  "
_LONGEST = 40


@dataclass(kw_only=True, slots=True)
class _Column:
    header: str
    cells: list[str]
    numeric: bool = False
    best: set[int] = field(default_factory=set)
    """Rows with the best value."""

    @property
    def width(self) -> int:
        return max(map(len, (self.header, *self.cells)))

    def line(self, row: int | None) -> str:
        text = self.header if row is None else self.cells[row]
        text = text.rjust(self.width) if self.numeric else text.ljust(self.width)
        return click.style(text, fg="green", bold=True) if row in self.best else text


def comparison_lines(comparison: Comparison, width: int) -> list[str]:
    """Returns the table: a row for each run, and one for each group of several.

    Args:
        comparison: What to show.
        width: Columns of the terminal; what has no room is counted below the table.
    """
    fixed = [_Column(header="run", cells=_names(comparison))]
    fixed += [_of_runs(comparison, name) for name in ("preset", "seed")]
    if any(run.state != "finished" for run in comparison.runs):
        fixed.append(_of_runs(comparison, "state"))
    options = [_option(comparison, name) for name in comparison.options]
    figures = [_figure(comparison, figure) for figure in comparison.figures]
    marked = [column for column in figures if column.best][:1] or figures[:1]
    shown, left = [*fixed, *marked], width
    left -= sum(column.width + len(_GAP) for column in shown) - len(_GAP)
    for column in [*options, *(column for column in figures if column not in marked)]:
        if column.width + len(_GAP) <= left:
            left -= column.width + len(_GAP)
            shown.append(column)
    columns = [column for column in (*fixed, *options, *figures) if column in shown]
    lines = [click.style(_line(columns, None), bold=True)]
    lines += [_line(columns, row) for row in range(len(fixed[0].cells))]
    return [*lines, *_notes(comparison, options, figures, shown)]


def _line(columns: Sequence[_Column], row: int | None) -> str:
    return _GAP.join(column.line(row) for column in columns).rstrip()


def _notes(
    comparison: Comparison,
    options: Sequence[_Column],
    figures: Sequence[_Column],
    shown: Sequence[_Column],
) -> list[str]:
    notes = []
    if comparison.monitor:
        end = "highest" if comparison.maximize else "lowest"
        notes.append(f"* the best {comparison.monitor}: the {end}")
    if not figures:
        notes.append("The runs share no figure.")
    if comparison.has_groups:
        notes.append("± standard deviation between the runs of a group")
    counts = {
        "option": sum(column not in shown for column in options),
        "figure": sum(column not in shown for column in figures),
    }
    missing = [f"{num} more {word}{'s' * (num > 1)}" for word, num in counts.items() if num]
    if missing:
        notes.append(f"{' and '.join(missing)}: on the page, or with --csv")
    if comparison.num_left_out:
        notes.append(f"figures that the runs do not share: {comparison.num_left_out}")
    return notes


def _rows(comparison: Comparison) -> list[tuple[Group, int | None]]:
    """Each row's group and which of its runs it shows; None for all of them together."""
    rows: list[tuple[Group, int | None]] = []
    for group in comparison.groups:
        rows += [(group, index) for index in range(len(group.runs))]
        if len(group.runs) > 1:
            rows.append((group, None))
    return rows


def _names(comparison: Comparison) -> list[str]:
    return [
        f"  mean of {seeds(group)}" if index is None else clean(group.runs[index].id)
        for group, index in _rows(comparison)
    ]


def _of_runs(comparison: Comparison, name: str) -> _Column:
    cells = []
    for group, index in _rows(comparison):
        run = group.runs[index or 0]
        value = run.stored.status.preset if name == "preset" else getattr(run, name)
        cells.append("" if index is None and name != "preset" else clean(str(value))[:_LONGEST])
    return _Column(header=name, cells=cells, numeric=name == "seed")


def _option(comparison: Comparison, name: str) -> _Column:
    values = [comparison.option(group.runs[0], name) for group, _ in _rows(comparison)]
    return _Column(header=clean(name), cells=[clean(value)[:_LONGEST] for value in values])


def _figure(comparison: Comparison, figure: Figure) -> _Column:
    cells, best = [], set()
    for row, (group, index) in enumerate(_rows(comparison)):
        if index is None:
            text = write_spread(group.spread(figure), len(group.runs)) or ABSENT
            is_best = group.number in figure.best_groups and len(comparison.groups) > 1
        else:
            run = group.runs[index]
            value = figure.values.get(run.folder)
            text = ABSENT if value is None else format_number(value)
            is_best = run.folder in figure.best
        if is_best:
            best.add(row)
        cells.append(text + ("*" if is_best else " " if figure.best else ""))
    header = figure.name.replace(BEST, "best of ", 1)
    return _Column(header=clean(header), cells=cells, numeric=True, best=best)
