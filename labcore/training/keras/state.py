"""Everything that a Keras training is made of, as arrays and plain values, and back again.

A generator of random numbers is restored when it keeps its state in a variable: Keras 3's
``SeedGenerator`` and, in legacy Keras, ``tf.random.Generator``, which ``configure_tensorflow`` has
its layers use. What ``tf.random.normal`` and the like draw inside of a layer is not.
"""

import contextlib
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from labcore.errors import RunFailed
from labcore.record.trees import is_plain

__all__ = [
    "callback_state",
    "generator_state",
    "model_state",
    "own_generators",
    "restore_callback",
    "restore_generators",
    "restore_model",
]

_NO_STATE = {"model", "_model", "params", "_params", "validation_data"}


def model_state(model: Any) -> dict[str, list[Any]]:
    """Returns weights, optimizer and generators of a compiled and built model, as arrays."""
    return {name: [each.numpy() for each in group] for name, group in _variables(model).items()}


def restore_model(model: Any, state: Mapping[str, Sequence[Any]]) -> None:
    """Puts a model back to a state from :func:`model_state`.

    Raises:
        RunFailed: The model is another one.
    """
    for name, group in _variables(model).items():
        stored = state[name]
        shapes = [tuple(each.shape) for each in group]
        if [np.shape(value) for value in stored] != shapes:
            raise RunFailed(
                f"the {name} of the checkpoint do not fit this model: {len(stored)} arrays are "
                f"stored, and the model has {len(group)}, or of other shapes",
                fix="go on with the config and the code that the run was started with",
            )
        for variable, value in zip(group, stored, strict=True):
            variable.assign(value)


def _variables(model: Any) -> dict[str, list[Any]]:
    optimizer, weights = model.optimizer, list(model.weights)
    optimizer.build(model.trainable_variables)
    known = list(optimizer.variables)
    if hasattr(optimizer.learning_rate, "assign"):  # legacy Keras does not count it among them
        known += [] if _has(known, optimizer.learning_rate) else [optimizer.learning_rate]
    counted = [*weights, *(each for metric in model.metrics for each in metric.variables)]
    generators = [each for each in model.variables if not _has(counted, each)]
    for layer in getattr(model, "submodules", ()):  # legacy Keras
        generator = getattr(getattr(layer, "_random_generator", None), "_generator", None)
        generators += [] if generator is None else [generator.state]
    return {"weights": weights, "optimizer": known, "generators": generators}


def _has(variables: Sequence[Any], variable: Any) -> bool:
    return any(each is variable for each in variables)  # ``==`` compares values


def callback_state(callback: Any) -> dict[str, Any]:
    """Returns the attributes of a callback that are arrays or plain values."""
    state = {name: each for name, each in vars(callback).items() if name not in _NO_STATE}
    return {name: value for name, value in state.items() if is_plain(value)}


def restore_callback(callback: Any, state: Mapping[str, Any]) -> None:
    """Gives a callback its attributes back."""
    for name, value in state.items():
        setattr(callback, name, value)


def generator_state() -> dict[str, Any]:
    """Returns the states of Python's and NumPy's global generators."""
    version, words, gauss = random.getstate()
    kind, keys, *rest = np.random.get_state(legacy=True)
    return {
        "python": [version, np.array(words, np.int64), gauss],
        "numpy": [str(kind), keys, *rest],
    }


def restore_generators(state: Mapping[str, Any]) -> None:
    """Puts Python's and NumPy's generators back to a state from :func:`generator_state`."""
    version, words, gauss = state["python"]
    random.setstate((version, tuple(words.tolist()), gauss))
    np.random.set_state(tuple(state["numpy"]))


@contextlib.contextmanager
def own_generators(seed: int) -> Iterator[None]:
    """Seeds Python's and NumPy's generators for the block, and gives them back as they were."""
    before = generator_state()
    random.seed(seed)
    np.random.seed(seed % 2**32)
    try:
        yield
    finally:
        restore_generators(before)
