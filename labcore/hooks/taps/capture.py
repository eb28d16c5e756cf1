"""``with tap(model, "decoder.lstm") as seen``: keep what goes through layers, to look at it."""

import functools
from collections.abc import Collection, Mapping
from typing import Any

from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from labcore.hooks.taps.leaves import iterate_leaves, on_gradient
from labcore.hooks.taps.paths import resolve_paths

__all__ = ["Seen", "SeenLayers", "tap"]

_KINDS = ("output", "input", "grad")
Captured = Tensor | dict[str, Tensor]
"""One tensor, or the named tensors of a nested structure (:func:`iterate_leaves`)."""


class Seen:
    """What went through one layer, oldest first; tensors are copies without a graph.

    Attributes:
        calls: Times that the layer has run.
        inputs: Positional arguments of each call.
        outputs: Output of each call.
        grads: Gradient of the loss by the output of each call; an empty dict before the backward
            pass has come to it.
    """

    def __init__(self) -> None:
        self.calls = 0
        self.inputs: list[Captured] = []
        self.outputs: list[Captured] = []
        self.grads: list[Captured] = []

    @property
    def output(self) -> Any:
        """Output of the last call."""
        return self.outputs[-1]

    @property
    def input(self) -> Any:
        """Input of the last call."""
        return self.inputs[-1]

    @property
    def grad(self) -> Any:
        """Gradient of the loss by the output of the last call."""
        return self.grads[-1]


class SeenLayers(dict[str, Seen]):
    """What went through the tapped layers: dotted path, or the path as it was asked for."""

    def __init__(self, layers: Mapping[str, Seen], asked: Mapping[str, str]) -> None:
        super().__init__(layers)
        self._asked = asked

    def __missing__(self, path: str) -> Seen:
        return self[self._asked[path]]


class tap:  # noqa: N801  # used as a function: with tap(...)
    """Captures what goes through layers for the time of a ``with`` block.

    Args:
        model: The model; wrappers of Fabric, DDP or ``torch.compile`` are looked through. (Compiled
            code may call no taps: run the model that was compiled.)
        paths: Layers: ``encoder.lstm``, ``blocks[-1]``, ``decoder.*``, ``decoder.**``.
        kinds: What to keep: ``output``, ``input``, ``grad``.

    Raises:
        UsageError: Some paths name no layer; lists them all, with the nearest that exist.
        ValueError: There is no such kind.

    Example:
        >>> with tap(model, "scratch.output_conv.6") as seen:
        ...     model(images).mean().backward()
        >>> seen["scratch.output_conv.6"].output.shape, seen["scratch.output_conv.6"].grad.norm()
    """

    def __init__(self, model: nn.Module, *paths: str, kinds: Collection[str] = _KINDS) -> None:
        wrong = [kind for kind in kinds if kind not in _KINDS]
        if wrong:
            raise ValueError(f"no kind {wrong[0]!r} to tap; use {', '.join(_KINDS)}")
        found = resolve_paths(model, paths)
        self._kinds = frozenset(kinds)
        self._modules = {path: layer for layers in found.values() for path, layer in layers.items()}
        self._asked = {path: next(iter(ls)) for path, ls in found.items() if len(ls) == 1}
        self._handles: list[RemovableHandle] = []

    def __enter__(self) -> SeenLayers:
        layers = {path: Seen() for path in self._modules}
        for path, module in self._modules.items():
            self._handles.append(module.register_forward_hook(self._hook(layers[path])))
        return SeenLayers(layers, self._asked)

    def __exit__(self, *failure: object) -> None:
        while self._handles:
            self._handles.pop().remove()

    def _hook(self, seen: Seen) -> Any:
        def forward(module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
            seen.calls += 1
            if "input" in self._kinds:
                seen.inputs.append(_copy(args[0] if len(args) == 1 else args))
            if "output" in self._kinds:
                seen.outputs.append(_copy(output))
            if "grad" in self._kinds:
                seen.grads.append({})
                _watch_gradients(output, seen.grads, len(seen.grads) - 1)

        return forward


def _copy(value: Any) -> Captured:
    # A copy: the next layer may work in place.
    leaves = {name: leaf.detach().clone() for name, leaf in iterate_leaves(value)}
    return leaves[""] if leaves.keys() == {""} else leaves


def _watch_gradients(output: Any, grads: list[Captured], place: int) -> None:
    """Puts the gradients of an output in ``grads[place]`` when the backward pass gets there."""
    leaves: dict[str, Tensor] = {}

    def keep(name: str, gradient: Tensor) -> None:
        leaves[name] = gradient.detach().clone()
        grads[place] = leaves if name else leaves[name]

    for name, leaf in iterate_leaves(output):
        if leaf.requires_grad:
            on_gradient(leaf, functools.partial(keep, name))
