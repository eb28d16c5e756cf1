"""A comparison as rows for other programs."""

import csv
from typing import TextIO

from labcore.errors import clean
from labcore.report.compare.comparison import ABSENT, Comparison

__all__ = ["write_csv"]


def write_csv(comparison: Comparison, stream: TextIO) -> None:
    """Writes one row for each run: what it is, the options that differ, the shared figures."""
    writer = csv.writer(stream, lineterminator="\n")
    figures = [figure.name for figure in comparison.figures]
    fixed = ["run", "group", "plugin", "task", "preset", "seed", "state"]
    writer.writerow(map(clean, [*fixed, *comparison.options, *figures]))
    for group in comparison.groups:
        for run in group.runs:
            status = run.stored.status
            options = [comparison.option(run, name) for name in comparison.options]
            values = [figure.values.get(run.folder) for figure in comparison.figures]
            writer.writerow(
                [
                    *(clean(text) for text in (run.id, str(group.number), status.plugin)),
                    *(clean(text) for text in (status.task, status.preset, run.seed, run.state)),
                    *("" if text == ABSENT else clean(text) for text in options),
                    *("" if value is None else repr(value) for value in values),
                ]
            )
