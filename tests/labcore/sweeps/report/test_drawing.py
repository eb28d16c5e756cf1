"""Where the marks of a sweep's charts lie, how they are coloured, and how names are written."""

import itertools
import math
import re
import runpy
from pathlib import Path

import pytest

from labcore.report.wording import write_value
from labcore.sweeps.report import Parameter
from labcore.sweeps.report.drawing import draw
from labcore.sweeps.report.model import short_names
from labcore.sweeps.report.scales import NUM_TONES, metric_axis, parameter_scale, tones

sample_sweep = runpy.run_path(str(Path(__file__).with_name("sample_sweep.py")))["sample_sweep"]


def corners(path):
    return [(float(x), float(y)) for x, y in re.findall(r"(-?[\d.]+) (-?[\d.]+)", path)]


def test_a_decade_has_the_same_length_everywhere_on_a_logarithmic_axis():
    scale = parameter_scale(Parameter(name="lr", low=1e-4, high=0.1, log=True), [])
    places = [scale.place(value) for value in (1e-4, 1e-3, 1e-2, 1e-1)]
    steps = [b - a for a, b in itertools.pairwise(places)]
    assert steps == pytest.approx([steps[0]] * 3)
    assert 0 < places[0] < places[-1] < 1


def test_choices_are_evenly_spaced_in_the_order_of_the_file():
    scale = parameter_scale(Parameter(name="x", choices=(64, 16, "auto", None)), [])
    assert [label for _, label in scale.axis.ticks] == ["64", "16", "auto", "null"]
    assert [scale.place(v) for v in (64, 16, "auto", None)] == [0.125, 0.375, 0.625, 0.875]
    assert scale.place("other") is None


def test_a_parameter_without_bounds_is_as_wide_as_what_was_drawn():
    scale = parameter_scale(Parameter(name="x"), [3.0, -2.0, 7.0])
    assert 0 <= scale.place(-2.0) < 0.1
    assert 0.9 < scale.place(7.0) <= 1
    assert parameter_scale(Parameter(name="x"), []).axis.ticks


def test_what_is_no_number_has_no_place_on_a_scale_of_numbers():
    scale = parameter_scale(Parameter(name="x", low=0, high=1), [])
    assert [scale.place(value) for value in (True, "0.5", math.nan, None)] == [None] * 4


@pytest.mark.parametrize(("goal", "sign"), [("minimize", 1), ("maximize", -1)])
def test_a_trial_that_went_badly_wrong_does_not_press_the_others_together(goal, sign):
    values = [sign * value for value in (1.0, 1.1, 1.2, 1.3, 1.4, 5000.0)]
    scale = metric_axis(values, goal)
    good = [scale.place(value) for value in values[:5]]
    assert abs(good[-1] - good[0]) > 0.8
    assert not scale.holds(values[-1])
    assert scale.place(values[-1]) == (1.0 if sign > 0 else 0.0)


def test_a_metric_over_decades_is_logarithmic():
    scale = metric_axis([1e-6, 1e-4, 1e-2, 1.0], "maximize", far=math.inf)
    assert scale.log
    assert scale.place(0.0) == 0.0
    assert not scale.holds(-1.0)


def test_the_best_trials_have_the_first_colour_and_the_worst_the_last():
    results = sample_sweep(60)
    colours = tones(results)
    by_rank = [colours[trial.number] for trial in results.ranked()]
    assert by_rank == sorted(by_rank)
    assert (by_rank[0], by_rank[-1]) == (0, NUM_TONES - 1)
    assert max(map(by_rank.count, range(NUM_TONES))) <= math.ceil(len(by_rank) / NUM_TONES)


def test_two_trials_have_the_two_ends_of_the_colours():
    results = sample_sweep(2)
    assert sorted(tones(results).values()) == [0, NUM_TONES - 1]


@pytest.mark.parametrize("goal", ["minimize", "maximize"])
def test_on_the_last_axis_of_the_parallel_coordinates_up_is_better(goal):
    results = sample_sweep(30, goal=goal)
    lines = {line.trial: line for line in draw(results).parallel.marks}
    heights = [lines[trial.number].corners[-1][1] for trial in results.ranked()]
    assert heights == sorted(heights)
    assert heights[0] < heights[-1]


def test_a_line_passes_its_parameters_where_the_axis_says():
    results = sample_sweep(12)
    chart = draw(results).parallel
    scale = parameter_scale(results.parameters[0], [])
    for line in chart.marks:
        lr = results.trials[line.trial].values["optimizer.lr"]
        assert corners(line.path)[0] == (
            chart.columns[0].x,
            pytest.approx(chart.plot.y(scale.place(lr)), abs=0.1),
        )


def test_trials_with_the_same_choice_are_kept_apart_within_its_room():
    results = sample_sweep(60)
    chart = next(c for c in draw(results).scatters if c.title == "model")
    flat = [
        d.corners[0][0] for d in chart.marks if results.trials[d.trial].values["model"] == "flat"
    ]
    other = [
        d.corners[0][0] for d in chart.marks if results.trials[d.trial].values["model"] != "flat"
    ]
    assert len(set(flat)) > 0.9 * len(flat)
    assert max(flat) < min(other)


def test_the_line_of_the_best_so_far_only_goes_down_and_ends_at_the_best():
    results = sample_sweep(60)
    chart = draw(results).history
    heights = [float(y) for y in re.findall(r"(?:V|M[\d.]+ )([\d.]+)", chart.best)]
    assert heights == sorted(heights)  # downwards in the picture
    best = results.ranked()[0].number
    assert heights[-1] == next(m.corners[0][1] for m in chart.marks if m.trial == best)


def test_a_long_curve_is_thinned_and_keeps_its_ends():
    curve = [(log, log, 100.0 - log / 100) for log in range(1, 5001)]
    sample = sample_sweep(1)
    trial = sample.trials[0]
    fields = {name: getattr(trial, name) for name in ("number", "state", "values")}
    long = type(trial)(**fields, metric=50.0, best_metric=50.0, curve=curve)
    chart = draw(sample_sweep(1, trials=[long])).curves
    points = corners(chart.marks[0].path)
    assert len(points) <= 200
    assert points[-1][0] == pytest.approx(chart.plot.right, abs=2)
    assert points[0][0] == pytest.approx(chart.plot.left, abs=2)


def test_brackets_beyond_the_longest_trial_are_not_drawn():
    chart = draw(sample_sweep(10, brackets=(3, 9, 27, 81))).curves
    assert [logs for _, logs in chart.brackets] == [3, 9, 27]


def test_names_are_cut_to_what_tells_them_apart():
    names = short_names(["encoder.size", "decoder.size", "optimizer.lr", "model"])
    assert names == {
        "encoder.size": ("", "encoder.size"),
        "decoder.size": ("", "decoder.size"),
        "optimizer.lr": ("optimizer.", "lr"),
        "model": ("", "model"),
    }


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.006621827796955626, "0.006622"),
        (2048, "2048"),
        (True, "true"),
        (None, "null"),
        ([1, "a"], '[1, "a"]'),
        ("x" * 80, "x" * 59 + "…"),
    ],
)
def test_values_are_written_short(value, expected):
    assert write_value(value) == expected
