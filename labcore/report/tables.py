"""Tables for the page: the first rows of a CSV, TSV or JSON file."""

import csv
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from labcore.report.wording import write_value

__all__ = ["NUM_ROWS", "Table", "read_table"]

NUM_ROWS = 50
"""Rows shown; the file itself has the rest."""

_COUNT_BELOW_BYTES = 20_000_000
"""A larger file is not read to its end only to say how many rows it has."""

_JSON_BELOW_BYTES = 5_000_000
_LONGEST_CELL = 300


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """Cells as text.

    Attributes:
        header: Column names.
        rows: As many cells as there are columns, in each row.
        numeric: Which columns hold only numbers, to be aligned at the right.
        num_rows: Rows of the whole file, or None when nobody counted.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    numeric: Sequence[bool]
    num_rows: int | None

    @property
    def note(self) -> str:
        """Says what is left out, if anything is."""
        if self.num_rows is None:
            return f"the first {len(self.rows)} rows"
        if self.num_rows > len(self.rows):
            return f"the first {len(self.rows)} of {self.num_rows:,} rows"
        return ""


def read_table(path: Path) -> Table | None:
    """Reads the first rows of a table; ``.tsv`` has tabs, ``.json`` rows, columns or plain pairs.

    Returns:
        The table, or None when the file holds no table that can be read.
    """
    try:
        if path.suffix.lower() == ".json":
            return _from_json(path)
        return _from_csv(path, "\t" if path.suffix.lower() == ".tsv" else ",")
    except (OSError, ValueError, csv.Error, RecursionError):
        return None


def _from_csv(path: Path, delimiter: str) -> Table | None:
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
        reader = (row for row in csv.reader(stream, delimiter=delimiter) if row)
        header = next(reader, None)
        if header is None:
            return None
        rows = list(islice(reader, NUM_ROWS))
        num_rows: int | None = len(rows)
        if len(rows) == NUM_ROWS:
            small = path.stat().st_size < _COUNT_BELOW_BYTES
            num_rows = NUM_ROWS + sum(1 for _ in reader) if small else None
    return _table(header, rows, num_rows)


def _from_json(path: Path) -> Table | None:
    if path.stat().st_size > _JSON_BELOW_BYTES:
        return None
    content = json.loads(path.read_text(encoding="utf-8"))
    if isinstance(content, list) and content:
        if all(isinstance(row, dict) for row in content):
            return _from_records(content)
        if all(isinstance(row, list) for row in content):
            return _table([], content[:NUM_ROWS], len(content))
    if isinstance(content, dict) and content:
        values = list(content.values())
        if all(isinstance(value, dict) for value in values):
            return _from_records([{"": name, **row} for name, row in content.items()])
        if all(isinstance(value, list) for value in values):
            length = max(map(len, values))
            rows = [
                [column[index] if index < len(column) else None for column in values]
                for index in range(min(length, NUM_ROWS))
            ]
            return _table(list(content), rows, length)
        return _table(["name", "value"], list(content.items())[:NUM_ROWS], len(content))
    return None


def _from_records(records: Sequence[dict[str, Any]]) -> Table:
    shown = records[:NUM_ROWS]
    header = list(dict.fromkeys(key for row in shown for key in row))
    return _table(header, [[row.get(key) for key in header] for row in shown], len(records))


def _table(header: Iterable[Any], rows: Iterable[Sequence[Any]], num_rows: int | None) -> Table:
    names = [_cell(name) for name in header]
    cells = [[_cell(value) for value in row] for row in rows]
    width = max([len(names), *map(len, cells)])
    cells = [[*row, *[""] * (width - len(row))] for row in cells]
    if names:
        names += [""] * (width - len(names))
    numeric = [_are_numbers([row[column] for row in cells]) for column in range(width)]
    return Table(header=names, rows=cells, numeric=numeric, num_rows=num_rows)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return write_value(value, _LONGEST_CELL)


def _are_numbers(column: Sequence[str]) -> bool:
    filled = [cell for cell in column if cell]
    try:
        return bool([float(cell.replace(",", "").removesuffix("%")) for cell in filled])
    except ValueError:
        return False
