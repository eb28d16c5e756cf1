"""Batches of a dataset that augments, with and without worker processes."""

import random
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from labcore.errors import RunFailed
from labcore.training import item_generator, loader


class Plain:
    def __len__(self) -> int:
        return 20

    def __getitem__(self, index: int) -> int:
        return index


def test_an_epoch_has_every_item_once() -> None:
    source = loader(Plain(), batch_size=3, seed=0, drop_last=False)
    batches = list(source.batches(1))
    assert len(batches) == len(source) == 7
    assert sorted(torch.cat(batches).tolist()) == list(range(20))


def test_augmented_items_are_the_same_from_any_start(toy: ModuleType) -> None:
    source = loader(toy.Noisy(), batch_size=4, seed=5)
    whole = [x for x, _ in source.batches(2)]
    for start in (0, 1, 6, 11):
        rest = [x for x, _ in source.batches(2, start)]
        assert len(rest) == len(whole) - start
        assert all(map(torch.equal, rest, whole[start:]))


def test_an_item_looks_different_in_the_next_epoch(toy: ModuleType) -> None:
    source = loader(toy.Noisy(), batch_size=44, seed=5, shuffle=False)
    (one, _), (other, _) = next(iter(source.batches(0))), next(iter(source.batches(1)))
    assert not torch.isclose(one, other).all(dim=1).any()


def test_reading_leaves_the_global_generators_alone(toy: ModuleType) -> None:
    before = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].copy()
    list(loader(toy.Noisy(), batch_size=4, seed=5).batches(0))
    assert torch.equal(torch.get_rng_state(), before[0])
    assert random.getstate() == before[1]
    assert np.array_equal(np.random.get_state()[1], before[2])


def test_processes_share_the_items_of_a_batch() -> None:
    one = loader(Plain(), batch_size=4, seed=0)
    parts = [loader(Plain(), batch_size=2, seed=0).shard(rank, 2) for rank in range(2)]
    together = [torch.cat(pair) for pair in zip(*(p.batches(0) for p in parts), strict=True)]
    assert all(map(torch.equal, together, one.batches(0)))


def test_a_collate_function_makes_the_batch() -> None:
    source = loader(Plain(), batch_size=5, seed=0, shuffle=False, collate=tuple)
    assert next(iter(source.batches(0))) == (0, 1, 2, 3, 4)


def test_an_error_in_an_item_passes_through() -> None:
    class Broken(Plain):
        def __getitem__(self, index: int) -> Any:
            raise OSError(f"item {index} is damaged")

    with pytest.raises(OSError, match="is damaged"):
        list(loader(Broken(), batch_size=2, seed=0).batches(0))


def test_too_few_items_say_what_to_lower() -> None:
    with pytest.raises(RunFailed, match="20 training items"):
        loader(Plain(), batch_size=21, seed=0)


def test_an_item_generator_depends_on_its_arguments_alone() -> None:
    def draw(*key: int) -> float:
        return float(torch.rand((), generator=item_generator(*key)))

    assert draw(1, 2, 3) == draw(1, 2, 3)
    keys = [(1, 2, 3), (1, 3, 2), (2, 1, 3), (0, 2, 3), (1, 2, 4)]
    assert len({draw(*key) for key in keys}) == len(keys)
