"""Ticks: round values inside the axis, labels that tell them apart."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labcore.report.axes import linear_axis, log_axis, step_axis


def labels(axis):
    return [label for _, label in axis.ticks]


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.6, 0.9, ["0.6", "0.7", "0.8", "0.9"]),
        (0, 10, ["0", "2", "4", "6", "8", "10"]),
        (-1, 1, ["-1.0", "-0.5", "0", "0.5", "1.0"]),
        (0, 5e-5, ["0", "1e-5", "2e-5", "3e-5", "4e-5", "5e-5"]),
        (0, 40_000, ["0", "10k", "20k", "30k", "40k"]),
        (1.2e6, 3.1e6, ["1.5M", "2M", "2.5M", "3M"]),
        (0, 4e12, ["0", "1e12", "2e12", "3e12", "4e12"]),
    ],
)
def test_ticks_are_round_numbers(low, high, expected):
    assert labels(linear_axis(low, high)) == expected


@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e9))
def test_an_axis_holds_its_values_and_its_ticks_in_order(low, span):
    axis = linear_axis(low, low + span)
    places = [place for place, _ in axis.ticks]
    assert 0 <= axis.place(low) <= axis.place(low + span) <= 1
    assert places == sorted(places)
    assert all(-1e-6 <= place <= 1 + 1e-6 for place in places)
    assert len(places) <= 12


@pytest.mark.parametrize("value", [0.0, 0.6, -3.0, 1e-9, 1e12])
def test_a_constant_lies_in_the_middle_of_an_axis_with_room(value):
    axis = linear_axis(value, value)
    assert axis.low < axis.high
    assert 0 <= axis.place(value) <= 0.6


def test_an_axis_that_almost_reaches_zero_starts_at_zero():
    assert linear_axis(0.1, 10).low == 0.0
    assert linear_axis(5, 10).low > 0.0


def test_the_ticks_of_steps_are_whole_steps():
    assert labels(step_axis(0, 3)) == ["0", "1", "2", "3"]
    assert labels(step_axis(7, 7)) == ["7", "8"]
    assert labels(step_axis(0, 6_000)) == ["0", "1k", "2k", "3k", "4k", "5k", "6k"]


def test_a_logarithmic_axis_has_powers_of_ten_or_finer_when_there_are_few():
    assert labels(log_axis(1e-3, 1e3)) == ["0.001", "0.01", "0.1", "1", "10", "100", "1k"]
    assert labels(log_axis(1, 30)) == ["1", "3", "10", "30"]
    assert labels(log_axis(0.42, 0.58)) == ["0.45", "0.50", "0.55"]


@given(st.floats(-10, 10), st.floats(0.01, 18))
def test_a_logarithmic_axis_places_values_at_their_logarithm(exponent, span):
    low, high = 10**exponent, 10 ** (exponent + span)
    axis = log_axis(low, high)
    middle = math.sqrt(low) * math.sqrt(high)
    assert axis.place(middle) == pytest.approx(0.5, abs=1e-6)
    assert 1 <= len(axis.ticks) <= 16
    assert all(-1e-6 <= place <= 1 + 1e-6 for place, _ in axis.ticks)


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-1, 1), (2, 2)])
def test_there_is_no_logarithmic_axis_for_what_is_not_positive_or_does_not_vary(low, high):
    assert log_axis(low, high) is None
