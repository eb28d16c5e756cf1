"""Names of layers: dotted paths, indices and globs, resolved against a model.

- ``encoder.lstm`` is the path that ``named_modules()`` gives; ``.`` is the model itself.
- ``blocks[3]`` and ``blocks.3`` are the same layer; ``blocks[-1]`` is the last one.
- ``*`` and ``?`` match within one part of a path: ``decoder.*`` is every child of ``decoder``.
- ``**`` matches any number of parts, at least one: ``decoder.**`` is everything below ``decoder``,
  and ``**.lstm`` every ``lstm`` that is not at the top.
"""

import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from torch import nn
from torch.nn.parallel import DataParallel, DistributedDataParallel

from labcore.errors import UsageError, nearest

__all__ = ["layer_names", "resolve_paths", "unwrap"]

_INDEX = re.compile(r"\[(-?\d+)\]")
_NEGATIVE = re.compile(r"-\d+\Z")
_INNER = ("_forward_module", "_orig_mod", "_fsdp_wrapped_module")
"""Attributes under which Fabric, ``torch.compile`` and FSDP keep the module that they wrap."""


def unwrap(model: nn.Module) -> nn.Module:
    """Returns the model inside the wrappers of Fabric, DDP, FSDP and ``torch.compile``."""
    while True:
        if isinstance(model, DistributedDataParallel | DataParallel):
            model = model.module
            continue
        inner = next((model._modules[name] for name in _INNER if name in model._modules), None)
        if inner is None:
            return model
        model = inner


def layer_names(model: nn.Module) -> list[str]:
    """Returns the dotted paths of all layers below ``model``, wrappers left out."""
    return [path for path, _ in _descendants(unwrap(model), "")]


def resolve_paths(model: nn.Module, paths: Iterable[str]) -> dict[str, dict[str, nn.Module]]:
    """Finds the layers that each path names.

    Args:
        model: The model, wrapped or not.
        paths: Paths as described at the top of this module.

    Returns:
        For each of ``paths``: dotted path to layer, in the order of the model.

    Raises:
        UsageError: Some paths name nothing; lists them all, with the nearest that exist.
    """
    if not isinstance(model, nn.Module):
        raise UsageError(
            f"taps= watches layers of torch, and the model is a {type(model).__name__} of "
            f"{type(model).__module__.partition('.')[0]}",
            fix="leave taps= out",
        )
    root = unwrap(model)
    found = {path: dict(_match(root, "", _split(path))) for path in paths}
    unknown = [path for path, layers in found.items() if not layers]
    if unknown:
        names = layer_names(model)
        raise UsageError(
            f"{type(root).__name__} has no such layers",
            problems=[f"{path!r}{_nearest(path, names)}" for path in unknown],
            fix="a path is written encoder.lstm, blocks[-1], decoder.* or decoder.**",
        )
    return found


def _split(path: str) -> list[str]:
    dotted = _INDEX.sub(r".\1", path.strip())
    return [part for part in dotted.split(".") if part]


def _children(module: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    for name, child in module.named_children():
        yield name, unwrap(child)


def _descendants(module: nn.Module, prefix: str) -> Iterator[tuple[str, nn.Module]]:
    for name, child in _children(module):
        path = f"{prefix}{name}"
        yield path, child
        yield from _descendants(child, f"{path}.")


def _match(module: nn.Module, prefix: str, parts: list[str]) -> Iterator[tuple[str, nn.Module]]:
    """Yields the layers below ``module`` that ``parts`` name; a ``prefix`` ends in a dot."""
    if not parts:
        yield prefix.removesuffix(".") or ".", module
        return
    head, rest = parts[0], parts[1:]
    if head == "**":
        for name, child in _children(module):
            yield from _match(child, f"{prefix}{name}.", rest)
            yield from _match(child, f"{prefix}{name}.", parts)
        return
    if _NEGATIVE.match(head):
        numbers = sorted(int(name) for name, _ in _children(module) if name.isdigit())
        place = len(numbers) + int(head)
        if not 0 <= place < len(numbers):
            return
        head = str(numbers[place])
    for name, child in _children(module):
        if name == head or fnmatchcase(name, head):
            yield from _match(child, f"{prefix}{name}.", rest)


def _nearest(path: str, names: list[str]) -> str:
    dotted = ".".join(_split(path))
    near = nearest(dotted, names, 3)
    if not near:
        # Often only the last part is right, or only the first.
        last = dotted.rpartition(".")[2]
        near = [name for name in names if name.rpartition(".")[2] == last][:3]
    if not near:
        near = [name for name in names if "." not in name][:5]
        return f"; at the top there are {', '.join(near)}" if near else ""
    return f"; did you mean {' or '.join(near)}?"
