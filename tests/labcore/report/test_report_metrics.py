"""Reading metrics.jsonl and thinning its series."""

import json
import math
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labcore.report.metrics import Series, downsample, mean_of, read_metrics


def write(path: Path, *records: object) -> Path:
    lines = [r if isinstance(r, str) else json.dumps(r) for r in records]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def record(step: int, phase: str = "train", **values: float | None) -> dict[str, object]:
    return {"step": step, "phase": phase, "time": 0.0, "values": values}


def series(values: list[float]) -> Series:
    return Series(phase="train", name="loss", steps=list(range(len(values))), values=values)


def test_each_name_of_each_phase_is_a_series_in_the_order_of_appearance(tmp_path):
    path = write(
        tmp_path / "m", record(1, b=1, a=2), record(1, "val", a=3), record(2, b=4, a=5), ""
    )
    found = read_metrics(path)
    assert [(s.phase, s.name, s.steps, s.values) for s in found.series] == [
        ("train", "b", [1, 2], [1.0, 4.0]),
        ("train", "a", [1, 2], [2.0, 5.0]),
        ("val", "a", [1], [3.0]),
    ]
    assert found.num_bad_lines == 0


def test_a_missing_file_has_no_series(tmp_path):
    assert read_metrics(tmp_path / "none").series == []


@pytest.mark.parametrize(
    "bad",
    [
        '{"step": 2, "phase": "tr',
        "[]",
        "null",
        '{"step": "2", "phase": "train", "values": {}}',
        "\x00",
    ],
)
def test_a_line_that_is_no_record_is_counted_and_the_others_are_kept(tmp_path, bad):
    found = read_metrics(write(tmp_path / "m", record(1, a=1), bad, record(3, a=3)))
    assert found.series[0].steps == [1, 3]
    assert found.num_bad_lines == 1


def test_a_torn_last_line_loses_only_itself(tmp_path):
    path = write(tmp_path / "m", *(record(step, a=step) for step in range(4_500)))
    path.write_bytes(path.read_bytes()[:-7])
    found = read_metrics(path)
    assert len(found.series[0].steps) == 4_499
    assert found.num_bad_lines == 1


def test_of_two_values_at_a_step_the_later_line_counts(tmp_path):
    found = read_metrics(
        write(tmp_path / "m", *(record(s, a=v) for s, v in [(1, 1), (2, 2), (3, 3), (2, 9)]))
    )
    assert (found.series[0].steps, found.series[0].values) == ([1, 2, 3], [1.0, 9.0, 3.0])


def test_what_is_not_a_finite_number_becomes_nan(tmp_path):
    values = '{"a": null, "b": NaN, "c": "x", "d": 1e999, "e": 7}'
    line = f'{{"step": 1, "phase": "train", "values": {values}}}'
    last = {s.name: s.last for s in read_metrics(write(tmp_path / "m", line)).series}
    assert last.pop("e") == 7.0
    assert all(math.isnan(value) for value in last.values())


def test_a_short_series_is_kept_as_it_is():
    points = downsample(series([3.0, 1.0, math.nan, 2.0]), num_buckets=2)
    assert points == [(0, 3.0, 3.0, 3.0), (1, 1.0, 1.0, 1.0), None, (3, 2.0, 2.0, 2.0)]


@given(
    st.lists(st.floats(-1e6, 1e6) | st.just(math.nan), min_size=11, max_size=300),
    st.integers(1, 5),
)
def test_thinning_keeps_the_extremes_and_the_order(values, num_buckets):
    points = downsample(series(values), num_buckets=num_buckets)
    kept = [point for point in points if point is not None]
    finite = [value for value in values if not math.isnan(value)]
    assert len(points) <= num_buckets
    assert min((p.low for p in kept), default=None) == min(finite, default=None)
    assert max((p.high for p in kept), default=None) == max(finite, default=None)
    assert all(p.low <= p.mean <= p.high for p in kept)
    assert [p.step for p in kept] == sorted({p.step for p in kept})


def test_each_bucket_is_what_a_loop_over_its_steps_finds():
    chance = random.Random(1)
    steps = sorted(chance.sample(range(5_000), 1_000))
    values = [chance.gauss(0, 1) for _ in steps]
    points = downsample(Series(phase="t", name="n", steps=steps, values=values), num_buckets=100)
    width = (steps[-1] - steps[0] + 1) / 100
    buckets: dict[int, list[float]] = {}
    for step, value in zip(steps, values, strict=True):
        buckets.setdefault(int((step - steps[0]) / width), []).append(value)
    expected = [(sum(b) / len(b), min(b), max(b)) for b in buckets.values()]
    assert [p[1:] for p in points] == [pytest.approx(row) for row in expected]


def test_a_spike_of_one_step_among_many_still_shows():
    values = [1.0] * 10_000
    values[5_432] = 50.0
    assert max(point.high for point in downsample(series(values)) if point) == 50.0


def test_a_mean_of_series_takes_at_each_step_what_is_there_and_finite():
    one, two = series([1.0, 2.0, math.nan]), series([3.0, math.nan])
    mean = mean_of([one, two], "group", "val/loss")
    assert mean.full_name == "group/val/loss"
    assert mean.steps == [0, 1, 2]
    assert mean.values[:2] == [2.0, 2.0]
    assert mean.spans[:2] == [(1.0, 3.0), (2.0, 2.0)]
    assert math.isnan(mean.values[2])
    assert downsample(mean)[2] is None


def test_the_span_of_a_mean_outlives_its_thinning():
    flat, spiky = [1.0] * 5_000, [1.0] * 5_000
    spiky[2_345] = 9.0
    points = [p for p in downsample(mean_of([series(flat), series(spiky)], "g", "x")) if p]
    assert len(points) <= 200
    assert max(point.high for point in points) == 9.0
    assert max(point.mean for point in points) < 2.0
