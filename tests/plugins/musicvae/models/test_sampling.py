"""Drawing tokens by inversion, and feeding draws back."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from plugins.musicvae.models.sampling import draw_tokens, roll_out


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_draws_follow_the_softmax_at_the_temperature(temperature):
    logits = torch.tensor([2.0, 0.0, 1.0, -1.0])
    num_draws = 40_000
    uniforms = torch.rand(num_draws, generator=torch.Generator().manual_seed(0))
    drawn = draw_tokens(logits.expand(num_draws, -1), uniforms, temperature)
    shares = drawn.bincount(minlength=4) / num_draws
    torch.testing.assert_close(shares, (logits / temperature).softmax(0), rtol=0, atol=0.01)


@settings(max_examples=60, deadline=None)
@given(
    logits=st.lists(st.floats(-60, 60, width=32), min_size=1, max_size=130),
    uniform=st.floats(0, 1, exclude_max=True, width=32),
    temperature=st.floats(0.05, 3),
)
def test_a_draw_is_always_a_class_that_has_a_probability(logits, uniform, temperature):
    row = torch.tensor([logits])
    drawn = draw_tokens(row, torch.tensor([uniform]), temperature)
    assert (row / temperature).softmax(-1)[0, drawn.item()] > 0


def test_the_largest_uniform_number_never_reaches_past_the_last_class():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(5_000, 130, generator=generator)
    drawn = draw_tokens(logits, torch.full((5_000,), 1 - 2**-24))
    assert drawn.max() < 130


def test_temperature_zero_takes_the_most_probable_class():
    logits = torch.tensor([[0.0, 3.0, 1.0], [5.0, 3.0, 1.0]])
    assert draw_tokens(logits, torch.tensor([0.99, 0.99]), 0).tolist() == [1, 0]


def test_a_draw_does_not_depend_on_the_rows_beside_it():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(50, 130, generator=generator)
    uniforms = torch.rand(50, generator=generator)
    together = draw_tokens(logits, uniforms)
    alone = [draw_tokens(logits[r : r + 1], uniforms[r : r + 1]).item() for r in range(50)]
    assert together.tolist() == alone


def count_up(fed):
    """A "decoder" that is certain of the class after the one it reads, modulo 10."""
    return torch.eye(10)[(fed + 1) % 10] * 100


def test_own_draws_are_fed_where_the_mask_says_and_the_truth_elsewhere():
    inputs = torch.tensor([[0, 0], [5, 5], [5, 5], [5, 5]])
    own = torch.tensor([[True, True], [True, False], [False, True], [True, True]])
    drawn = roll_out(count_up, inputs, own, torch.full((4, 2), 0.5))
    assert drawn.t().tolist() == [[1, 2, 6, 7], [1, 6, 7, 8]]


def test_without_a_mask_every_step_but_the_first_reads_the_draw_before_it():
    drawn = roll_out(count_up, torch.tensor([[3, 7]]), None, torch.full((5, 2), 0.5))
    assert drawn.t().tolist() == [[4, 5, 6, 7, 8], [8, 9, 0, 1, 2]]
