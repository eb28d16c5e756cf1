"""The figures of a tensor against NumPy."""

import numpy as np
import pytest
import torch

from labcore.hooks.taps.statistics import NUM_BINS, STATISTICS, histogram, statistics


@pytest.mark.parametrize("shape", [(1,), (1000,), (8, 3, 5)])
def test_statistics_are_those_of_numpy(shape):
    values = torch.randn(shape) * 3 + 1
    values[torch.rand(shape) < 0.2] = 0
    array = values.double().numpy()
    expected = {
        "mean": array.mean(),
        "std": array.std(),
        "min": array.min(),
        "max": array.max(),
        "rms": np.sqrt((array**2).mean()),
        "zeros": (array == 0).mean(),
        "nans": 0,
    }
    got = dict(zip(STATISTICS, statistics(values).tolist(), strict=True))
    assert got == pytest.approx(expected, rel=1e-5, abs=1e-6)


def test_nans_are_counted():
    values = torch.tensor([1.0, float("nan"), float("nan"), 0.0])
    got = dict(zip(STATISTICS, statistics(values).tolist(), strict=True))
    assert got["nans"] == 2
    assert got["zeros"] == 0.25
    assert np.isnan(got["mean"])


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.int64, torch.bool, torch.complex64])
def test_every_dtype_has_statistics(dtype):
    values = torch.tensor([0, 1, 1, 1]).to(dtype)
    assert statistics(values)[0].item() == pytest.approx(0.75)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4])
def test_histograms_are_those_of_numpy(scale):
    # Multiples of a power of two away from the edges, so that rounding cannot move a value.
    values = (torch.randint(0, NUM_BINS, (5000,)).double() + 0.5) / NUM_BINS
    values = torch.cat([torch.tensor([0.0, 1.0]).double(), values]) * scale
    counts, edges = np.histogram(values.numpy(), bins=NUM_BINS)
    got = histogram(values.float())
    assert got.counts.tolist() == counts.tolist()
    assert got.bounds.tolist() == pytest.approx([edges[0], edges[-1]])


def test_values_that_are_not_finite_are_left_out_of_the_histogram():
    got = histogram(torch.tensor([0.0, float("inf"), float("nan"), 1.0, -float("inf")]))
    assert got.counts.sum().item() == 2
    assert got.bounds.tolist() == [0.0, 1.0]


def test_equal_values_fall_into_one_bin():
    got = histogram(torch.full((7,), 3.0))
    assert got.counts.sum().item() == 7
    assert got.counts.max().item() == 7
