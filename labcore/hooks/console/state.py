"""What the console knows of a run, whichever way it shows it."""

import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from labcore.hooks.console.training_progress import TrainingProgress
from labcore.hooks.jsonl import fit_name

if TYPE_CHECKING:
    from labcore.record.artifacts import Artifact
    from labcore.run import Progress

__all__ = ["RunState", "Validation", "is_better", "kinds", "short_path"]


@dataclass(kw_only=True, slots=True)
class Validation:
    """One validation of a training run."""

    step: int
    elapsed_s: float
    """Seconds since the run began."""
    values: dict[str, float]
    is_best: bool = False


@dataclass(kw_only=True)
class RunState:
    """Everything that the views read."""

    clock: Callable[[], float]
    preferred: tuple[str, ...] = ()
    title: str = ""
    subtitle: str = ""
    folder: Path = Path()
    began: float = 0.0
    fit: str = ""
    """Name of the training, in a run that trains several models."""
    monitor: str = "loss"
    minimize: bool = True
    outcome: str = ""
    training: TrainingProgress | None = None
    is_validating: bool = False
    train_values: dict[str, float] = field(default_factory=dict)
    final_values: dict[str, float] = field(default_factory=dict)
    best: Validation | None = None
    last: Validation | None = None
    num_artifacts: Counter[str] = field(default_factory=Counter)
    batch: "list[Artifact]" = field(default_factory=list)
    """Artifacts of one section of the report that are not shown yet."""
    works: "dict[int, tuple[Progress, float]]" = field(default_factory=dict)
    """Work outside the training loop that is going on, and when each piece began."""

    @property
    def elapsed_s(self) -> float:
        """Seconds since the run began."""
        return self.clock() - self.began

    def start(self, run: Any) -> None:
        """Reads what there is to say about a run."""
        self.began = self.clock()
        self.folder = run.folder
        self.title = run.id
        status = run.status
        preset = f"preset {status.preset}" if status.preset else ""
        parts = (f"task {status.task}", preset, _device(run.device))
        self.subtitle = ", ".join(part for part in parts if part)

    def start_fit(self, run: Any, loop: Any) -> None:
        """Reads how long training will be and which metric matters."""
        known = getattr(loop, "monitor", None)
        self.monitor = getattr(known, "metric", "loss")
        self.minimize = getattr(known, "minimize", True)
        self.fit = fit_name(loop)
        self.best = self._best_before(loop)
        self.last = None
        self.train_values = {}
        self.training = TrainingProgress(
            first_step=loop.step,
            max_steps=getattr(loop, "max_steps", None),
            max_time_s=getattr(loop, "max_time_s", None),
            spent_s=float(getattr(loop, "elapsed_s", 0.0)),
            clock=self.clock,
        )

    def choose(self, names: Iterable[str]) -> list[str]:
        """Puts the metrics that matter first: monitored, loss, the asked for, then the others."""
        have = list(names)
        first = [n for n in (self.monitor, "loss", *self.preferred) if n in have]
        return list(dict.fromkeys([*first, *have]))

    def take_batch(self) -> str:
        """Returns one line about the artifacts of a section: what they are and where."""
        batch, self.batch = self.batch, []
        if len(batch) == 1:
            return f"{batch[0].title} -> {batch[0].path}"
        folders = [PurePosixPath(artifact.path).parent.parts for artifact in batch]
        common = itertools.takewhile(
            lambda parts: len(set(parts)) == 1, zip(*folders, strict=False)
        )
        where = "/".join(parts[0] for parts in common) or "."
        return f"{batch[0].section or 'files'}: {kinds(a.kind for a in batch)} -> {where}/"

    def _best_before(self, loop: Any) -> Validation | None:
        """Returns the best validation of the run's earlier processes, as far as it is known."""
        known: Any = getattr(loop, "monitor", None)
        value = None if known is None else known.value
        if value is None:
            return None
        return Validation(step=known.step, elapsed_s=0.0, values={self.monitor: float(value)})


def _device(plan: Any) -> str:
    """Writes where a run computes: ``on NVIDIA H100`` or ``on CPU (2 threads)``."""
    name = getattr(plan, "name", "")
    if not name:
        return ""
    threads = getattr(plan, "threads", 0) if getattr(plan, "kind", "") == "cpu" else 0
    plural = "" if threads == 1 else "s"
    return f"on {name} ({threads} thread{plural})" if threads else f"on {name}"


def is_better(row: Validation, best: Validation | None, monitor: str, *, minimize: bool) -> bool:
    """Whether ``row`` has a better monitored value than any validation before it."""
    value = row.values.get(monitor, math.nan)
    if not math.isfinite(value):
        return False
    if best is None:
        return True
    before = best.values[monitor]
    return value < before if minimize else value > before


def kinds(kinds: Iterable[str]) -> str:
    """Counts kinds of artifacts: ``8 audio, 1 image``."""
    return ", ".join(f"{number} {kind}" for kind, number in Counter(kinds).items())


def short_path(path: Path) -> str:
    """Writes a path relative to the current folder when it is below it."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
