"""``metrics.jsonl``: every number of a run, one JSON object a line; all else is made from it.

A line is ``{"step": int, "phase": str, "time": seconds since the epoch, "values": {name: number}}``
and has ``"fit": name`` while a training with a name goes on (a run may train several models). A
value that was not finite is null. :mod:`labcore.report.metrics` reads it.
"""

import json
import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

from labcore.hooks.specs import hookimpl
from labcore.record.files import drop_torn_line, write_atomically

__all__ = ["FILE_NAME", "MetricsFile", "fit_name", "keep_lines", "taken_again"]

FILE_NAME = "metrics.jsonl"
_AFTER_TRAINING = ("test", "result")


def fit_name(loop: Any) -> str:
    """Returns what a run that trains several models calls this training; empty when it has one."""
    return str(getattr(loop, "name", None) or "")


class MetricsFile:
    """Writes ``metrics.jsonl`` in the run folder.

    A run whose numbers are lost is lost, so its errors (a full disk) fail the run. When training
    resumes, its records after the checkpoint are dropped: the steps are taken again, and each is
    recorded once. So are the tests of a resumed run, which it does again after its training.
    """

    essential = True

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._stream: IO[str] | None = None
        self._fit: str | None = None
        self._fits: set[str] = set()

    @hookimpl
    def run_started(self, run: Any) -> None:
        """Opens the file, without the half line that a killed process may have left."""
        path = run.folder / FILE_NAME
        if run.resuming:
            keep_lines(path, lambda row: "fit" in row or row["phase"] not in _AFTER_TRAINING)
        self._open(path)

    @hookimpl
    def metrics(self, run: Any, values: Mapping[str, float], step: int, phase: str) -> None:
        """Writes one record and hands it to the operating system."""
        stream = self._stream or self._open(run.folder / FILE_NAME)
        record = {
            "step": step,
            "phase": phase,
            "time": round(self._clock(), 3),
            "values": {name: _number(value) for name, value in values.items()},
        }
        # A test in the middle of a training is known by its name, even if that is empty.
        if self._fit or (self._fit is not None and phase == "test"):
            record["fit"] = self._fit
        stream.write(json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n")
        stream.flush()

    @hookimpl
    def checkpoint_loaded(self, run: Any, loop: Any) -> None:
        """Drops the records of steps that will be taken again."""
        self._drop_after(run.folder / FILE_NAME, loop)

    @hookimpl(tryfirst=True)
    def fit_started(self, run: Any, loop: Any) -> None:
        """Drops what a process left that was stopped before its first checkpoint."""
        self._fit = fit_name(loop)
        if run.resuming and self._fit not in self._fits:
            self._drop_after(run.folder / FILE_NAME, loop)
        self._fits.add(self._fit)

    @hookimpl(trylast=True)
    def fit_ended(self) -> None:
        """What comes now belongs to the run as a whole."""
        self._fit = None

    @hookimpl(trylast=True)
    def run_ended(self) -> None:
        """Closes the file, after every other hook."""
        self.close()

    def close(self) -> None:
        """Closes the file; a later record opens it again."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _open(self, path: Path) -> IO[str]:
        self.close()
        drop_torn_line(path)
        self._stream = path.open("a", encoding="utf-8")
        return self._stream

    def _drop_after(self, path: Path, loop: Any) -> None:
        self.close()
        keep_lines(path, lambda record: not taken_again(record, loop))
        self._open(path)


def taken_again(record: Mapping[str, Any], loop: Any) -> bool:
    """Whether a record is of this training and of a step that comes again."""
    return bool(record["step"] > loop.step and record.get("fit", "") == fit_name(loop))


def keep_lines(path: Path, wanted: Callable[[dict[str, Any]], bool]) -> None:
    """Leaves only the lines of a file whose record is whole and wanted."""
    if path.exists():
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        kept = [f"{line}\n" for line in lines if _is_wanted(line, wanted)]
        write_atomically(path, "".join(kept))


def _is_wanted(line: str, wanted: Callable[[dict[str, Any]], bool]) -> bool:
    try:
        return wanted(json.loads(line))
    except (ValueError, KeyError, TypeError, AttributeError):
        return False  # half a line, or no record


def _number(value: Any) -> float | int | None:
    """Returns a number that strict JSON can hold; None for NaN and infinity."""
    if isinstance(value, int):
        return int(value)
    number = float(value)
    return number if math.isfinite(number) else None
