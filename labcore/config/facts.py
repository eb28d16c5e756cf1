"""What a run can be found by: options, status, figures."""

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from labcore.config.options import as_typed, flatten
from labcore.errors import UsageError
from labcore.record.store import StoredRun

__all__ = ["facts_of", "quick_config", "took_s", "where_all"]

_LARGEST = 1_000_000
"""Bytes of a saved config that is worth reading."""


def where_all(runs: Sequence[StoredRun], conditions: Iterable[str]) -> list[StoredRun]:
    """Returns the runs that fit every ``NAME=VALUE``.

    Raises:
        UsageError: A condition is of another form.
    """
    found = list(runs)
    for text in conditions:
        name, separator, value = text.partition("=")
        if not separator:
            raise UsageError(f"--where {text} is not of the form NAME=VALUE")
        found = [run for run in found if _fits(facts_of(run), name, value)]
    return found


def _fits(facts: Mapping[str, Any], name: str, typed: str) -> bool:
    known = name if name in facts else f"{name}.name"  # model=bts is short for model.name=bts
    return known in facts and typed in (str(facts[known]), as_typed(facts[known]))


def quick_config(run: StoredRun) -> dict[str, Any]:
    """Returns the run's options as they are written, without the time that checking them takes."""
    import yaml

    path = run.folder / "config.yaml"
    try:
        if path.stat().st_size > _LARGEST:
            return {}
        text = path.read_text(encoding="utf-8")
        if "*" in text.replace("***", "") and "&" in text:
            return {}  # aliases, which a run does not write and which may stand for any amount
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        content = yaml.load(text, loader)  # noqa: S506  # both are safe; C is ten times as fast
    except Exception:  # anything may be in it, and it is only two columns
        return {}
    return content if isinstance(content, dict) else {}


def facts_of(run: StoredRun) -> dict[str, Any]:
    """Returns everything that a run can be found by: options, status, metrics."""
    status = run.status
    facts = flatten(quick_config(run)) | status.metrics
    facts |= {name.partition("/")[2]: value for name, value in status.metrics.items()}
    told = ("plugin", "task", "preset", "sweep", "step", "trial")
    facts |= {name: getattr(status, name) for name in told}
    return facts | {"state": status.observed_state(), "time": took_s(run)}


def took_s(run: StoredRun) -> float:
    """Returns how long a run has taken so far."""
    status = run.status
    end = status.ended or (
        time.time() if status.observed_state() == "running" else status.heartbeat
    )
    return end - (status.started or status.created)
