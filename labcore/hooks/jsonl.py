"""``metrics.jsonl``: every number of a run, one JSON object a line; all else is made from it."""

import json
import math
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from labcore.hooks.specs import hookimpl
from labcore.run.files import write_atomically

__all__ = ["FILE_NAME", "MetricsFile", "fit_name", "read_metrics"]

FILE_NAME = "metrics.jsonl"


def read_metrics(path: Path) -> Iterator[dict[str, Any]]:
    """Reads the records of a ``metrics.jsonl``, which a run may be writing just now.

    Args:
        path: The file, or the run folder that has it; a missing file has no records.

    Yields:
        ``{"step": int, "phase": str, "time": seconds since the epoch, "values": {name: number}}``,
        and ``"fit": name`` while a training with a name goes on (a run may train several models).
        A value that was not finite is None. Lines that are not whole are left out.
    """
    if path.is_dir():
        path = path / FILE_NAME
    if not path.exists():
        return
    with path.open(encoding="utf-8", errors="replace") as stream:
        for line in stream:
            record = _parse(line)
            if record is not None:
                yield record


def fit_name(loop: Any) -> str:
    """Returns what a run that trains several models calls this training; empty when it has one."""
    return str(getattr(loop, "name", None) or "")


class MetricsFile:
    """Writes ``metrics.jsonl`` in the run folder.

    A run whose numbers are lost is lost, so its errors (a full disk) fail the run. When training
    resumes, its records after the checkpoint are dropped: the steps are taken again, and each is
    recorded once.
    """

    essential = True

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._stream: IO[str] | None = None
        self._fit = ""
        self._fits: set[str] = set()

    @hookimpl
    def run_started(self, run: Any) -> None:
        """Opens the file, without the half line that a killed process may have left."""
        self._open(run.folder / FILE_NAME)

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
        if self._fit:
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
        self._fit = ""

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
        _drop_torn_line(path)
        self._stream = path.open("a", encoding="utf-8")
        return self._stream

    def _drop_after(self, path: Path, loop: Any) -> None:
        self.close()
        fit = fit_name(loop)
        if path.exists():
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
            records = [(line, _parse(line)) for line in lines]
            kept = [
                line
                for line, record in records
                if record and (record["step"] <= loop.step or record.get("fit", "") != fit)
            ]
            write_atomically(path, "".join(f"{line}\n" for line in kept))
        self._open(path)


def _drop_torn_line(path: Path) -> None:
    """Cuts off what follows the last line end."""
    if not path.exists():
        return
    with path.open("rb+") as stream:
        data = stream.read()
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            stream.truncate(whole)


def _number(value: Any) -> float | int | None:
    """Returns a number that strict JSON can hold; None for NaN and infinity."""
    if isinstance(value, int):
        return int(value)
    number = float(value)
    return number if math.isfinite(number) else None


def _parse(line: str) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except json.JSONDecodeError:
        return None
    if isinstance(record, dict) and {"step", "phase", "values"} <= record.keys():
        return record
    return None
