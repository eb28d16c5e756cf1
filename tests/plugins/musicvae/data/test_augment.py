import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

torch = pytest.importorskip("torch", reason="needs torch: pip install 'unified-ml-lab[musicvae]'")

from plugins.musicvae.data import random_transpose, transpose  # noqa: E402  # after the skip


def by_hand(row: list[int], shift: int) -> list[int]:
    notes = [token for token in row if token < 128]
    if not notes:
        return row
    shift = min(max(shift, -min(notes)), 127 - max(notes))
    return [token + shift if token < 128 else token for token in row]


@given(
    arrays(np.uint8, (4, 6), elements=st.integers(0, 129)),
    arrays(np.int64, 4, elements=st.integers(-140, 140)),
    st.sampled_from([torch.uint8, torch.int64]),
)
def test_transposing_a_batch_agrees_with_one_row_at_a_time(
    tokens: np.ndarray, shift: np.ndarray, dtype: "torch.dtype"
) -> None:
    batch = torch.from_numpy(tokens.copy()).to(dtype)

    moved = transpose(batch, torch.from_numpy(shift.copy()))

    assert moved.dtype == dtype
    assert moved.tolist() == [
        by_hand(row, by) for row, by in zip(tokens.tolist(), shift.tolist(), strict=True)
    ]


def test_random_transposition_reaches_every_shift_and_no_other() -> None:
    torch.manual_seed(0)
    tokens = torch.full((500, 1), 60, dtype=torch.uint8)

    moved = random_transpose(tokens, 3)

    assert sorted(set(moved.flatten().tolist())) == [57, 58, 59, 60, 61, 62, 63]


def test_no_transposition_draws_no_random_number() -> None:
    state = torch.get_rng_state()
    tokens = torch.full((5, 1), 60)

    assert random_transpose(tokens, 0) is tokens
    assert torch.equal(torch.get_rng_state(), state)
