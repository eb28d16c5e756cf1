"""Batches of arrays in memory, in an order that depends on nothing but the seed and the epoch."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from labcore.errors import RunFailed
from labcore.training.seeds import mix

__all__ = ["ArrayBatches"]


class ArrayBatches:
    """Batches ``(x, y)`` or ``(x, y, sample_weight)``, as Keras trains on them.

    Args:
        arrays: One to three arrays with the same number of rows.
        batch_size: Rows of a batch.
        seed: Decides the order, together with the epoch.
        shuffle: Whether every epoch has an order of its own.
        drop_last: Leave out the last batch of an epoch when it is smaller.

    Raises:
        ValueError: There is no array, or their lengths differ.
        RunFailed: There are fewer rows than one batch needs.
    """

    def __init__(
        self,
        *arrays: ArrayLike,
        batch_size: int,
        seed: int,
        shuffle: bool = True,
        drop_last: bool = True,
    ) -> None:
        self._arrays = tuple(np.asarray(array) for array in arrays)
        lengths = {len(array) for array in self._arrays}
        if len(lengths) != 1:
            raise ValueError(f"ArrayBatches needs arrays of one length, not {sorted(lengths)}")
        (self._rows,) = lengths
        self._batch_size = batch_size
        self._seed = seed
        self._shuffle = shuffle
        self._length = self._rows // batch_size if drop_last else -(-self._rows // batch_size)
        if not self._length:
            raise RunFailed(
                f"there are {self._rows} training items, fewer than one batch of {batch_size}",
                fix="lower batch_size, or use more data",
            )

    def __len__(self) -> int:
        return self._length

    def batches(self, epoch: int, start: int = 0) -> Iterator[tuple[NDArray[Any], ...]]:
        """Yields the batches of ``epoch`` from number ``start`` on."""
        order = np.arange(self._rows)
        if self._shuffle:
            np.random.default_rng(mix(self._seed, epoch)).shuffle(order)
        for number in range(start, self._length):
            rows = order[number * self._batch_size : (number + 1) * self._batch_size]
            yield tuple(array[rows] for array in self._arrays)
