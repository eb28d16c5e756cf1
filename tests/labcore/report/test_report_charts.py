"""Charts: which series share one, and where their lines run."""

import math
import re

from labcore.report.charts import PLOT, group_charts
from labcore.report.metrics import Series


def series(phase, name, values, first=0):
    steps = list(range(first, first + len(values)))
    return Series(phase=phase, name=name, steps=steps, values=values)


def corners(path):
    return [tuple(map(float, pair.split())) for pair in re.findall(r"[\d.]+ [\d.]+", path)]


def test_training_and_validation_of_a_name_share_a_chart():
    group = group_charts(
        [
            series("train", "loss", [3, 2]),
            series("train", "lr", [1, 1]),
            series("val", "loss", [4, 3]),
        ],
        prefix="c",
    )
    assert [(c.title, [line.label for line in c.lines]) for c in group.charts] == [
        ("loss", ["train", "val"]),
        ("lr", ["train"]),
    ]


def test_charts_of_what_never_changes_come_last():
    shapes = [series("taps", f"shape/{n}", [64, 64]) for n in range(27)]
    group = group_charts([*shapes, series("taps", "mean", [0.1, 0.2])], prefix="tap")
    assert group.charts[0].title == "mean"
    assert len(group.charts) == 28


def test_a_line_runs_from_its_first_to_its_last_value():
    (chart,) = group_charts([series("train", "x", [0.0, 5.0, 10.0])], prefix="c").charts
    start, middle, end = corners(chart.lines[0].path)
    assert (start[0], end[0]) == (PLOT.left, PLOT.right)
    assert start[1] == PLOT.bottom
    assert middle == (
        round((start[0] + end[0]) / 2, 1),
        round((start[1] + end[1]) / 2, 1),
    )
    assert PLOT.top < end[1] < middle[1]


def test_every_corner_lies_in_the_plot_and_there_are_few():
    noisy = [math.sin(i) * i for i in range(30_000)]
    (chart,) = group_charts([series("train", "x", noisy)], prefix="c").charts
    line = chart.lines[0]
    points = corners(line.path + line.band)
    assert len(points) <= 600
    assert all(PLOT.left <= x <= PLOT.right and PLOT.top <= y <= PLOT.bottom for x, y in points)


def test_a_line_breaks_where_values_are_not_finite_and_their_number_is_told():
    (chart,) = group_charts([series("train", "x", [1, 2, math.nan, 3, 4])], prefix="c").charts
    assert chart.lines[0].path.count("M") == 2
    assert chart.lines[0].num_missing == 1


def test_all_charts_of_a_group_have_the_same_steps():
    a, b = group_charts(
        [series("train", "a", [1, 2]), series("train", "b", [1, 2, 3], first=50)], prefix="c"
    ).charts
    assert a.data["x"] == b.data["x"] == [0, 52]


def test_a_logarithmic_scale_is_offered_only_for_positive_values():
    positive, negative = group_charts(
        [series("train", "a", [1, 20]), series("train", "b", [-1, 20])], prefix="c"
    ).charts
    assert positive.log_axis
    assert negative.data["log"] is None


def test_a_value_recorded_once_is_no_chart():
    group = group_charts(
        [series("perf", "peak", [812.5]), series("perf", "all nan", [math.nan])], prefix="c"
    )
    assert not group.charts
    assert [row[:2] for row in group.single] == [("peak", "812.5"), ("all nan", "not a number")]


def test_thousands_of_series_give_a_page_that_can_be_opened():
    group = group_charts([series("taps", f"l{i}", [1, 2]) for i in range(500)], prefix="c")
    assert len(group.charts) + group.num_left_out == 500
    assert len(group.charts) <= 100
