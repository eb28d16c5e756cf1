"""Weights & Biases: online when logged in, offline otherwise; never needed by anything else.

Two facts of the service shape this module. A run is continued online by giving its id again with
``resume="allow"``; steps that are taken again after a resume are logged again, since its history
only grows. Offline, ``resume`` silently does nothing: a resumed run makes a second offline folder
with the same id, and ``wandb sync`` of both in order joins them on the server.
"""

import dataclasses
import enum
import hashlib
import logging
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labcore.errors import RequirementError
from labcore.hooks.specs import hookimpl
from labcore.hooks.wandb.account import has_credentials
from labcore.hooks.wandb.sweep import SweepTrial
from labcore.record.redaction import redact_tree

if TYPE_CHECKING:
    from labcore.record.artifacts import Artifact

__all__ = ["WeightsAndBiases", "has_credentials"]

_MODES = ("auto", "online", "offline", "disabled")
_MAX_MEDIA_BYTES = 10 * 2**20
_INIT_TIMEOUT_S = 30
log = logging.getLogger(__name__)


class WeightsAndBiases:
    """Sends config, metrics, histograms, pictures, sounds and files of a run to W&B.

    Everything it sends is in the run folder anyway, so a lost network loses nothing.

    Args:
        project: Project; the plugin's name when empty.
        entity: User or team; the account's default when empty.
        mode: ``online``, ``offline``, ``disabled``, or ``auto``: what ``WANDB_MODE`` says, else
            online when there is an API key and offline when not.
        group: Group of runs to put this one in.
        tags: Tags, beside the task and the preset.
    """

    def __init__(
        self,
        *,
        project: str = "",
        entity: str = "",
        mode: str = "auto",
        group: str = "",
        tags: list[str] | None = None,
    ) -> None:
        if mode not in _MODES:
            raise ValueError(f"mode is {mode!r}; use one of {', '.join(_MODES)}")
        self._project = project
        self._entity = entity
        self._mode = mode
        self._group = group
        self._tags = tags or []
        self._wandb: Any = None
        self._run: Any = None
        self._trial: SweepTrial | None = None
        self._is_wanted_end = False

    @hookimpl
    def run_started(self, run: Any) -> None:
        """Begins the run on W&B, or goes on with it.

        Raises:
            RequirementError: wandb is not installed.
        """
        # W&B reports its own errors to its makers, even of offline runs, unless told not to.
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
        os.environ.setdefault("WANDB_SILENT", "true")  # the console is another hook's
        try:
            import wandb
        except ImportError as error:
            raise RequirementError(
                "wandb is not installed",
                fix="pip install wandb, or turn the hook off: hooks.wandb=null",
            ) from error
        self._wandb = wandb
        self._trial = SweepTrial.find(run.folder, run.stop)
        mode = self._choose_mode()
        if self._trial is None:
            self._run = self._begin(run, mode)
        else:
            # Cut short, it would leave W&B a run that nobody could tell it the end of.
            with run.stop.deferred():
                self._run = self._begin(run, mode)
                self._trial.remember(run.folder, self._run)
            run.stop.raise_if_set()
        # The lab's steps are the x axis: W&B's own counter refuses to go back after a resume.
        self._run.define_metric("step", hidden=True)
        self._run.define_metric("*", step_metric="step")
        if not self._run.offline and self._run.url:
            run.say(f"W&B: {self._run.url}")

    @hookimpl
    def metrics(self, values: Mapping[str, float], step: int, phase: str) -> None:
        """Logs the values as ``phase/name``."""
        if self._run is not None:
            named = {f"{phase}/{name}": float(value) for name, value in values.items()}
            self._run.log({"step": step, **named})

    @hookimpl
    def histogram(
        self, name: str, counts: Sequence[int], edges: Sequence[float], step: int
    ) -> None:
        """Logs a histogram."""
        if self._run is not None:
            histogram = self._wandb.Histogram(np_histogram=(list(counts), list(edges)))
            self._run.log({"step": step, f"taps/{name}": histogram})

    @hookimpl
    def artifact_added(self, run: Any, artifact: "Artifact") -> None:
        """Adds the file, and shows it when it is a small picture or sound."""
        if self._run is None:
            return
        path = run.folder / artifact.path
        self._run.save(str(path), base_path=str(run.folder), policy="now")
        if artifact.size_bytes > _MAX_MEDIA_BYTES:
            return
        kinds = {"image": (".png", "Image"), "audio": (".wav", "Audio")}
        suffix, kind = kinds.get(artifact.kind, ("", ""))
        if suffix and path.suffix.lower() == suffix:
            media = getattr(self._wandb, kind)(str(path), caption=artifact.caption or None)
            self._run.log({"step": artifact.step or 0, artifact.title: media})

    @hookimpl
    def run_interrupted(self, run: Any) -> None:
        """Of a sweep's trial: tells an end that W&B asked for from one that leaves it unfinished.

        W&B gives an unfinished trial to the next agent that asks, to be resumed.
        """
        if self._run is None or self._trial is None:
            return
        if self._trial.was_stopped_by_server():
            run.status.message = "stopped by W&B"
            self._is_wanted_end = True
        elif run.stop.number == signal.SIGINT:
            self._run.mark_preempting()

    @hookimpl
    def run_ended(self, run: Any, state: str) -> None:
        """Uploads what is left and says how an offline run gets to the server."""
        if self._run is None:
            return
        is_offline, folder = self._run.offline, Path(self._run.dir).parent
        self._finish(exit_code=0 if state == "finished" or self._is_wanted_end else 1)
        if is_offline:
            run.say(f"W&B was offline; upload with: wandb sync {folder}")

    def close(self) -> None:
        """Ends the run on W&B as failed."""
        self._finish(exit_code=1)

    def _finish(self, exit_code: int) -> None:
        ending, self._run = self._run, None
        if self._trial is not None:
            self._trial.end()
        if ending is not None:
            ending.finish(exit_code=exit_code)

    def _choose_mode(self) -> str:
        if self._mode != "auto":
            return self._mode
        asked = os.environ.get("WANDB_MODE", "")
        if asked in _MODES[1:]:
            return asked
        return "online" if has_credentials() else "offline"

    def _begin(self, run: Any, mode: str) -> Any:
        """Begins the run as it was chosen, or offline when the server does not answer."""
        try:
            return self._init(run, mode)
        except self._wandb.errors.Error as error:
            if mode != "online":
                raise
            run.say(f"W&B cannot be reached ({error}); logging offline", "warning")
            return self._init(run, "offline")

    def _init(self, run: Any, mode: str) -> Any:
        status = run.status
        settings = self._wandb.Settings(
            silent=True,
            console="off",
            init_timeout=_INIT_TIMEOUT_S,
            disable_git=True,  # the run folder has the commit and the diff
            save_code=False,
        )
        settings.x_disable_meta = True  # it would copy the command line, secrets and all
        identity = {
            "project": self._project or run.plugin.name,
            "entity": self._entity or None,
            "id": _run_id(run),
        }
        if self._trial is not None:
            identity = self._trial.identity
            self._trial.adjust(settings)
        return self._wandb.init(
            **identity,
            group=self._group or None,
            tags=[*dict.fromkeys(filter(None, (status.task, status.preset, *self._tags)))],
            name=run.folder.name,
            resume="allow" if mode == "online" else None,
            dir=str(run.folder),
            mode=mode,
            job_type=status.task,
            config=redact_tree(_plain(run.config)),
            settings=settings,
        )


def _run_id(run: Any) -> str:
    """An id that stays the same as long as the run does, and that no other run has."""
    text = f"{run.id} {run.status.created}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _plain(value: Any) -> Any:
    """Turns a config object into dicts, lists and plain values."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, enum.Enum):
        return value.name
    return value if isinstance(value, str | int | float | bool | None) else str(value)
