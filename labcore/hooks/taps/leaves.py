"""The tensors inside whatever a layer takes or returns, each with a name."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

__all__ = ["iterate_leaves", "on_gradient"]


def iterate_leaves(value: Any, name: str = "") -> Iterator[tuple[str, Tensor]]:
    """Yields the tensors in nested tuples, lists, mappings and dataclasses.

    Args:
        value: An output such as an LSTM's ``(out, (h, c))``.
        name: Name of ``value`` itself; parts are added to it with dots.

    Yields:
        ``""`` and the tensor when ``value`` is one; else names such as ``0``, ``1.0``, ``1.1``. A
        packed sequence gives its ``data``. Things that hold no tensors give nothing.
    """
    if isinstance(value, Tensor):
        yield name, value
        return
    for part, item in _parts(value):
        yield from iterate_leaves(item, f"{name}.{part}" if name else str(part))


def _parts(value: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, PackedSequence):
        # The rest of a packed sequence says how it is packed.
        yield "data", value.data
    elif isinstance(value, Mapping):
        yield from value.items()
    elif isinstance(value, tuple) and hasattr(value, "_fields"):
        yield from zip(value._fields, value, strict=True)
    elif isinstance(value, tuple | list):
        yield from enumerate(value)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield field.name, getattr(value, field.name)


def on_gradient(tensor: Tensor, hook: Callable[[Tensor], None]) -> None:
    """Calls ``hook`` with the gradient of ``tensor``."""
    tensor.register_hook(hook)  # type: ignore[no-untyped-call]  # torch has no types for it
