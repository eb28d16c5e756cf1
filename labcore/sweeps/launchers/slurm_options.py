"""``--slurm KEY=VALUE``: what the jobs of a sweep ask of the queue."""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

from labcore.errors import UsageError, nearest, suggestion

__all__ = ["SlurmOptions", "read_minutes"]

_TIME = re.compile(r"(?:(?P<days>\d+)-)?(?P<first>\d+)(?::(?P<second>\d+))?(?::(?P<third>\d+))?")
_LEAST_SIGNAL_S = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class SlurmOptions:
    """Options of a job, by the names that sbatch gives them where it has them."""

    executor: Literal["slurm", "local"] = "slurm"
    """``local`` runs the jobs as processes of this machine, to try a sweep out."""
    partition: str = ""
    account: str = ""
    qos: str = ""
    time: int = 240
    """Minutes that a job may take; a trial that needs longer goes on in another job."""
    signal: int = 120
    """Seconds before that at which a job begins to write its checkpoint."""
    cpus: int = 0
    """CPUs of a job; ``threads`` of the run, or 4, when 0."""
    gpus: int | None = None
    """GPUs of a job; as many as the plugin takes when None."""
    gres: str = ""
    """In place of ``gpus``, where the cluster names its GPUs: ``gpu:a100:1``."""
    mem: str = ""
    constraint: str = ""
    nodelist: str = ""
    exclude: str = ""
    reservation: str = ""
    comment: str = ""
    setup: tuple[str, ...] = ()
    """Shell lines to run before the trial: ``module load cuda``."""

    @classmethod
    def read(cls, words: Iterable[str]) -> "SlurmOptions":
        """Reads what was typed.

        Raises:
            UsageError: Something is wrong; has every problem.
        """
        values: dict[str, Any] = {}
        problems: list[str] = []
        known = [each.name for each in fields(cls)]
        for word in words:
            key, assigned, text = (part.strip() for part in word.partition("="))
            try:
                if key not in known:
                    near = suggestion(nearest(key, known)) or f"the keys are {', '.join(known)}"
                    raise ValueError(f"there is no such key; {near}")
                if not assigned or not text:
                    raise ValueError(f"write it as {key}=VALUE")
                if key in values and key != "setup":
                    raise ValueError("it is given twice")
                value = _READ.get(key, str)(text)
                values[key] = (*values.get(key, ()), value) if key == "setup" else value
            except ValueError as error:
                problems.append(f"{word}: {error}")
        options = cls(**values)
        if options.gpus is not None and options.gres:
            problems.append("gpus and gres say the same in two ways; give one of them")
        if options.signal >= options.time * 60:
            problems.append(
                f"a job of {options.time * 60} seconds that is warned {options.signal} seconds "
                "before its end does nothing; make time longer or signal shorter"
            )
        if problems:
            raise UsageError("--slurm is wrong; nothing was started", problems=problems)
        return options


def read_minutes(text: str) -> int:
    """Returns the minutes of a time in one of Slurm's forms; a part of one counts as one.

    They are ``90`` (minutes), ``30:00``, ``2:00:00``, ``1-12`` (a day and 12 hours) and so on.

    Raises:
        ValueError: It is none of them.
    """
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError("write a time as minutes, HH:MM:SS or DAYS-HH:MM:SS")
    is_long = match["days"] is not None or match["third"] is not None
    units = (3600, 60, 1) if is_long else (60, 1, 0)
    seconds = 86400 * int(match["days"] or 0)
    for name, unit in zip(("first", "second", "third"), units, strict=True):
        seconds += unit * int(match[name] or 0)
    if seconds == 0:
        raise ValueError("a job needs some time")
    return math.ceil(seconds / 60)


def _whole(least: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise ValueError(f"write a whole number from {least} on")
        return int(text)

    return read


def _like(pattern: str, advice: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(advice)
        return text

    return read


_memory = _like(r"\d+[KMGT]?", "write memory as 16G, 4000M or a number of megabytes")
_READ: Mapping[str, Callable[[str], Any]] = {
    "executor": _like("slurm|local", "it is slurm, or local to try the sweep out on this machine"),
    "time": read_minutes,
    "signal": _whole(_LEAST_SIGNAL_S),
    "cpus": _whole(1),
    "gpus": _whole(0),
    "mem": lambda text: _memory(text.upper()),
}
