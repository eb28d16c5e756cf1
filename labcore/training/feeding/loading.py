"""Batches of a map-style dataset through torch's DataLoader, with repeatable augmentation."""

import signal
from collections.abc import Callable, Iterator
from typing import Any, Protocol, Self

import torch
from torch.utils.data import DataLoader, Sampler

from labcore.training.feeding.batches import BatchOrder
from labcore.training.seeding import forked, mix, seed_item

__all__ = ["ItemSource", "LoaderBatches", "loader"]

Key = tuple[int, int]
"""Epoch and index of an item."""


class ItemSource(Protocol):
    """A map-style dataset."""

    def __len__(self) -> int:
        """Returns the number of items."""

    def __getitem__(self, index: int, /) -> Any:
        """Returns an item."""


def loader(
    dataset: ItemSource,
    *,
    batch_size: int,
    seed: int,
    num_workers: int = 0,
    shuffle: bool = True,
    drop_last: bool = True,
    collate: Callable[[list[Any]], Any] | None = None,
    pin_memory: bool = False,
) -> "LoaderBatches":
    """Makes batches of a map-style dataset, in this process or in worker processes.

    Before an item is made, the CPU generators of Python, NumPy and torch are seeded by ``seed``,
    the epoch and the index. A dataset that augments with any of them therefore gives the same
    items after a resume in the middle of an epoch, and with any number of workers.

    Args:
        dataset: Anything with ``__len__`` and ``__getitem__``.
        batch_size: Items of a batch, for each process of a distributed run.
        seed: Decides the order and the augmentation.
        num_workers: Processes that make items; 0 makes them in the training process.
        shuffle: Whether every epoch has an order of its own.
        drop_last: Leave out the last batch of an epoch when it is smaller.
        collate: Makes a batch of a list of items; torch's default stacks tensors.
        pin_memory: Put batches in page-locked memory, from which a GPU copies them faster.

    Raises:
        RunFailed: There are fewer items than one batch needs.
    """
    order = BatchOrder(
        num_items=len(dataset),
        batch_size=batch_size,
        seed=seed,
        shuffle=shuffle,
        drop_last=drop_last,
    )
    return LoaderBatches(
        dataset, order, num_workers=num_workers, collate_fn=collate, pin_memory=pin_memory
    )


class LoaderBatches:
    """What :func:`loader` returns: a :class:`labcore.training.BatchSource`."""

    def __init__(self, dataset: ItemSource, order: BatchOrder, **options: Any) -> None:
        self._dataset = dataset
        self._order = order
        self._options = options
        self._keys = _Keys(order)
        self._loader: DataLoader[Any] = DataLoader(
            _SeededItems(dataset, order.seed),  # type: ignore[arg-type]  # torch takes any mapping
            batch_sampler=self._keys,
            persistent_workers=options["num_workers"] > 0,
            worker_init_fn=_leave_signals_to_the_trainer,
            # Else the loader draws from the global generator each time it starts.
            generator=torch.Generator().manual_seed(mix(order.seed)),
            **options,
        )

    def __len__(self) -> int:
        return len(self._order)

    def batches(self, epoch: int, start: int = 0) -> Iterator[Any]:
        """Yields the collated batches of ``epoch`` from number ``start`` on."""
        self._keys.epoch, self._keys.start = epoch, start
        return iter(self._loader)

    def shard(self, rank: int, world_size: int) -> Self:
        """Returns the part of one process among several."""
        return type(self)(self._dataset, self._order.shard(rank, world_size), **self._options)


class _Keys(Sampler[list[Key]]):
    """Lists the items of each batch of the epoch that is set on it."""

    def __init__(self, order: BatchOrder) -> None:
        self._order = order
        self.epoch = 0
        self.start = 0

    def __len__(self) -> int:
        return len(self._order) - self.start

    def __iter__(self) -> Iterator[list[Key]]:
        epoch, order = self.epoch, self._order.epoch(self.epoch)
        for number in range(self.start, len(self._order)):
            yield [(epoch, index) for index in self._order.batch(order, number).tolist()]


class _SeededItems:
    """The dataset, with the random generators seeded for each item and then given back."""

    def __init__(self, dataset: ItemSource, seed: int) -> None:
        self._dataset = dataset
        self._seed = seed

    def __len__(self) -> int:
        return len(self._dataset)

    def __getitems__(self, keys: list[Key]) -> list[Any]:
        with forked():
            return [self._item(epoch, index) for epoch, index in keys]

    def _item(self, epoch: int, index: int) -> Any:
        seed_item(self._seed, epoch, index)
        return self._dataset[index]


def _leave_signals_to_the_trainer(worker: int) -> None:
    # Ctrl-C reaches every process of the terminal; the trainer stops the workers when it is done.
    # SIGTERM must end a worker, not set the flag that the trainer's handler would set.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
