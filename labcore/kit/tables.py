"""A table of results: systems and their metrics, over one seed or several."""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Literal, NamedTuple

from labcore.kit.statistics import mean_interval

__all__ = ["Metric", "ResultTable"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Metric:
    """A column of a table of results."""

    key: str
    """What the figures of a run call it."""
    title: str = ""
    """What the table calls it; the key by default."""
    better: Literal["higher", "lower", ""] = ""
    """Which values are good; empty: neither, and no value is marked."""
    digits: int = 3
    """After the point."""


class _Cell(NamedTuple):
    text: str
    half: str
    """Half of the interval; empty with one run."""
    best: bool


class ResultTable:
    """Figures of several systems, the best of each metric marked.

    A system that is added more than once, for several seeds, has its mean and Student's 95 %
    interval; a figure that is the same every time has none. Systems whose figures read alike
    share the mark; with one system there is none.

    Args:
        metrics: The columns.
        systems: What the rows are.
        turned: Puts metrics below each other, and systems side by side.
    """

    def __init__(
        self, metrics: Sequence[Metric], *, systems: str = "system", turned: bool = False
    ) -> None:
        self._metrics = list(metrics)
        self._corner = "metric" if turned else systems
        self._turned = turned
        self._runs: dict[str, list[Mapping[str, float]]] = {}

    def add(self, system: str, figures: Mapping[str, float]) -> None:
        """Adds the figures of a run; metrics that it lacks stay empty, others are left out."""
        self._runs.setdefault(system, []).append(figures)

    def to_csv(self) -> str:
        """Returns comma-separated values; intervals are columns of their own."""
        columns, rows = self._grid()
        with_half = self._has_seeds()
        header = [name for c in columns for name in ((c, f"{c} ±95%") if with_half else (c,))]
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow([self._corner, *header])
        for title, cells in rows:
            values = [v for c in cells for v in ((c.text, c.half) if with_half else (c.text,))]
            writer.writerow([title, *values])
        return stream.getvalue()

    def to_markdown(self) -> str:
        """Returns a table of Markdown, the best values bold."""
        columns, rows = self._grid()
        lines = [[self._corner, *columns], ["---", *["---:"] * len(columns)]]
        for title, cells in rows:
            lines.append([title, *(f"**{_write(c)}**" if c.best else _write(c) for c in cells)])
        escaped = [[word.replace("|", "\\|") for word in line] for line in lines]
        return "".join(f"| {' | '.join(line)} |\n" for line in escaped)

    def to_html(self) -> str:
        """Returns a ``<table>``, the best values in ``<strong>``."""
        columns, rows = self._grid()
        head = "".join(f'<th scope="col">{escape(name)}</th>' for name in [self._corner, *columns])
        body = ""
        for title, cells in rows:
            values = (f"<strong>{_write(c)}</strong>" if c.best else _write(c) for c in cells)
            body += f'<tr><th scope="row">{escape(title)}</th>'
            body += "".join(f"<td>{value}</td>" for value in values) + "</tr>\n"
        return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody>\n</table>\n"

    def save(self, path: Path) -> Path:
        """Writes the table in the format that the suffix names: .csv, .md or .html."""
        writers = {".csv": self.to_csv, ".md": self.to_markdown, ".html": self.to_html}
        if path.suffix not in writers:
            raise ValueError(f"a table is written as {', '.join(writers)}, not as {path.name}")
        path.write_text(writers[path.suffix](), encoding="utf-8")
        return path

    def _has_seeds(self) -> bool:
        return any(len(runs) > 1 for runs in self._runs.values())

    def _grid(self) -> tuple[list[str], list[tuple[str, list[_Cell]]]]:
        """Returns the titles of the columns, and each row's title and cells."""
        down = list(self._runs)
        across = [metric.title or metric.key for metric in self._metrics]
        columns = [self._column(metric) for metric in self._metrics]
        if self._has_seeds():
            across.append("runs")
            columns.append([_Cell(str(len(runs)), "", False) for runs in self._runs.values()])
        if self._turned:
            return down, list(zip(across, columns, strict=True))
        return across, [(name, [c[row] for c in columns]) for row, name in enumerate(down)]

    def _column(self, metric: Metric) -> list[_Cell]:
        """Returns a metric's cells, one for each system."""
        means: list[float] = []
        halves: list[str] = []
        for runs in self._runs.values():
            values = [float(run[metric.key]) for run in runs if metric.key in run]
            means.append(sum(values) / len(values) if values else math.nan)
            half = mean_interval(values).high - means[-1] if len(set(values)) > 1 else math.nan
            halves.append(f"{half:.{metric.digits}f}" if math.isfinite(half) else "")
        texts = ["" if math.isnan(mean) else f"{mean:.{metric.digits}f}" for mean in means]
        best = ""
        known = [mean for mean in means if math.isfinite(mean)]
        if metric.better and len(known) > 1:
            best = f"{(max if metric.better == 'higher' else min)(known):.{metric.digits}f}"
        return [
            _Cell(text, half, bool(text) and text == best)
            for text, half in zip(texts, halves, strict=True)
        ]


def _write(cell: _Cell) -> str:
    return f"{cell.text} ± {cell.half}" if cell.half else cell.text
