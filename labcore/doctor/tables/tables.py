"""The tables of ``env/compat``, a source per row, and the versions by which rows are found."""

import functools
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from labcore.discovery import env_dir
from labcore.doctor.tables.verdict import Row, Verdict, unknown
from labcore.errors import LabError

_Row = TypeVar("_Row", bound=Row)
_NUMBER = re.compile(r"v?(\d+(?:\.\d+)*)", re.IGNORECASE)
_TAG = re.compile(r"cu(?:da)?[-_ ]?(\d{2,3})", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """Where a row comes from."""

    title: str
    kind: str
    """vendor, project, package metadata, measured, third party, second hand, issues, unverified."""
    url: str | None
    date: str
    """When it was read."""


@dataclass(frozen=True, eq=False)
class Table(Generic[_Row]):
    """The rows of one list of a file, oldest first, and the look-up by version."""

    file: str
    """Without ``.json``."""
    kind: type[_Row]
    """A dataclass with the columns."""
    column: str = ""
    """The one with the version; empty where rows are no versions."""
    name: str = ""
    """Of what has that version, for people; that of the column when empty."""
    key: str = "rows"
    """Which list of the file."""
    has_patches: bool = False
    """Whether every patch release has a row of its own."""
    parts: Mapping[str, type[Row]] = field(default_factory=dict)
    """Columns that are lists of rows themselves."""

    @property
    def rows(self) -> tuple[_Row, ...]:
        """The rows in the order of the file."""
        return self._typed(str(compat_dir()))

    @property
    def last(self) -> str:
        """The newest version in it."""
        return str(getattr(self.rows[-1], self.column))

    def row(self, version: str) -> _Row | None:
        """Returns the row of a version: the very one, else its series'; None when unknown."""
        return self._find(str(compat_dir()), version)

    def unknown(self, version: str) -> Verdict:
        """Returns the verdict on a version that has no row."""
        ends = f"goes from {getattr(self.rows[0], self.column)} to {self.last}"
        return unknown(f"{self.name or self.column} {version} is not in the table, which {ends}")

    @functools.cache  # noqa: B019  # tables are constants of their modules
    def _typed(self, folder: str) -> tuple[_Row, ...]:
        return tuple(self._as_row(self.kind, each) for each in _read(folder, self.file)[self.key])

    @functools.cache  # noqa: B019
    def _find(self, folder: str, version: str) -> _Row | None:
        row = row_of(self._typed(folder), self.column, version)
        if row is None or not self.has_patches:
            return row
        return row if parse_version(getattr(row, self.column)) == parse_version(version) else None

    def _as_row(self, kind: type[Any], values: Mapping[str, Any]) -> Any:
        """Gives one row its type; lists become tuples."""
        columns = {
            name: tuple(self._as_row(self.parts[name], each) for each in value)
            if name in self.parts
            else tuple(value)
            if isinstance(value, list)
            else value
            for name, value in values.items()
        }
        try:
            return kind(**columns)
        except TypeError as error:
            problem = f"the table env/compat/{self.file}.json has a wrong row: {error} in {values}"
            raise LabError(problem, fix="compare it with the rows beside it") from None


@functools.cache
def compat_dir() -> Path:
    """Returns the folder of the tables."""
    return env_dir() / "compat"


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
    listed = _read(str(compat_dir()), "sources")["sources"]
    return {name: Source(**columns) for name, columns in listed.items()}


# Keyed by the folder, so that a test with a folder of its own sees its own rows.
@functools.cache
def _read(folder: str, file: str) -> Mapping[str, Any]:
    content: dict[str, Any] = json.loads((Path(folder) / f"{file}.json").read_text("utf-8"))
    return content


@functools.lru_cache(maxsize=1024)
def parse_version(text: str) -> Version:
    """Reads a version, without the local and vendor parts that follow the number.

    Args:
        text: ``2.0.1+cu117``, ``v0.7.4``, ``535.183.01``, ``0.7.9.post1``, ``11.7``, ``cu117``.

    Raises:
        ValueError: There is no version in the text.
    """
    tag = _TAG.fullmatch(text.strip())
    found = _NUMBER.match(_from_tag(tag[1]) if tag else text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no version")
    return Version(found[1])


def cuda_of_tag(text: str) -> str:
    """Returns the CUDA version that a text means, as ``major.minor`` or longer where it says more.

    Args:
        text: ``cu117``, ``117``, ``11.7``, ``CUDA 11.7``, ``12.1.105``, ``2.0.1+cu117``.

    Raises:
        ValueError: The text names no CUDA version.
    """
    plain = text.strip().lower()
    if "+" in plain:
        plain = plain.partition("+")[2]
    plain = re.sub(r"^cuda[-_ ]?", "", plain)
    tag = re.fullmatch(r"(?:cu)?(\d{2,3})", plain)
    if tag and not (plain.isdecimal() and int(plain) < 60):
        return _from_tag(tag[1])
    number = re.fullmatch(r"v?(\d+(?:\.\d+)*)", plain)
    if number is None:
        raise ValueError(f"{text!r} names no CUDA version; write it as 11.7 or cu117")
    return number[1] if "." in number[1] else f"{number[1]}.0"


def family(cuda: str) -> int:
    """Returns the major version of CUDA, within which programs and drivers mix."""
    return parse_version(cuda_of_tag(cuda)).major


def release(text: str) -> tuple[int, ...]:
    """Returns the numbers of a version, for comparing: drivers have no other order."""
    return parse_version(text).release


@functools.lru_cache(maxsize=1024)
def series(text: str) -> str:
    """Returns the ``major.minor`` of a version."""
    version = parse_version(text)
    return f"{version.major}.{version.minor}"


@functools.lru_cache(maxsize=1024)
def _specifier(text: str) -> SpecifierSet:
    return SpecifierSet(text)


@functools.lru_cache(maxsize=4096)
def fits(version: str, specifier: str) -> bool:
    """Whether a version is in a range like ``>=3.8,<3.11``."""
    return _specifier(specifier).contains(parse_version(version), prereleases=True)


def span(specifier: str) -> str:
    """Returns a range for people: ``>=3.8,<3.12`` is ``3.8 to 3.11``."""
    bounds = dict(re.findall(r"(>=|<=|<|==)\s*([\w.]+)", specifier))
    low = bounds.get(">=")
    high = bounds.get("<=")
    if high is None and "<" in bounds:
        above = parse_version(bounds["<"])
        whole = above.minor > 0
        high = f"{above.major}.{above.minor - 1}" if whole else None
        if high is None:
            return f"{low} and newer, before {bounds['<']}" if low else f"before {bounds['<']}"
    if low is None:
        return f"{high} and older" if high else specifier
    if high is None:
        return f"{low} and newer"
    return low if low == high else f"{low} to {high}"


def _from_tag(digits: str) -> str:
    """117 is 11.7, 92 is 9.2."""
    return f"{digits[:-1]}.{digits[-1]}"
