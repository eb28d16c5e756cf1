"""The order of batches: every row once an epoch, the same from any start, split among processes."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from labcore.errors import RunFailed
from labcore.training import TensorBatches
from labcore.training.feeding.batches import BatchOrder

SIZES = {
    "rows": st.integers(1, 60),
    "batch_size": st.integers(1, 9),
    "epoch": st.integers(0, 5),
    "seed": st.integers(-5, 2**40),
}


@settings(deadline=None, max_examples=60)
@given(**SIZES)
def test_an_epoch_has_every_row_once(rows: int, batch_size: int, epoch: int, seed: int) -> None:
    source = TensorBatches(torch.arange(rows), batch_size=batch_size, seed=seed, drop_last=False)
    batches = [batch for (batch,) in source.batches(epoch)]
    assert len(batches) == len(source)
    assert sorted(torch.cat(batches).tolist()) == list(range(rows))


@settings(deadline=None, max_examples=60)
@given(start=st.integers(0, 70), **SIZES)
def test_it_goes_on_from_any_batch_as_if_it_had_not_stopped(
    rows: int, batch_size: int, epoch: int, seed: int, start: int
) -> None:
    source = TensorBatches(torch.arange(rows), batch_size=batch_size, seed=seed, drop_last=False)
    whole = [batch[0].tolist() for batch in source.batches(epoch)]
    assert [batch[0].tolist() for batch in source.batches(epoch, start)] == whole[start:]


@settings(deadline=None, max_examples=60)
@given(
    rows=st.integers(1, 60),
    batch_size=st.integers(1, 6),
    world_size=st.integers(1, 4),
    drop_last=st.booleans(),
)
def test_processes_share_what_one_process_with_a_larger_batch_would_take(
    rows: int, batch_size: int, world_size: int, drop_last: bool
) -> None:
    together = batch_size * world_size
    if drop_last and rows < together:
        return
    tensor = torch.arange(rows)
    one = TensorBatches(tensor, batch_size=together, seed=1, drop_last=drop_last)
    many = TensorBatches(tensor, batch_size=min(batch_size, rows), seed=1, drop_last=False)
    many._order = BatchOrder(
        num_items=rows, batch_size=batch_size, seed=1, drop_last=drop_last, world_size=world_size
    )
    parts = [list(many.shard(rank, world_size).batches(2)) for rank in range(world_size)]
    assert {len(part) for part in parts} == {len(one)}
    for number, (batch,) in enumerate(one.batches(2)):
        shares = [part[number][0] for part in parts]
        assert len({len(share) for share in shares}) == 1
        joined = torch.cat(shares)
        assert torch.equal(joined[: len(batch)], batch)
        assert len(joined) - len(batch) < world_size


def test_epochs_and_seeds_have_orders_of_their_own() -> None:
    def order(seed: int, epoch: int) -> list[int]:
        source = TensorBatches(torch.arange(50), batch_size=50, seed=seed)
        return next(iter(source.batches(epoch)))[0].tolist()

    assert order(0, 0) == order(0, 0)
    assert len({tuple(order(seed, epoch)) for seed in (0, 1) for epoch in (0, 1)}) == 4


def test_without_shuffling_rows_come_as_they_are() -> None:
    source = TensorBatches(torch.arange(7), batch_size=3, seed=0, shuffle=False)
    assert [batch[0].tolist() for batch in source.batches(4)] == [[0, 1, 2], [3, 4, 5]]


def test_several_tensors_stay_aligned() -> None:
    x = torch.arange(20)
    for left, right in TensorBatches(x, x * 10, batch_size=6, seed=0).batches(0):
        assert torch.equal(left * 10, right)


def test_making_and_reading_batches_leaves_the_global_generator_alone() -> None:
    state = torch.get_rng_state()
    list(TensorBatches(torch.arange(20), batch_size=6, seed=0).batches(0))
    assert torch.equal(torch.get_rng_state(), state)


def test_fewer_rows_than_a_batch_says_what_to_lower() -> None:
    with pytest.raises(RunFailed, match="10 training items, fewer than one batch of 16") as caught:
        TensorBatches(torch.arange(10), batch_size=16, seed=0)
    assert "batch_size" in str(caught.value.fix)


def test_tensors_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\[3, 4\]"):
        TensorBatches(torch.arange(3), torch.arange(4), batch_size=1, seed=0)
