"""The logs of a sweep's metric, read from a run folder while the run goes on."""

import json
import math
from pathlib import Path

__all__ = ["MetricLog", "split_name"]

_FILE = "metrics.jsonl"
_PHASES = frozenset({"train", "val", "test", "result", "perf"})


def split_name(metric: str) -> tuple[str, str]:
    """Returns phase and name of a metric: ``val/loss`` and ``loss`` are both of the validation."""
    phase, separator, name = metric.partition("/")
    if separator and phase in _PHASES:
        return phase, name
    return "val", metric


class MetricLog:
    """Every log of one metric of one run.

    A run that is resumed writes its records again from its checkpoint on; the file is then read
    from its beginning, so that no log counts twice.

    Args:
        folder: The run folder, which need not be there yet.
        metric: Name, with or without its phase.
    """

    def __init__(self, folder: Path, metric: str) -> None:
        self._path = folder / _FILE
        phase, self._name = split_name(metric)
        # What a task returns was once recorded as a test.
        self._phases = {phase, "result"} if phase == "test" else {phase}
        self._seen = (0, 0, 0)
        """Inode, size and time of the last change of the file, at the last look."""
        self._offset = 0
        self.values: list[float] = []
        """One number for each log; NaN where it was not finite."""
        self.steps: list[int] = []

    def read(self) -> bool:
        """Reads what is new; returns whether there was any change."""
        try:
            about = self._path.stat()
        except OSError:
            return False
        seen = (about.st_ino, about.st_size, about.st_mtime_ns)
        if seen == self._seen:
            return False
        before = list(self.values)
        if seen[0] != self._seen[0] or seen[1] < self._offset:
            self._offset = 0
            self.values.clear()
            self.steps.clear()
        self._seen = seen
        with self._path.open("rb") as stream:
            stream.seek(self._offset)
            data = stream.read()
        whole = data.rfind(b"\n") + 1
        self._offset += whole
        for line in data[:whole].splitlines():
            self._take(line)
        return self.values != before

    def _take(self, line: bytes) -> None:
        try:
            record = json.loads(line)
            if record["phase"] not in self._phases or self._name not in record["values"]:
                return
            value, step = record["values"][self._name], int(record["step"])
        except (ValueError, TypeError, KeyError):
            return
        self.values.append(math.nan if value is None else float(value))
        self.steps.append(step)
