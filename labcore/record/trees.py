"""Nested arrays and plain values in one ``.npz``: a checkpoint of any framework, without code.

NumPy is imported when a tree is written or read, not before.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from labcore.record.checkpoints import CheckpointFormat

__all__ = ["ARRAYS", "is_plain"]

_TREE = "tree.json"
_ARRAY = "$array"


def is_plain(value: Any) -> bool:
    """Whether :data:`ARRAYS` can store a value.

    It stores arrays, numbers, texts, None, and lists and mappings of them.
    """
    if isinstance(value, Mapping):
        return all(isinstance(key, str) and is_plain(each) for key, each in value.items())
    if isinstance(value, list | tuple):
        return all(map(is_plain, value))
    kind = getattr(getattr(value, "dtype", None), "kind", "")
    return value is None or isinstance(value, bool | int | float | str) or kind in {*"biufcSU"}


def _write(state: Mapping[str, Any], path: Path) -> None:
    import numpy as np

    arrays: dict[str, Any] = {}
    tree = json.dumps(_without_arrays(state, arrays, "state"))
    with path.open("wb") as stream:
        arrays[_TREE] = np.frombuffer(tree.encode(), np.uint8)
        np.savez(stream, **arrays)


def _without_arrays(value: Any, arrays: dict[str, Any], name: str) -> Any:
    """Puts the arrays of a tree aside; tuples become lists."""
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {key: _without_arrays(each, arrays, f"{name}.{key}") for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_without_arrays(each, arrays, f"{name}.{i}") for i, each in enumerate(value)]
    if not is_plain(value):
        raise TypeError(
            f"a checkpoint cannot hold {name}, which is a {type(value).__name__}: give arrays, "
            "numbers, texts, and lists of them and mappings of text to them"
        )
    if not hasattr(value, "dtype"):
        return value
    key = f"a{len(arrays)}"
    arrays[key] = value
    return {_ARRAY: key}


def _load(path: Path) -> Mapping[str, Any]:
    import numpy as np

    def with_arrays(row: dict[str, Any]) -> Any:
        return stored[row[_ARRAY]] if row.keys() == {_ARRAY} else row

    with np.load(path, allow_pickle=False) as stored:
        tree: Mapping[str, Any] = json.loads(stored[_TREE].tobytes(), object_hook=with_arrays)
    return tree


ARRAYS = CheckpointFormat(".npz", _write, _load)
