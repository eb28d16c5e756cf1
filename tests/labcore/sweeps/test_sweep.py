"""What a sweep gives out: points of its grid, and which metric is better."""

import itertools
import math

import pytest

from labcore.sweeps.sweep import Metric


@pytest.fixture
def grid(read):
    return read(
        {
            "method": "grid",
            "parameters": {
                "b": {"values": ["x", "y", "x"]},
                "a": {"parameters": {"n": {"min": 1, "max": 3}, "c": {"value": None}}},
                "q": {"distribution": "q_uniform", "min": 0, "max": 1, "q": 0.5},
            },
        }
    )


def test_a_grid_has_every_combination_once_the_last_parameter_fastest(grid):
    assert grid.grid_size == 2 * 3 * 1 * 3
    points = [tuple(grid.grid_point(i).values()) for i in range(grid.grid_size)]
    assert points == list(itertools.product("xy", [1, 2, 3], [None], [0.0, 0.5, 1.0]))
    assert list(grid.grid_point(0)) == ["b", "a.n", "a.c", "q"]


def test_other_methods_have_no_grid(read):
    sweep = read({"method": "random", "parameters": {"a": {"values": [1, 2]}}})
    assert sweep.grid_size is None


def test_a_metric_knows_which_way_is_better():
    low, high = Metric(name="loss"), Metric(name="auc", goal="maximize")
    assert low.is_better(1, 2)
    assert not low.is_better(2, 2)
    assert high.is_better(2, 1)


def test_a_target_is_reached_at_it_or_past_it():
    low, high = Metric(name="x", target=1), Metric(name="x", goal="maximize", target=1)
    assert [low.is_reached(x) for x in (0.5, 1, 1.5, math.nan)] == [True, True, False, False]
    assert [high.is_reached(x) for x in (0.5, 1, 1.5, math.nan)] == [False, True, True, False]
    assert not Metric(name="x").is_reached(-math.inf)
