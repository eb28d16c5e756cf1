"""What a sweep gives out: points of its grid, draws, values from a server's config."""

import itertools
import math
from random import Random

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


def test_past_the_end_of_a_grid_there_is_nothing(grid):
    with pytest.raises(IndexError, match="past the end of the grid"):
        grid.grid_point(grid.grid_size)


def test_other_methods_have_no_grid(read):
    sweep = read({"method": "random", "parameters": {"a": {"values": [1, 2]}}})
    assert sweep.grid_size is None


def test_a_draw_has_every_parameter_and_depends_on_the_seed_alone(read):
    sweep = read(
        {
            "method": "random",
            "parameters": {
                "a": {"min": 0.0, "max": 1.0},
                "b": {"value": 3},
                "c": {"min": 1, "max": 9},
            },
        }
    )
    draw = sweep.sample(Random(4))
    assert list(draw) == ["a", "b", "c"]
    assert draw == sweep.sample(Random(4))
    assert draw["a"] != sweep.sample(Random(5))["a"]


def test_values_are_found_however_a_server_nests_them(read):
    sweep = read(
        {
            "method": "random",
            "parameters": {
                "optimizer": {"parameters": {"lr": {"min": 0.1, "max": 1}, "b.c": {"value": 2}}},
                "model.width": {"values": [1, 2]},
                "model": {"values": ["flat"]},
                "gone": {"value": 1},
            },
        }
    )
    config = {
        "optimizer": {"lr": 0.3, "b.c": 2},
        "model.width": 2,
        "model": "flat",
        "other": 5,
        "_wandb": {},
    }
    assert sweep.flatten(config) == {
        "optimizer.lr": 0.3,
        "optimizer.b.c": 2,
        "model.width": 2,
        "model": "flat",
    }
    nested = {"optimizer": {"b": {"c": 2}}, "model": {"width": 2}}
    assert sweep.flatten(nested)["model.width"] == 2
    assert sweep.flatten(nested)["optimizer.b.c"] == 2


def test_a_metric_knows_which_way_is_better():
    low, high = Metric(name="loss"), Metric(name="auc", goal="maximize")
    assert low.is_better(1, 2)
    assert not low.is_better(2, 2)
    assert high.is_better(2, 1)
    for metric in (low, high):
        assert metric.is_better(1, math.nan)
        assert not metric.is_better(math.nan, 1)
        assert not metric.is_better(math.nan, math.nan)


def test_a_target_is_reached_at_it_or_past_it():
    low, high = Metric(name="x", target=1), Metric(name="x", goal="maximize", target=1)
    assert [low.is_reached(x) for x in (0.5, 1, 1.5, math.nan)] == [True, True, False, False]
    assert [high.is_reached(x) for x in (0.5, 1, 1.5, math.nan)] == [False, True, True, False]
    assert not Metric(name="x").is_reached(-math.inf)
