"""What a task sees of its run: config, folder, device, hooks, data, and ways to leave results."""

import logging
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from labcore.plugin import Plugin, Task
from labcore.record.artifacts import Artifact, ArtifactStore, Kind
from labcore.record.status import Status
from labcore.run.progress import Progress
from labcore.run.signals import StopSignal
from labcore.run.stages import KEEP_LAST, Stage, restore, save_checkpoint

if TYPE_CHECKING:
    from labcore.devices import DevicePlan
    from labcore.run.source import SourceRun

__all__ = ["Hooks", "Run"]

C = TypeVar("C")
log = logging.getLogger(__name__)


class Hooks(Protocol):
    """Everything that watches a run, as the run and its training loop see it."""

    def call(self, moment: str, **arguments: Any) -> None:
        """Tells all that listen that ``moment`` has come."""

    def has(self, moment: str) -> bool:
        """Whether any listens to ``moment``."""

    def state_dict(self) -> Mapping[str, Any]:
        """Returns what they have to remember."""

    def load_state_dict(self, state: Mapping[str, Any], /) -> None:
        """Gives it back to them."""


class Run(Generic[C]):
    """One run of one task of a plugin.

    Attributes:
        plugin: The plugin's declaration.
        task: The declaration of the task.
        config: The plugin's options merged with the core's, as a typed object: ``config.seed``,
            ``config.train.max_steps``.
        folder: The run folder.
        device: Where the run computes.
        hooks: Everything that watches the run.
        stop: True once a signal has asked the run to stop; :class:`StopSignal` says how a task
            with a loop of its own stops well.
        is_main: False in the helper processes of a distributed run, which leave no files.
        resuming: True when an earlier process of the same run was stopped.
    """

    def __init__(
        self,
        *,
        plugin: Plugin,
        task: Task,
        config: C,
        folder: Path,
        device: "DevicePlan",
        hooks: Hooks,
        status: Status,
        stop: StopSignal,
        is_main: bool = True,
        resuming: bool = False,
        read_weights: Callable[[Path], Any] | None = None,
    ) -> None:
        self.plugin = plugin
        self.task = task
        self.config = config
        self.folder = folder
        self.device = device
        self.hooks = hooks
        self.status = status
        self.stop = stop
        self.is_main = is_main
        self.resuming = resuming
        self._read_weights = read_weights
        self._artifacts = ArtifactStore(folder)

    @property
    def id(self) -> str:
        """Plugin and folder name, such as ``musicvae/20260102-030405-train``."""
        return f"{self.plugin.name}/{self.folder.name}"

    @property
    def checkpoints(self) -> Path:
        """Folder of the checkpoints."""
        return self.folder / "checkpoints"

    def say(self, text: str, level: str = "info") -> None:
        """Tells the user something; ``level`` is ``info``, ``warning`` or ``error``."""
        getattr(log, level)(text)
        if self.is_main:
            self.hooks.call("message", run=self, text=text, level=level)

    def log_metrics(self, values: Mapping[str, float], *, step: int, phase: str = "train") -> None:
        """Records numbers.

        Args:
            values: Name to number; names may have dots or slashes.
            step: Optimiser steps so far, or 0 outside training.
            phase: ``train``, ``val``, ``test``, ``perf`` or ``taps``; what a task returns is
                recorded as ``result``.
        """
        if not self.is_main:
            return
        if phase in {"train", "val"}:
            self.status.step = step
        if phase in {"val", "test", "result"}:
            self.status.metrics.update(
                {f"{phase}/{k}": float(v) for k, v in values.items() if math.isfinite(v)}
            )
        self.hooks.call("metrics", run=self, values=values, step=step, phase=phase)

    def progress(self, description: str, total: int | None = None) -> Progress:
        """Shows progress of long work; use as a context manager."""

        def notify(event: str, progress: Progress) -> None:
            if self.is_main:
                self.hooks.call(f"progress_{event}", run=self, progress=progress)

        return Progress(description, total, notify)

    def artifact_path(self, name: str) -> Path:
        """Returns where an artifact called ``name`` (it may have folders) should be written."""
        path = self._artifacts.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def add_artifact(
        self,
        path: Path,
        *,
        kind: Kind,
        title: str,
        caption: str = "",
        section: str = "",
        step: int | None = None,
    ) -> Artifact:
        """Enters a file of the run folder in the manifest, for people to find.

        Args:
            path: File below the run folder, usually from :meth:`artifact_path`.
            kind: Decides how the report shows it.
            title: A few words above it.
            caption: A sentence below it.
            section: Heading under which the report groups it.
            step: Optimiser steps at which it was made.
        """
        artifact = self._artifacts.describe(
            path, kind=kind, title=title, caption=caption, section=section, step=step
        )
        self._artifacts.add(artifact)
        self.hooks.call("artifact_added", run=self, artifact=artifact)
        return artifact

    def artifacts(self) -> list[Artifact]:
        """Returns the manifest."""
        return self._artifacts.read()

    def save_checkpoint(
        self,
        state: Mapping[str, Any],
        *,
        step: int,
        best: float | None = None,
        keep_last: int = KEEP_LAST,
    ) -> Path:
        """Writes where a task that is no training loop stands, whole or not at all.

        Args:
            state: Arrays, numbers, texts, None, and lists and mappings of them.
            step: How far the task has come; metrics of later steps are dropped when it goes on.
            best: A figure of this checkpoint when it is the best so far; it is then kept.
            keep_last: How many of the newest to keep, beside the best.

        Returns:
            The file, ``checkpoints/step-....npz``.

        Raises:
            TypeError: The state has something else in it.
            RunFailed: The disk is full; older checkpoints are untouched.
        """
        return save_checkpoint(self, state, step, best, keep_last)

    def restore(self, *, best: bool = False) -> Stage | None:
        """Returns the newest whole checkpoint of this run, ``.step`` and ``.state``; None without.

        Call it before the first metrics: those of later steps are dropped.

        Args:
            best: The best one instead, to work with at the end.

        Raises:
            RunFailed: There are checkpoints and none can be read.
        """
        return restore(self, best=best)

    def model_ready(self, model: Any) -> None:
        """Tells the hooks (module taps among them) that ``model`` is built; call it once."""
        self.hooks.call("model_ready", run=self, model=model)

    def dataset(self, name: str) -> Path:
        """Returns the folder of a declared dataset, fetching and preparing it when needed.

        A dataset ``folder:OPTION`` is the folder that the option names.

        Raises:
            RequirementError: The data is not here and cannot be fetched.
        """
        from labcore.data import chosen_folder, ensure

        dataset = self.plugin.dataset(name)
        folder = chosen_folder(dataset, self.config)
        with self.progress(f"dataset {name}") as progress:
            return ensure(
                self.plugin, dataset, self.data_dir, folder=folder, progress=progress.update
            )

    @property
    def data_dir(self) -> Path:
        """Where datasets and their caches live (``data_dir=``)."""
        from labcore.data import data_folder

        return data_folder(self.config.data_dir)  # type: ignore[attr-defined]  # a core option

    def source(self) -> "SourceRun":
        """Returns the earlier run that ``run=`` names, whose model the task works on.

        Raises:
            UsageError: There is none, or it left no checkpoint.
        """
        from labcore.run.source import SourceRun

        return SourceRun.find(
            self.plugin,
            str(self.config.run or "latest"),  # type: ignore[attr-defined]  # a core option
            Path(self.config.runs_dir),  # type: ignore[attr-defined]  # a core option
            read_weights=self._read_weights,
        )
