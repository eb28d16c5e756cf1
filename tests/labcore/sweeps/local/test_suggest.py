"""Suggestions: typed, inside their distributions, and the same after a resume."""

import math
import random
import statistics
from pathlib import Path

import pytest

from labcore.sweeps.local.record import Record
from labcore.sweeps.local.suggest import Suggester

pytestmark = pytest.mark.ml
pytest.importorskip("optuna", reason="the samplers are Optuna's")

EVERYTHING = {
    "fixed": {"value": [1, 2]},
    "choice": {"values": ["a", None, True, 1, [1, 2]]},
    "weighted": {"values": ["rare", "common"], "probabilities": [0.1, 0.9]},
    "whole": {"min": 1, "max": 5},
    "real": {"min": 0.0, "max": 1.0},
    "log": {"distribution": "log_uniform_values", "min": 1e-5, "max": 1e-1},
    "exponent": {"distribution": "log_uniform", "min": -3.0, "max": 0.0},
    "step": {"distribution": "q_uniform", "min": 8, "max": 64, "q": 8},
    "fine": {"distribution": "q_uniform", "min": 0.0, "max": 1.0, "q": 0.25},
    "bell": {"distribution": "normal", "mu": 5.0, "sigma": 2.0},
    "lognormal": {"distribution": "q_log_normal", "mu": 1.0, "sigma": 1.0, "q": 1},
}


def sweep_of(read, method="random", parameters=None, goal="minimize"):
    return read(
        {
            "method": method,
            "metric": {"name": "loss", "goal": goal},
            "parameters": parameters or EVERYTHING,
        }
    )


def ended(number, suggestion, value, outcome="completed", history=None):
    return Record(
        number=number,
        values=suggestion.values,
        params=suggestion.params,
        folder=Path("x"),
        created=0.0,
        outcome=outcome,
        value=value,
        history=[value] if history is None else history,
    )


def search(suggester, function, count):
    """Runs trials one after the other."""
    records = []
    for number in range(count):
        suggestion = suggester.suggest(number, records)
        records.append(ended(number, suggestion, function(suggestion.values)))
    return records


def check(values):
    assert values["fixed"] == [1, 2]
    assert any(
        type(values["choice"]) is type(each) and values["choice"] == each
        for each in ["a", None, True, 1, [1, 2]]
    )
    assert values["weighted"] in {"rare", "common"}
    assert type(values["whole"]) is int
    assert 1 <= values["whole"] <= 5
    assert 0 <= values["real"] <= 1
    assert 1e-5 <= values["log"] <= 1e-1
    assert math.exp(-3) <= values["exponent"] <= 1
    assert values["step"] in range(8, 65, 8)
    assert type(values["step"]) is int
    assert values["fine"] in {0, 0.25, 0.5, 0.75, 1}
    assert values["lognormal"] == int(values["lognormal"])


@pytest.mark.parametrize("method", ["random", "bayes"])
@pytest.mark.parametrize("sampler", ["tpe", "gp"])
def test_every_distribution_gives_values_of_its_own(read, method, sampler):
    if sampler == "gp":
        pytest.importorskip("torch", reason="the Gaussian process needs torch")
        pytest.importorskip("scipy", reason="the Gaussian process needs scipy")
    suggester = Suggester(sweep_of(read, method), sampler=sampler)
    for record in search(suggester, lambda values: values["real"], 14):
        check(record.values)


def test_random_values_follow_their_distribution(read):
    suggester = Suggester(sweep_of(read))
    drawn = [suggester.suggest(number, []).values for number in range(600)]
    assert abs(statistics.mean(each["bell"] for each in drawn) - 5) < 0.3
    assert abs(statistics.stdev(each["bell"] for each in drawn) - 2) < 0.25
    assert 30 < sum(each["weighted"] == "rare" for each in drawn) < 95
    logs = [math.log10(each["log"]) for each in drawn]
    assert abs(statistics.median(logs) + 3) < 0.25


def test_a_grid_gives_each_point_once_in_the_order_of_the_file(read):
    parameters = {"a": {"values": ["x", "y"]}, "b": {"values": [1, 2, 3]}, "c": {"value": 9}}
    suggester = Suggester(sweep_of(read, "grid", parameters))
    points = [suggester.suggest(number, []).values for number in range(6)]
    assert [(each["a"], each["b"], each["c"]) for each in points] == [
        ("x", 1, 9),
        ("x", 2, 9),
        ("x", 3, 9),
        ("y", 1, 9),
        ("y", 2, 9),
        ("y", 3, 9),
    ]


@pytest.mark.parametrize("method", ["random", "bayes"])
def test_a_resumed_sweep_suggests_what_it_would_have(read, method):
    sweep = sweep_of(read, method)
    records = search(Suggester(sweep, seed=3), lambda values: values["real"], 15)
    for number in (4, 14):
        again = Suggester(sweep, seed=3).suggest(number, records[:number])
        assert again.values == records[number].values
    other = Suggester(sweep, seed=4).suggest(4, records[:4])
    assert other.values != records[4].values


@pytest.mark.parametrize("goal", ["minimize", "maximize"])
def test_bayes_finds_a_better_value_than_chance(read, goal):
    parameters = {name: {"min": 0.0, "max": 1.0} for name in ("a", "b")}
    sign = 1 if goal == "minimize" else -1

    def function(values):
        return sign * ((values["a"] - 0.2) ** 2 + (values["b"] - 0.7) ** 2)

    def best(method, seed):
        suggester = Suggester(sweep_of(read, method, parameters, goal), seed=seed)
        return min(sign * each.value for each in search(suggester, function, 40))

    bayes = statistics.median(best("bayes", seed) for seed in range(5))
    chance = statistics.median(best("random", seed) for seed in range(5))
    assert bayes < chance


def test_trials_under_way_are_not_suggested_again(read):
    parameters = {"a": {"min": 0.0, "max": 1.0}}
    suggester = Suggester(sweep_of(read, "bayes", parameters))
    records = search(suggester, lambda values: (values["a"] - 0.5) ** 2, 12)
    together = []
    for number in range(12, 16):
        suggestion = suggester.suggest(number, [*records, *together])
        together.append(ended(number, suggestion, None, outcome="", history=[]))
    values = [each.values["a"] for each in together]
    assert len({round(value, 6) for value in values}) == 4


@pytest.mark.parametrize("sampler", ["tpe", "gp"])
def test_a_region_where_trials_diverge_or_are_stopped_is_left(read, sampler):
    if sampler == "gp":
        pytest.importorskip("torch", reason="the Gaussian process needs torch")
        pytest.importorskip("scipy", reason="the Gaussian process needs scipy")
    parameters = {"a": {"min": 0.0, "max": 1.0}}
    suggester = Suggester(sweep_of(read, "bayes", parameters), sampler=sampler)
    rng, records = random.Random(0), []
    for number in range(24):
        a = rng.random()
        suggestion = type(suggester.suggest(0, []))(values={"a": a}, params={"a": a})
        outcome = "completed" if a < 0.4 else "diverged" if number % 2 else "stopped early"
        value = a if a < 0.4 else 5.0
        history = [math.nan] if outcome == "diverged" else [value]
        records.append(ended(number, suggestion, value, outcome, history))
    drawn = [suggester.suggest(24 + at, records).values["a"] for at in range(8)]
    assert statistics.median(drawn) < 0.4


def test_failed_trials_teach_nothing(read):
    parameters = {"a": {"min": 0.0, "max": 1.0}}
    suggester = Suggester(sweep_of(read, "bayes", parameters))
    failed = [ended(n, suggester.suggest(n, []), None, "failed", []) for n in range(20)]
    chance = Suggester(sweep_of(read, "random", parameters)).suggest(20, [])
    assert suggester.suggest(20, failed).values == chance.values
