"""Everything that training is made of, to a checkpoint and back."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar

from lightning_fabric import Fabric

from labcore.errors import LabError, RunFailed
from labcore.record.checkpoints import CheckpointStore
from labcore.training.checkpoints.checkpoint import TORCH
from labcore.training.feeding.window import MetricWindow
from labcore.training.processes import gather
from labcore.training.seeding import capture, mix, restore, seed_everything

__all__ = ["Snapshots", "Stateful"]

T = TypeVar("T")


class Stateful(Protocol):
    """A part of training that has a state."""

    def state_dict(self) -> Mapping[str, Any]:
        """Returns the state: tensors and plain values."""

    def load_state_dict(self, state: Any, /) -> Any:
        """Goes on from a state."""


class Snapshots:
    """Saves and restores the parts of a training and the random generators of all its processes.

    Args:
        fabric: Knows the processes; only the one with rank 0 writes.
        store: The checkpoint files.
        parts: What has a state that is the same in all processes, by name.
        window: The metrics since the last record, which each process has of its own.
        warn: Tells the user that something is not as it should be.
    """

    def __init__(
        self,
        fabric: Fabric,
        store: CheckpointStore,
        parts: Mapping[str, Stateful],
        window: MetricWindow,
        warn: Callable[[str], None],
    ) -> None:
        self._fabric = fabric
        self._store = store
        self._parts = parts
        self._window = window
        self._warn = warn
        self._seed = 0
        self._processes: list[dict[str, Any]] = []

    def save(self, step: int) -> Path | None:
        """Writes a checkpoint; every process calls this.

        Returns:
            Its path in the process with rank 0, None in the others.

        Raises:
            RunFailed: It could not be written.
        """
        own = {"generators": capture(), "window": self._window.state_dict()}
        processes = gather(own, self._fabric)

        def write() -> Path:
            state = {name: part.state_dict() for name, part in self._parts.items()}
            return self._store.save({**state, "processes": processes}, step)

        return self._first_does(write)

    def load(self, seed: int) -> Path | None:
        """Restores all parts from the newest good checkpoint; every process calls this.

        The random generators come last, with :meth:`start_generators`.

        Returns:
            The checkpoint; None when there is none yet.

        Raises:
            RunFailed: There are checkpoints and none can be read, or what they hold does not fit.
        """
        found = self._first_does(lambda: self._store.newest_good(self._warn)) or (None, None)
        path: Path | None = gather(found[0], self._fabric)[0]
        state = found[1]
        self._seed = seed
        if path is not None:
            state = state or TORCH.read(path)
            for name, part in self._parts.items():
                self._load_part(path, name, part, state)
            self._processes = state["processes"]
            if self._fabric.global_rank < len(self._processes):
                self._window.load_state_dict(self._processes[self._fabric.global_rank]["window"])
        return path

    def start_generators(self, step: int) -> None:
        """Seeds this process's random generators, or goes on with those of the checkpoint."""
        rank = self._fabric.global_rank
        if rank < len(self._processes):
            restore(self._processes[rank]["generators"])
        else:
            seed_everything(self._seed if step == 0 else mix(self._seed, step), rank)
        if self._processes and len(self._processes) != self._fabric.world_size:
            self._warn(
                f"the checkpoint was written by {len(self._processes)} processes and training "
                f"goes on with {self._fabric.world_size}: its numbers will differ from those of an "
                "unbroken run"
            )
        self._processes = []

    def _first_does(self, work: Callable[[], T]) -> T | None:
        """Has the process with rank 0 do something; when that fails, it fails in all of them.

        Returns:
            What it gave, in that process; None in the others.
        """
        result: T | None = None
        error: Exception | None = None
        if self._fabric.is_global_zero:
            try:
                result = work()
            except Exception as caught:
                error = caught
        # The other processes must not wait for one that has failed.
        failure = gather(None if error is None else str(error), self._fabric)[0]
        if failure is not None:
            raise error or RunFailed(failure)
        return result

    def _load_part(self, path: Path, name: str, part: Stateful, state: Mapping[str, Any]) -> None:
        if name not in state:
            raise RunFailed(
                f"checkpoint {path.name} has no {name}, which this training has",
                fix="go on with the config that the run was started with",
            )
        try:
            part.load_state_dict(state[name])
        except LabError:
            raise
        except (RuntimeError, ValueError, KeyError, TypeError) as error:
            reason = str(error).strip().partition("\n")[0]
            raise RunFailed(
                f"the {name} in checkpoint {path.name} does not fit this training: {reason}",
                fix="go on with the config and the code that the run was started with",
            ) from error
