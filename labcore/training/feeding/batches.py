"""Where batches come from, in an order that depends on nothing but the seed and the epoch.

Exact resume rests on that: a run that goes on in the middle of an epoch asks for the batches of
that epoch from the one it had reached, and gets the very same.
"""

import copy
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol, Self, runtime_checkable

import torch
from torch import Tensor

from labcore.errors import RunFailed
from labcore.training.seeding import mix

__all__ = ["BatchOrder", "BatchSource", "Shardable", "TensorBatches"]


@runtime_checkable
class BatchSource(Protocol):
    """What :func:`labcore.training.fit` reads training batches from."""

    def __len__(self) -> int:
        """Returns the number of batches of an epoch."""

    def batches(self, epoch: int, start: int) -> Iterator[Any]:
        """Yields the batches of ``epoch`` from number ``start`` on.

        The same arguments must give the same batches. Making the iterator must not draw from the
        global random generators; yielding a batch may, since checkpoints hold their states.
        """


@runtime_checkable
class Shardable(Protocol):
    """A source of batches that several processes can share."""

    def shard(self, rank: int, world_size: int) -> BatchSource:
        """Returns the part of process ``rank``; all parts have the same length."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchOrder:
    """Which items make which batch.

    Process ``rank`` of ``world_size`` gets the ``rank``-th part of every batch of
    ``world_size * batch_size`` items, so two processes with 8 items each train on what one process
    with 16 would.
    """

    num_items: int
    batch_size: int
    seed: int
    shuffle: bool = True
    drop_last: bool = True
    rank: int = 0
    world_size: int = 1

    def __post_init__(self) -> None:
        if self.batch_size < 1:
            raise ValueError(f"batch_size is {self.batch_size}; it must be at least 1")
        if len(self) == 0:
            raise RunFailed(
                f"there are {self.num_items} training items, fewer than one batch of "
                f"{self.batch_size * self.world_size}",
                fix="lower batch_size, or use more data",
            )

    def __len__(self) -> int:
        together = self.batch_size * self.world_size
        return self.num_items // together if self.drop_last else -(-self.num_items // together)

    def epoch(self, epoch: int) -> Tensor:
        """Returns the order of all items in ``epoch``: a permutation, int64 of ``num_items``."""
        if not self.shuffle:
            return torch.arange(self.num_items)
        generator = torch.Generator().manual_seed(mix(self.seed, epoch))
        return torch.randperm(self.num_items, generator=generator)

    def batch(self, order: Tensor, number: int) -> Tensor:
        """Returns this process's items of a batch, given the order of the epoch."""
        together = self.batch_size * self.world_size
        items = order[number * together : (number + 1) * together]
        missing = -len(items) % self.world_size
        if missing:
            # Every process needs as many items as the others, or it would wait for them for ever.
            items = torch.cat([items, order.repeat(-(-missing // len(order)))[:missing]])
        share = len(items) // self.world_size
        return items[self.rank * share : (self.rank + 1) * share]

    def shard(self, rank: int, world_size: int) -> "BatchOrder":
        """Returns the order of one process among several."""
        return replace(self, rank=rank, world_size=world_size)


class TensorBatches:
    """Batches of tensors in memory, gathered with one ``index_select`` each.

    Args:
        tensors: Any number of tensors with the same length; put them on the GPU to keep the data
            there.
        batch_size: Rows of a batch, for each process.
        seed: Decides the order, together with the epoch.
        shuffle: Whether every epoch has an order of its own.
        drop_last: Leave out the last batch of an epoch when it is smaller.

    Raises:
        ValueError: There is no tensor, or their lengths differ.
        RunFailed: There are fewer rows than one batch needs.
    """

    def __init__(
        self,
        *tensors: Tensor,
        batch_size: int,
        seed: int,
        shuffle: bool = True,
        drop_last: bool = True,
    ) -> None:
        lengths = [len(tensor) for tensor in tensors]
        if len(set(lengths)) != 1:
            raise ValueError(f"TensorBatches needs tensors of one length, not {lengths}")
        self._tensors = tensors
        self._order = BatchOrder(
            num_items=lengths[0],
            batch_size=batch_size,
            seed=seed,
            shuffle=shuffle,
            drop_last=drop_last,
        )

    def __len__(self) -> int:
        return len(self._order)

    def batches(self, epoch: int, start: int = 0) -> Iterator[tuple[Tensor, ...]]:
        """Yields tuples with one tensor for each that was given, ``(batch_size, ...)``."""
        order = self._order.epoch(epoch).to(self._tensors[0].device)
        for number in range(start, len(self)):
            items = self._order.batch(order, number)
            yield tuple(tensor.index_select(0, items) for tensor in self._tensors)

    def shard(self, rank: int, world_size: int) -> Self:
        """Returns the part of one process among several; the tensors are shared."""
        part = copy.copy(self)
        part._order = self._order.shard(rank, world_size)
        return part
