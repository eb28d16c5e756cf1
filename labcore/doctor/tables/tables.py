"""The tables of ``env/compat``: data with a source per row, read once and given types."""

import functools
import json
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from labcore.discovery import env_dir
from labcore.doctor.tables.versions import parse_version
from labcore.errors import LabError

__all__ = ["Source", "as_row", "compat_dir", "read_table", "row_of", "rows", "sources"]

_Row = TypeVar("_Row")


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """Where a row comes from."""

    title: str
    kind: str
    """vendor, project, package metadata, measured, third party, second hand, issues, unverified."""
    url: str | None
    date: str
    """When it was read."""


@functools.cache
def compat_dir() -> Path:
    """Returns the folder of the tables."""
    return env_dir() / "compat"


def rows(table: str, row: type[_Row], key: str = "rows") -> tuple[_Row, ...]:
    """Returns the rows of a table in the order of its file.

    Args:
        table: Name of the file without ``.json``.
        row: A dataclass with the columns.
        key: Which list of the file.
    """
    kind: Any = row  # type checkers do not take a class for hashable
    return _typed_rows(str(compat_dir()), table, kind, key)


def row_of(known: Iterable[_Row], column: str, version: str) -> _Row | None:
    """Returns the row of a version: the very one, else that of its series; None when unknown."""
    wanted = parse_version(version)
    inexact = None
    for row in known:
        found = parse_version(getattr(row, column))
        if found == wanted:
            return row
        if inexact is None and (found.major, found.minor) == (wanted.major, wanted.minor):
            inexact = row
    return inexact


def sources() -> Mapping[str, Source]:
    """Returns the sources by id."""
    listed = read_table("sources")["sources"]
    return {name: as_row(Source, fields_, "sources") for name, fields_ in listed.items()}


def read_table(table: str) -> Mapping[str, Any]:
    """Returns a table as it stands in its file."""
    return _read(str(compat_dir()), table)


def as_row(row: type[_Row], values: Mapping[str, Any], table: str) -> _Row:
    """Gives one row its type; lists become tuples.

    Raises:
        LabError: The row has a column too many or too few.
    """
    columns = {each.name: each for each in fields(row)}  # type: ignore[arg-type]
    required = {
        name
        for name, each in columns.items()
        if each.default is MISSING and each.default_factory is MISSING
    }
    strange, absent = set(values) - set(columns), required - set(values)
    if strange or absent:
        problem = f"unknown {sorted(strange)}" if strange else f"missing {sorted(absent)}"
        raise LabError(
            f"the table env/compat/{table}.json has a wrong row: {problem} in {dict(values)}",
            fix="compare it with the rows beside it",
        )
    return row(
        **{
            name: tuple(value) if isinstance(value, list) else value
            for name, value in values.items()
        }
    )


# Keyed by the folder, so that a test with a folder of its own sees its own rows.
@functools.cache
def _read(folder: str, table: str) -> Mapping[str, Any]:
    content: dict[str, Any] = json.loads((Path(folder) / f"{table}.json").read_text("utf-8"))
    return content


@functools.cache
def _typed_rows(folder: str, table: str, row: Any, key: str) -> tuple[Any, ...]:
    return tuple(as_row(row, values, table) for values in _read(folder, table)[key])
