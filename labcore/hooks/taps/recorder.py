"""Watches layers during one training step and brings the figures over in one go."""

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from labcore.hooks.taps.leaves import iterate_leaves, on_gradient
from labcore.hooks.taps.paths import resolve_paths
from labcore.hooks.taps.statistics import NUM_BINS, STATISTICS, Histogram, histogram, statistics

__all__ = ["Observations", "Recorder"]

log = logging.getLogger(__name__)


@dataclass(kw_only=True, slots=True)
class Observations:
    """What was seen between two :meth:`Recorder.attach` and :meth:`Recorder.detach`.

    Names are ``layer/out`` or ``layer/grad``, with the place in a nested output after it:
    ``encoder.lstm/out.1.0``. When a layer ran several times, the last time counts.
    """

    values: dict[str, float] = field(default_factory=dict)
    """``layer/out/mean`` and so on, and ``layer/calls``."""
    histograms: dict[str, tuple[list[int], list[float]]] = field(default_factory=dict)
    """Counts and bin edges, one edge more than counts."""
    tensors: dict[str, Tensor] = field(default_factory=dict)
    """Saved tensors, on the CPU."""
    silent: tuple[str, ...] = ()
    """Layers that did not run."""


class Recorder:
    """Puts hooks on layers while it is attached, and none otherwise.

    Figures are computed on the device as the layers run. :meth:`collect` copies them all to the CPU
    at once, which is the only time that the device is waited for.

    Args:
        model: The model, wrapped or not.
        taps: Path or glob to kinds: ``shape``, ``stats``, ``histogram``, ``save``.
        every_call: Look at each of this many calls of a layer only.

    Raises:
        UsageError: Some paths name no layer.
    """

    def __init__(
        self, model: nn.Module, taps: Mapping[str, Collection[str]], *, every_call: int = 1
    ) -> None:
        self.layers: dict[str, nn.Module] = {}
        self._kinds: dict[str, set[str]] = {}
        self._every_call = every_call
        for asked, layers in resolve_paths(model, taps).items():
            for path, layer in layers.items():
                self.layers[path] = layer
                self._kinds.setdefault(path, set()).update(taps[asked])
        self._handles: list[RemovableHandle] = []
        self._broken: set[str] = set()
        self._is_watching = False
        self._visit = 0
        self._forget()

    def attach(self) -> None:
        """Begins to watch, with nothing seen yet."""
        self.detach()
        self._forget()
        self._visit += 1
        self._is_watching = True
        for path, layer in self.layers.items():
            if path not in self._broken:
                self._handles.append(layer.register_forward_hook(self._forward_hook(path)))

    def detach(self) -> None:
        """Stops watching; what was seen stays until :meth:`collect`."""
        while self._handles:
            self._handles.pop().remove()
        self._is_watching = False

    def collect(self) -> Observations:
        """Brings what was seen to the CPU and forgets it."""
        seen = Observations(silent=tuple(p for p in self.layers if not self._calls.get(p)))
        for path, calls in self._calls.items():
            seen.values[f"{path}/calls"] = float(calls)
        for name, shape in self._shapes.items():
            for dimension, length in enumerate(shape):
                seen.values[f"{name}/shape.{dimension}"] = float(length)
        figures = _to_cpu(list(self._stats.values()))
        for name, row in zip(self._stats, figures, strict=True):
            seen.values.update({f"{name}/{k}": v for k, v in zip(STATISTICS, row, strict=True)})
        counts = _to_cpu([each.counts for each in self._histograms.values()])
        bounds = _to_cpu([each.bounds for each in self._histograms.values()])
        for name, bins, (low, high) in zip(self._histograms, counts, bounds, strict=True):
            if low <= high:  # else no value was finite
                width = (high - low) / NUM_BINS
                edges = [low + place * width for place in range(NUM_BINS)]
                seen.histograms[name] = ([int(each) for each in bins], [*edges, high])
        seen.tensors = {name: tensor.cpu() for name, tensor in self._tensors.items()}
        self._forget()
        return seen

    def _forget(self) -> None:
        self._calls: dict[str, int] = {}
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._stats: dict[str, Tensor] = {}
        self._histograms: dict[str, Histogram] = {}
        self._tensors: dict[str, Tensor] = {}

    def _forward_hook(self, path: str) -> Any:
        def forward(module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
            calls = self._calls.get(path, 0)
            self._calls[path] = calls + 1
            if calls % self._every_call:
                return
            for place, leaf in iterate_leaves(output):
                dotted = f".{place}" if place else ""
                self._look(path, f"{path}/out{dotted}", leaf)
                if leaf.requires_grad:
                    on_gradient(leaf, self._backward_hook(path, f"{path}/grad{dotted}"))

        return forward

    def _backward_hook(self, path: str, name: str) -> Any:
        visit = self._visit

        def backward(gradient: Tensor) -> None:
            # The graph may outlive the step, even until the next one that is watched.
            if self._is_watching and visit == self._visit:
                self._look(path, name, gradient)

        return backward

    @torch.no_grad()
    def _look(self, path: str, name: str, tensor: Tensor) -> None:
        """Computes what was asked for; a failure must not reach the model that is running."""
        kinds = self._kinds[path]
        try:
            if "shape" in kinds:
                self._shapes[name] = tuple(tensor.shape)
            if "stats" in kinds and tensor.numel():
                self._stats[name] = statistics(tensor)
            if "histogram" in kinds and tensor.numel():
                self._histograms[name] = histogram(tensor)
            if "save" in kinds:
                self._tensors[name] = tensor.detach().clone()
        except (RuntimeError, NotImplementedError, TypeError) as error:
            if path not in self._broken:
                self._broken.add(path)
                log.warning("the tap on %s is off: %s", path, error)


def _to_cpu(rows: list[Tensor]) -> list[list[float]]:
    """Copies equally long rows to the CPU; one transfer for each device."""
    if len({row.device for row in rows}) == 1:
        result: list[list[float]] = torch.stack(rows).tolist()
        return result
    return [row.tolist() for row in rows]
