"""What was left out of a dataset, and why: one list, and a limit on what may be unreadable."""

import csv
import io
import logging
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple, Protocol

from labcore.errors import RunFailed
from labcore.record.artifacts import Artifact, Kind
from labcore.record.files import write_atomically

__all__ = ["Skipped", "SkippedFiles", "read_rows", "write_rows"]

UNREADABLE = "unreadable"
log = logging.getLogger(__name__)


class Skipped(NamedTuple):
    """A file, or part of one, that is left out."""

    name: str
    reason: str
    kind: str = UNREADABLE
    """``unreadable`` counts against the limit; any other word (``unused``, ``partly``) does not."""


class _Run(Protocol):
    """What the list needs of :class:`labcore.run.Run`."""

    is_main: bool

    def artifact_path(self, name: str) -> Path: ...

    def add_artifact(
        self, path: Path, *, kind: Kind, title: str, caption: str, section: str
    ) -> Artifact: ...


class SkippedFiles:
    """The list of what was left out of the data of a run.

    Args:
        rows: What is on it already.
        max_share: Fail when a larger share than this is unreadable (0 to 1).
        option: The option that sets ``max_share``, for the message.
        what: What is counted, in the plural.
    """

    def __init__(
        self,
        rows: Iterable[Skipped] = (),
        *,
        max_share: float,
        option: str = "",
        what: str = "files",
    ) -> None:
        self.rows = list(rows)
        self._max_share = max_share
        self._option = option
        self._what = what

    def add(self, name: str, reason: object, kind: str = UNREADABLE) -> None:
        """Puts a file on the list; ``reason`` may be the exception that it gave."""
        self.rows.append(Skipped(name, str(reason), kind))

    def count(self, kind: str = UNREADABLE) -> int:
        """Returns how many different files are on the list for this."""
        return len({row.name for row in self.rows if row.kind == kind})

    def report(self, run: _Run, *, total: int) -> None:
        """Leaves the list in the run folder, as a table of the report, and checks the limit.

        Args:
            run: The run.
            total: Files in all.

        Raises:
            RunFailed: Too many are unreadable.
        """
        where = ""
        if self.rows:
            path = run.artifact_path("skipped.csv")
            if run.is_main:
                write_rows(path, self.rows)
                run.add_artifact(
                    path,
                    kind="table",
                    title=f"What was left out of the {self._what}",
                    caption=f"{self.count()} of {total} {self._what} cannot be read",
                    section="Data",
                )
            where = f"; the list with reasons is {path}"
        self.check(total, where=where)

    def check(self, total: int, *, where: str = "") -> None:
        """Checks the limit.

        Args:
            total: Files in all.
            where: Says where the list is; ends the message.

        Raises:
            RunFailed: Too many are unreadable.
        """
        count = self.count()
        text = f"{count} of {total} {self._what} cannot be read"
        if count > self._max_share * total:
            allowed = f"{self._option}={self._max_share:g} allows" if self._option else "is allowed"
            more = f", or raise {self._option}" if self._option else ""
            raise RunFailed(
                f"{text} ({count / max(1, total):.0%}), more than {allowed}{where}",
                fix=f"replace the broken {self._what}{more}",
            )
        if count:
            log.info("%s%s", text, where)


def write_rows(path: Path, rows: Iterable[Skipped]) -> None:
    """Writes a list as CSV, whole or not at all."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(Skipped._fields)
    writer.writerows(rows)
    write_atomically(path, text.getvalue())


def read_rows(path: Path) -> list[Skipped] | None:
    """Reads such a list; None when there is none, or it is damaged."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return [Skipped(*row) for row in list(csv.reader(file))[1:]]
    except (OSError, ValueError, TypeError, csv.Error):
        return None
