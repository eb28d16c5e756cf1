"""What may be in a hook's state, so that a checkpoint loads with ``weights_only=True``."""

import sys

__all__ = ["check_state"]

_PLAIN = (type(None), bool, int, float, str, bytes)


def check_state(state: object, path: str = "state") -> None:
    """Checks that a hook's state holds only tensors, plain values, lists, tuples and dicts.

    Raises:
        TypeError: It holds something else; the message says where.
    """
    if type(state) in _PLAIN or _is_tensor(state):
        return
    if isinstance(state, dict):
        for key, value in state.items():
            check_state(key, f"key {key!r} of {path}")
            check_state(value, f"{path}[{key!r}]")
    elif type(state) in (list, tuple):
        for index, value in enumerate(state):  # type: ignore[arg-type]  # a list or a tuple
            check_state(value, f"{path}[{index}]")
    else:
        raise TypeError(
            f"{path} is a {type(state).__module__}.{type(state).__qualname__}; a checkpoint takes "
            "tensors, numbers, text, None, lists, tuples and dicts"
        )


def _is_tensor(value: object) -> bool:
    torch = sys.modules.get("torch")  # a value can only be a tensor if torch is here already
    return torch is not None and isinstance(value, torch.Tensor)
