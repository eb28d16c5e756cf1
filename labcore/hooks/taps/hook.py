"""Logs what goes through the layers that ``taps:`` names, every so many steps."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labcore.errors import UsageError, nearest, suggestion
from labcore.hooks.jsonl import fit_name, keep_lines, taken_again
from labcore.hooks.specs import hookimpl

if TYPE_CHECKING:
    from labcore.hooks.taps import Observations, Recorder

__all__ = ["HISTOGRAMS", "KINDS", "Taps"]

KINDS = ("shape", "stats", "histogram", "save")
HISTOGRAMS = "taps/histograms.jsonl"
"""File of the run folder with a line ``{"step", "name", "counts", "edges"}`` per histogram."""
_SHOWN = 5


class Taps:
    """Watches layers of the model in one of every ``every`` training steps.

    Between those steps there is not a single hook on the model. Numbers go to the metrics as phase
    ``taps`` (``decoder.lstm/out/mean``, ``decoder.lstm/grad/rms``), histograms to the ``histogram``
    moment and to a file, saved tensors to ``artifacts/taps/step_N.npz`` and, drawn, to the report.
    A run that does not train is watched in one of every ``every`` calls of each layer, and logged
    at its end as step 0.

    Args:
        taps: Dotted path or glob to kinds: ``shape``, ``stats``, ``histogram``, ``save``.
        every: Steps between two looks.
        max_saved_mib: Saved tensors stop when they fill this much.

    Raises:
        UsageError: A kind does not exist.
    """

    def __init__(
        self,
        taps: Mapping[str, Sequence[str]],
        *,
        every: int = 100,
        max_saved_mib: float = 256.0,
    ) -> None:
        _check_kinds(taps)
        self._taps = {path: tuple(kinds) for path, kinds in taps.items()}
        self._every = every
        self._max_saved_bytes = int(max_saved_mib * 2**20)
        self._recorder: Recorder | None = None
        self._is_on = False
        self._has_fitted = False
        self._fit = ""
        self._told: set[str] = set()
        self._num_left_out = 0

    @hookimpl
    def model_ready(self, model: Any) -> None:
        """Finds the layers, and watches until training starts, if it ever does.

        Raises:
            UsageError: Some paths name no layer.
        """
        from labcore.hooks.taps import Recorder

        self.close()
        self._recorder = Recorder(model, self._taps, every_call=self._every)
        self._recorder.attach()
        self._is_on = True

    @hookimpl
    def fit_started(self, run: Any, loop: Any) -> None:
        """Finds the layers of the model in training.

        Raises:
            UsageError: Some paths name no layer.
        """
        from labcore.hooks.taps import Recorder

        self.close()
        self._has_fitted = True
        self._fit = fit_name(loop)
        self._recorder = Recorder(loop.model, self._taps)
        layers = list(self._recorder.layers)
        shown = ", ".join(layers[:_SHOWN]) + (", ..." if len(layers) > _SHOWN else "")
        run.say(f"taps on {len(layers)} layers every {self._every} steps: {shown}")

    @hookimpl
    def checkpoint_loaded(self, run: Any, loop: Any) -> None:
        """Drops the histograms of steps that will be taken again."""
        keep_lines(run.folder / HISTOGRAMS, lambda row: not taken_again(row, loop))

    @hookimpl(trylast=True)
    def step_started(self, loop: Any) -> None:
        """Begins to watch, if it is the turn of this step."""
        if self._recorder is not None and loop.step % self._every == 0:
            self._recorder.attach()
            self._is_on = True

    @hookimpl(tryfirst=True)
    def step_ended(self, run: Any, loop: Any) -> None:
        """Logs what was seen and takes the hooks off the model."""
        if self._is_on:
            self._log(run, loop.step)

    @hookimpl
    def fit_ended(self) -> None:
        """Takes the hooks off the model, whatever ended the training."""
        self.close()

    @hookimpl(tryfirst=True)
    def run_ended(self, run: Any, state: str) -> None:
        """Logs what a run without training has seen."""
        if self._is_on and state == "finished" and not self._has_fitted:
            self._log(run, 0)
        self.close()
        if self._num_left_out:
            run.say(
                f"taps: {self._num_left_out} tensors were not saved, since "
                f"{self._max_saved_bytes / 2**20:.0f} MiB are full",
                "warning",
            )

    def close(self) -> None:
        """Takes the hooks off the model."""
        if self._recorder is not None:
            self._recorder.detach()
        self._is_on = False

    def _log(self, run: Any, step: int) -> None:
        assert self._recorder is not None
        self.close()
        seen = self._recorder.collect()
        silent = [path for path in seen.silent if path not in self._told]
        if silent:
            self._told.update(silent)
            run.say(f"taps: no forward pass went through {', '.join(silent)}", "warning")
        if seen.values:
            run.log_metrics(seen.values, step=step, phase="taps")
        if seen.histograms:
            self._log_histograms(run, seen, step)
        if seen.tensors:
            self._save(run, seen, step)

    def _log_histograms(self, run: Any, seen: "Observations", step: int) -> None:
        if not run.is_main:
            return
        path = run.folder / HISTOGRAMS
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as stream:
            for name, (counts, edges) in seen.histograms.items():
                row = {"step": step, "name": name, "counts": counts, "edges": edges}
                if self._fit:
                    row["fit"] = self._fit
                stream.write(json.dumps(row) + "\n")
        for name, (counts, edges) in seen.histograms.items():
            run.hooks.call("histogram", run=run, name=name, counts=counts, edges=edges, step=step)

    def _save(self, run: Any, seen: "Observations", step: int) -> None:
        if not run.is_main:
            return
        import numpy as np
        import torch

        from labcore.hooks.taps.picture import draw

        path: Path = run.artifact_path(f"taps/{self._fit or '.'}/step_{step:08d}.npz")
        saved = (run.folder / "artifacts" / "taps").rglob("*.npz")
        used = sum(file.stat().st_size for file in saved if file != path)
        arrays: dict[str, Any] = {}
        for name, tensor in seen.tensors.items():
            used += tensor.nbytes
            if used > self._max_saved_bytes:
                self._num_left_out += 1
                used -= tensor.nbytes
                continue
            # NumPy knows no bfloat16.
            is_brain = tensor.dtype == torch.bfloat16
            arrays[name] = (tensor.float() if is_brain else tensor).numpy()
        if arrays:
            np.savez(path, **arrays)
            run.add_artifact(
                path,
                kind="file",
                title=f"Activations at step {step:,}",
                caption=f"{len(arrays)} tensors: numpy.load reads them by layer.",
                section="Taps",
                step=step,
            )
        for name, array in arrays.items():
            picture = path.with_name(f"{name.replace('/', '-')}.png")
            if array.size and draw(array, picture):
                run.add_artifact(
                    picture, kind="image", title=f"{name} at step {step:,}", section="Taps",
                    step=step, caption=f"Shape {array.shape}; the look before is drawn over.",
                )  # fmt: skip


def _check_kinds(taps: Mapping[str, Sequence[str]]) -> None:
    problems: list[str] = []
    for path, kinds in taps.items():
        if isinstance(kinds, str):
            problems.append(f"taps.{path} is {kinds!r}; write a list: [{kinds}]")
            continue
        for kind in kinds:
            if kind not in KINDS:
                hint = suggestion(nearest(kind, KINDS, 1)) or f"there are {', '.join(KINDS)}"
                problems.append(f"taps.{path}: no kind {kind!r}; {hint}")
    if problems:
        raise UsageError("the taps of this run are wrong", problems=problems)
