"""Checkpoints of a task that is no training loop: where it stands, and going on from there."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labcore.errors import RunFailed
from labcore.record.checkpoints import CheckpointStore, best_of
from labcore.record.trees import ARRAYS

__all__ = ["KEEP_LAST", "Stage", "restore", "save_checkpoint"]

KEEP_LAST = 2


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a task stood; what hooks are given in place of a training loop."""

    step: int
    state: Mapping[str, Any]
    """What :meth:`labcore.run.Run.save_checkpoint` was given, tuples as lists."""
    name: str = ""


def save_checkpoint(
    run: Any, state: Mapping[str, Any], step: int, best: float | None, keep_last: int
) -> Path:
    """Writes a checkpoint; see :meth:`labcore.run.Run.save_checkpoint`."""
    store = CheckpointStore(run.checkpoints, ARRAYS, keep_last=keep_last)
    run.status.step = step
    path = store.save({"task": dict(state), "step": step, "hooks": run.hooks.state_dict()}, step)
    if best is not None:
        store.mark_best(path, metric="best", value=best, step=step)
    store.prune()
    run.hooks.call("checkpoint_saved", run=run, loop=Stage(step, state), path=path)
    return path


def restore(run: Any, *, best: bool) -> Stage | None:
    """Reads a checkpoint; see :meth:`labcore.run.Run.restore`."""
    store = CheckpointStore(run.checkpoints, ARRAYS, keep_last=KEEP_LAST)
    if best and (path := best_of(run.checkpoints)) is not None:
        stored = ARRAYS.read(path)
        return Stage(stored["step"], stored["task"])
    found = store.newest_good(lambda text: run.say(text, "warning"))
    if found is None:
        return None
    path, stored = found
    if "task" not in stored:
        raise RunFailed(f"{path} is the checkpoint of a training, not of a task's own")
    stage = Stage(stored["step"], stored["task"])
    run.hooks.load_state_dict(stored["hooks"])
    run.status.step = stage.step
    run.hooks.call("checkpoint_loaded", run=run, loop=stage, path=path)
    return stage
