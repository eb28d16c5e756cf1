"""Durations as people type and read them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labcore.record.durations import format_duration, read_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        *(("0", 0), ("90", 90), ("90s", 90), ("1.5m", 90), ("1h30m", 5400), ("2d", 172_800)),
        *(("1 H", 3600), ("10 min", 600), ("30m1h", 5400), ("1h2m3s", 3723), ("0.5m", 30)),
        *(("1:30:00", 5400), ("01:30", 90), ("1:2.5", 62.5), ("1d 2:03:04", 93_784)),
    ],
)
def test_a_duration_is_read(text: str, seconds: float) -> None:
    assert read_duration(text, "train.max_time") == seconds


@pytest.mark.parametrize("wrong", ["", "-3", "10x", "m", "1h 30q", "5 minutes", "1:2:3:4", ":"])
def test_anything_else_is_refused_with_examples(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"device\.wait=.* write it as 90s, 10m, 1h30m, 2d, 1:30"):
        read_duration(wrong, "device.wait")


@given(st.integers(10, 10**7))
def test_what_is_written_reads_back_to_its_second_unit(seconds: int) -> None:
    off_by = 3600 if seconds >= 86_400 else 60 if seconds >= 3600 else 1
    assert abs(read_duration(format_duration(seconds), "x") - seconds) < off_by


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(-1, "0.0 s"), (0.84, "0.8 s"), (42, "42 s"), (303, "5 min 3 s"), (7500, "2 h 5 min")],
)
def test_a_duration_is_written_with_its_two_largest_units(seconds: float, written: str) -> None:
    assert format_duration(seconds) == written
