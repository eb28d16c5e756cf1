"""Draws against closed forms: cumulative distributions, moments, quantiles."""

import math
from collections import Counter
from functools import partial
from random import Random
from statistics import fmean, pstdev

import pytest

from labcore.sweeps.distributions import (
    KINDS,
    Beta,
    Categorical,
    Constant,
    IntUniform,
    Normal,
    Uniform,
    make,
)

LogUniform, LogUniformValues, InvLogUniform, InvLogUniformValues, LogNormal = (
    partial(make, kind)
    for kind in (
        "log_uniform",
        "log_uniform_values",
        "inv_log_uniform",
        "inv_log_uniform_values",
        "log_normal",
    )
)
QUniform, QLogUniform, QLogUniformValues, QNormal, QLogNormal, QBeta = (
    partial(make, kind) for kind in KINDS if kind.startswith("q_")
)
pytest.importorskip("scipy", reason='beta is SciPy\'s: pip install -e ".[sweeps]"')

NUM_DRAWS = 4000


def draws(distribution, count=NUM_DRAWS, seed=0):
    rng = Random(seed)
    return [distribution.quantile(rng.random()) for _ in range(count)]


def normal_cdf(x):
    return 0.5 * (1 + math.erf(x / math.sqrt(2)))


CUMULATIVE = {
    "uniform": (make("uniform", min=-1.0, max=3.0), lambda x: (x + 1) / 4),
    "log_uniform": (LogUniform(min=-5, max=2), lambda x: (math.log(x) + 5) / 7),
    "log_uniform_values": (
        LogUniformValues(min=1e-4, max=1.0),
        lambda x: math.log(x / 1e-4) / math.log(1e4),
    ),
    # log(1/X) is uniform: P(X <= x) = P(log(1/X) >= log(1/x)).
    "inv_log_uniform": (InvLogUniform(min=-1, max=3), lambda x: 1 - (math.log(1 / x) + 1) / 4),
    "inv_log_uniform_values": (
        InvLogUniformValues(min=0.01, max=2.0),
        lambda x: 1 - (math.log(1 / x) - math.log(1 / 2)) / (math.log(100) - math.log(1 / 2)),
    ),
    "normal": (make("normal", mu=2, sigma=0.5), lambda x: normal_cdf((x - 2) / 0.5)),
    "log_normal": (LogNormal(mu=1, sigma=0.7), lambda x: normal_cdf((math.log(x) - 1) / 0.7)),
    "beta": (make("beta", a=2, b=3), lambda x: x**2 * (6 - 8 * x + 3 * x**2)),
}


@pytest.mark.parametrize("name", CUMULATIVE)
def test_draws_follow_the_cumulative_distribution(name):
    distribution, cumulative = CUMULATIVE[name]
    assert distribution.name == name
    ordered = sorted(draws(distribution))
    distance = max(
        max(abs(cumulative(x) - i / NUM_DRAWS), abs(cumulative(x) - (i + 1) / NUM_DRAWS))
        for i, x in enumerate(ordered)
    )
    assert distance < 1.63 / math.sqrt(NUM_DRAWS)  # Kolmogorov-Smirnov at 1 %


@pytest.mark.parametrize("name", CUMULATIVE)
@pytest.mark.parametrize("u", [0.001, 0.3, 0.5, 0.999])
def test_the_quantile_is_the_inverse_of_the_cumulative_distribution(name, u):
    distribution, cumulative = CUMULATIVE[name]
    assert cumulative(distribution.quantile(u)) == pytest.approx(u, abs=1e-9)


ROUNDED = {
    "q_uniform": (QUniform(min=0.0, max=10.0, q=2.5), lambda x: min(max(x / 10, 0), 1)),
    "q_log_uniform": (
        QLogUniform(min=0, max=3, q=2),
        lambda x: min(max(math.log(max(x, 1e-9)) / 3, 0), 1),
    ),
    "q_log_uniform_values": (
        QLogUniformValues(min=8, max=64, q=8),
        lambda x: min(max(math.log(max(x, 1e-9) / 8) / math.log(8), 0), 1),
    ),
    "q_normal": (QNormal(mu=1, sigma=2, q=1), lambda x: normal_cdf((x - 1) / 2)),
    "q_log_normal": (
        QLogNormal(mu=1, sigma=0.5, q=2),
        lambda x: normal_cdf((math.log(max(x, 1e-9)) - 1) / 0.5),
    ),
    "q_beta": (QBeta(a=2, b=3, q=0.25), lambda x: CUMULATIVE["beta"][1](min(max(x, 0), 1))),
}


@pytest.mark.parametrize("name", ROUNDED)
def test_a_multiple_is_as_likely_as_the_stretch_that_rounds_to_it(name):
    distribution, cumulative = ROUNDED[name]
    assert distribution.name == name
    counts = Counter(draws(distribution))
    for value, count in counts.items():
        assert value / distribution.q == round(value / distribution.q)
        half = distribution.q / 2
        likely = cumulative(value + half) - cumulative(value - half)
        deviation = math.sqrt(likely * (1 - likely) / NUM_DRAWS)
        assert count / NUM_DRAWS == pytest.approx(likely, abs=4 * deviation + 1e-3)


def test_rounding_to_whole_numbers_gives_integers():
    for q in (1, 1.0, 5):
        assert {type(x) for x in draws(QUniform(min=50, max=100, q=q), 50)} == {int}
    assert {type(x) for x in draws(QUniform(min=0, max=1, q=0.1), 50)} == {float}


def test_multiples_are_written_as_short_as_q():
    assert QUniform(min=0.0, max=0.5, q=0.1).grid() == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]


def test_q_is_one_when_left_out():
    assert QUniform(min=50, max=100).q == 1
    assert QNormal().quantile(0.9) == 1  # the normal quantile is 1.28


def test_rounding_may_go_past_min_and_max():
    assert QUniform(min=54, max=96, q=10).bounds == (50, 100)
    assert QUniform(min=55, max=95, q=10).bounds == (60, 90)  # 55 and 95 are drawn never
    assert QUniform(min=0.3, max=0.9, q=0.1).bounds == (0.3, 0.9)


def test_the_ends_of_the_line_give_the_ends_of_the_range():
    for distribution in (
        IntUniform(min=-3, max=9),
        Uniform(min=0.1, max=0.7),
        LogUniform(min=-4, max=4),
        LogUniformValues(min=1e-5, max=0.1),
        InvLogUniform(min=1, max=2),
        QUniform(min=1, max=7, q=2),
        QLogUniformValues(min=5, max=95, q=10),
        Beta(a=2, b=5),
    ):
        assert (distribution.quantile(0), distribution.quantile(1)) == distribution.bounds


@pytest.mark.parametrize("distribution", [Normal(), LogNormal(), QNormal(), QLogNormal()])
def test_endless_distributions_have_no_bounds_and_finite_quantiles(distribution):
    assert distribution.bounds is None
    assert math.isfinite(distribution.quantile(0))
    assert math.isfinite(distribution.quantile(1))


def test_values_too_large_for_a_float_stay_finite():
    assert math.isfinite(LogNormal(mu=700, sigma=100).quantile(0.99))
    assert math.isfinite(QLogNormal(mu=700, sigma=100).quantile(0.99))


def test_logarithmic_bounds_are_values_not_exponents():
    assert LogUniform(min=-2, max=1).bounds == pytest.approx((math.exp(-2), math.e))
    assert InvLogUniform(min=-1, max=2).bounds == pytest.approx((math.exp(-2), math.e))
    assert LogUniformValues(min=1e-5, max=0.1).bounds == (1e-5, 0.1)
    assert InvLogUniformValues(min=1e-5, max=0.1).bounds == (1e-5, 0.1)
    assert (LogUniform(min=0, max=1).log, Uniform(min=0, max=1).log) == (True, False)


def test_whole_numbers_are_equally_likely_with_both_ends():
    counts = Counter(draws(IntUniform(min=-2, max=2)))
    assert set(counts) == {-2, -1, 0, 1, 2}
    expected = NUM_DRAWS / 5
    assert sum((n - expected) ** 2 / expected for n in counts.values()) < 13.3  # chi2(4) at 1 %


def test_values_are_equally_likely_or_as_their_probabilities_say():
    equal = Counter(draws(Categorical(values=("a", "b", "c"))))
    assert all(equal[x] == pytest.approx(NUM_DRAWS / 3, abs=120) for x in "abc")
    weighted = Counter(draws(Categorical(values=("a", "b", "c"), probabilities=(0.7, 0.0, 0.3))))
    assert weighted["a"] == pytest.approx(0.7 * NUM_DRAWS, abs=120)
    assert weighted["b"] == 0


def test_an_impossible_last_value_is_never_drawn():
    assert Categorical(values=("a", "b"), probabilities=(1.0, 0.0)).quantile(1) == "a"
    assert Categorical(values=("a", "b")).quantile(1) == "b"


def test_values_may_be_of_any_kind():
    values = ([1, 2], {"a": None}, None, "text")
    assert {repr(x) for x in draws(Categorical(values=values), 100)} == {repr(x) for x in values}
    assert draws(Constant(value=[1]), 2) == [[1], [1]]


GRIDS = {
    Constant(value="x"): ["x"],
    Categorical(values=(3, 1, 3)): [3, 1],
    Categorical(values=(1, True, 1.0, "1")): [1, True, 1.0, "1"],
    IntUniform(min=2, max=4): [2, 3, 4],
    QUniform(min=1, max=7, q=2): [2, 4, 6],
    QUniform(min=50, max=80, q=10): [50, 60, 70, 80],
}


@pytest.mark.parametrize("distribution", GRIDS, ids=repr)
def test_a_grid_has_every_value_once(distribution):
    found = list(distribution.grid())
    assert [(type(x), x) for x in found] == [(type(x), x) for x in GRIDS[distribution]]


def test_a_grid_of_multiples_is_what_can_be_drawn():
    distribution = QUniform(min=3, max=22, q=4)
    assert set(distribution.grid()) == set(draws(distribution, 500))


@pytest.mark.parametrize(
    "distribution",
    [
        Uniform(min=0.0, max=1.0),
        LogUniformValues(min=1, max=2),
        QLogUniformValues(min=1, max=9),
        Normal(),
        Beta(),
        Categorical(values=(1, 2), probabilities=(0.5, 0.5)),
    ],
    ids=repr,
)
def test_what_wandb_lists_on_no_grid_has_none(distribution):
    assert distribution.grid() is None


@pytest.mark.parametrize(
    ("a", "b", "quantile"),
    [
        (1, 1, lambda u: u),
        (2, 1, math.sqrt),
        (1, 3, lambda u: 1 - (1 - u) ** (1 / 3)),
        (0.5, 0.5, lambda u: math.sin(math.pi * u / 2) ** 2),
        (0.25, 1, lambda u: u**4),
    ],
)
@pytest.mark.parametrize("u", [1e-6, 0.1, 0.5, 0.9, 0.999])
def test_beta_quantiles_have_their_closed_forms(a, b, quantile, u):
    assert Beta(a=a, b=b).quantile(u) == pytest.approx(quantile(u), rel=1e-10)


def test_a_beta_mirrored_is_the_beta_with_its_parameters_exchanged():
    for u in (0.01, 0.4, 0.77):
        mirrored = 1 - Beta(a=5.5, b=0.8).quantile(1 - u)
        assert Beta(a=0.8, b=5.5).quantile(u) == pytest.approx(mirrored, rel=1e-9)


def test_a_narrow_beta_has_its_mean_and_deviation():
    values = [Beta(a=400, b=600).quantile((i + 0.5) / 500) for i in range(500)]
    assert fmean(values) == pytest.approx(0.4, rel=1e-6)
    assert pstdev(values) == pytest.approx(math.sqrt(0.24 / 1001), rel=0.01)


def test_an_extremely_narrow_beta_is_its_mean():
    assert Beta(a=1e5, b=1e300).quantile(0.5) == pytest.approx(0)
    assert Beta(a=1e308, b=1e305).quantile(0.5) == pytest.approx(1, abs=1e-2)
