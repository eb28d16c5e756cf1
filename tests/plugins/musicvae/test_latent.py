"""Properties of spherical interpolation."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from plugins.musicvae.latent import slerp

COORDINATES = st.floats(-100, 100, allow_nan=False)
PAIRS = st.integers(1, 8).flatmap(
    lambda size: st.tuples(*[st.lists(COORDINATES, min_size=size, max_size=size)] * 2)
)


def code(values):
    return torch.tensor(values, dtype=torch.float64)


@settings(max_examples=100, deadline=None)
@given(pair=PAIRS)
def test_it_starts_and_ends_at_the_codes(pair):
    start, end = map(code, pair)
    path = slerp(start, end, torch.tensor([0.0, 1.0]))
    torch.testing.assert_close(path, torch.stack([start, end]), rtol=1e-9, atol=1e-9)


@settings(max_examples=100, deadline=None)
@given(pair=PAIRS, alpha=st.floats(0, 1))
def test_it_is_always_finite(pair, alpha):
    assert slerp(*map(code, pair), torch.tensor([alpha])).isfinite().all()


@settings(max_examples=100, deadline=None)
@given(pair=PAIRS, alpha=st.floats(0, 1))
def test_between_codes_of_one_length_every_point_has_that_length(pair, alpha):
    start, end = map(code, pair)
    if start.norm() == 0 or end.norm() == 0:
        return
    start, end = start / start.norm(), end / end.norm()
    if (start + end).norm() < 1e-3:  # nearly opposite: the straight line through 0
        return
    point = slerp(start, end, torch.tensor([alpha]))
    torch.testing.assert_close(point.norm(), code(1.0), rtol=0, atol=1e-9)


def test_equal_steps_of_alpha_are_equal_angles():
    path = slerp(code([1.0, 0.0]), code([0.0, 1.0]), torch.linspace(0, 1, 4))
    angles = torch.atan2(path[:, 1], path[:, 0]) * 180 / math.pi
    torch.testing.assert_close(angles, code([0.0, 30.0, 60.0, 90.0]))


@pytest.mark.parametrize(
    ("start", "end"),
    [([1.0, 2.0], [1.0, 2.0]), ([1.0, 2.0], [-1.0, -2.0]), ([0.0, 0.0], [3.0, 4.0])],
    ids=["equal", "opposite", "zero"],
)
def test_where_the_arc_is_undefined_it_is_the_straight_line(start, end):
    alphas = torch.linspace(0, 1, 5)
    start, end = code(start), code(end)
    line = torch.stack([(1 - a) * start + a * end for a in alphas.double()])
    torch.testing.assert_close(slerp(start, end, alphas), line)


@pytest.mark.parametrize("gap", [1e-3, 1e-5, 1e-7, 0.0])
@pytest.mark.parametrize("around", [0.0, math.pi])
def test_there_is_no_jump_close_to_equal_and_opposite_codes(gap, around):
    torch.manual_seed(0)
    start = torch.randn(64)
    across = torch.randn(64)
    across -= start * (across @ start) / (start @ start)
    across *= start.norm() / across.norm()
    end = start * math.cos(around + gap) + across * math.sin(around + gap)
    path = slerp(start, end, torch.linspace(0, 1, 101))
    longest = (path[1:] - path[:-1]).norm(dim=1).max()
    assert path.isfinite().all()
    assert longest <= 1.02 * max(start.norm() * math.pi / 100, (end - start).norm() / 100)


def test_the_precision_of_the_codes_is_kept():
    assert slerp(torch.ones(3), torch.eye(3)[0], torch.tensor([0.5])).dtype == torch.float32
