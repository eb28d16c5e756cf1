"""How figures are written for people."""

import pytest

from labcore.hooks.console.figures import clock, figure, speed


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00:00"), (83.4, "0:01:23"), (59.7, "0:01:00"), (93784, "1 day, 2:03:04")],
)
def test_durations_are_written_as_a_clock_shows_them(seconds, text):
    assert clock(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.71234, "0.7123"),
        (3.14159, "3.142"),
        (31.2249, "31.22"),
        (312.249, "312.2"),
        (12345.6, "12,346"),
        (40.0, "40"),
        (0.0, "0"),
        (-0.5, "-0.5000"),
        (0.00012345, "1.23e-04"),
        (2.5e7, "2.50e+07"),
        (float("nan"), "nan"),
        (float("inf"), "inf"),
    ],
)
def test_values_have_about_four_digits(value, text):
    assert figure(value) == text


def test_slow_training_is_told_in_seconds_a_step():
    assert speed(23.84) == "23.8 steps/s"
    assert speed(0.25) == "4.0 s/step"
