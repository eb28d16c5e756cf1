"""Importance: known functions give known orders, and too little to tell is said."""

import dataclasses
import importlib.util
from random import Random

import pytest

from labcore.sweeps.report import Parameter, TrialRow
from labcore.sweeps.report.importance import LEAST_TRIALS, measure_importance, rank_correlation

PARAMETERS = [
    *(Parameter(name=name) for name in ("strong", "weak", "choice")),
    Parameter(name="nothing", log=True),
]


def observe(count: int, *, seed: int = 0) -> list[TrialRow]:
    rng = Random(seed)
    seen = []
    for number in range(count):
        values = {
            "strong": rng.random(),
            "weak": rng.random(),
            "choice": rng.choice(["a", None, [1, 2]]),
            "nothing": 10 ** -rng.uniform(1, 4),
        }
        score = 10 * values["strong"] - 1.0 * values["weak"] + 4 * (values["choice"] == "a")
        seen.append(TrialRow(number=number, state="completed", values=values, best_metric=score))
    return seen


@pytest.mark.ml
@pytest.mark.parametrize("goal", ["minimize", "maximize"])
def test_what_decides_comes_first_and_what_does_nothing_comes_to_nothing(goal):
    pytest.importorskip("optuna", reason="needs Optuna: pip install optuna")
    found = measure_importance(observe(200), PARAMETERS, goal)
    assert found.reason == ""
    assert next(iter(found.shares)) == "strong"
    assert found.shares["choice"] > found.shares["nothing"]
    assert found.shares["nothing"] < 0.1
    assert sum(found.shares.values()) == pytest.approx(1)
    assert list(found.shares.values()) == sorted(found.shares.values(), reverse=True)


@pytest.mark.ml
def test_measuring_is_silent_and_leaves_the_verbosity_as_it_was(capfd):
    optuna = pytest.importorskip("optuna", reason="needs Optuna: pip install optuna")
    before = optuna.logging.get_verbosity()
    measure_importance(observe(40), PARAMETERS, "minimize")
    assert optuna.logging.get_verbosity() == before
    assert capfd.readouterr().err == ""


def test_few_trials_tell_a_direction_but_no_share():
    found = measure_importance(observe(LEAST_TRIALS - 1), PARAMETERS, "minimize")
    assert found.shares == {}
    assert found.reason.endswith("there are 19.")
    assert found.correlations["strong"] > 0.5
    assert "choice" not in found.correlations


def test_equal_trials_and_sweeps_without_a_parameter_say_so():
    alike = [dataclasses.replace(trial, best_metric=1.0) for trial in observe(30)]
    assert (
        measure_importance(alike, PARAMETERS, "minimize").reason == "All trials are equally good."
    )
    assert measure_importance(alike, [], "minimize").reason == "No parameter varies."


def test_without_optuna_the_user_is_told_what_to_install(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    found = measure_importance(observe(30), PARAMETERS, "minimize")
    assert "pip install optuna" in found.reason
    assert found.correlations["strong"] > 0.5


@pytest.mark.parametrize(
    ("values", "scores", "expected"),
    [
        ([1, 2, 3, 4], [1, 10, 100, 1000], 1.0),
        ([1, 2, 3, 4], [9, 5, 1, 0], -1.0),
        # By hand: ranks 1 2 3 4 5 and 2 1 4 3 5, so 1 - 6 * 4 / (5 * 24) = 0.8.
        ([1, 2, 3, 4, 5], [20, 10, 40, 30, 50], 0.8),
        # Ties share their mean rank: 1.5 1.5 3 and 1 2 3 give 1.5 / sqrt(1.5 * 2).
        ([7, 7, 8], [1, 2, 3], 1.5 / (1.5 * 2) ** 0.5),
        ([1, 1, 1], [1, 2, 3], None),
    ],
)
def test_the_rank_correlation_is_spearmans(values, scores, expected):
    found = rank_correlation(values, scores)
    assert found is None if expected is None else found == pytest.approx(expected)
