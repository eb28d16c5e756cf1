"""Intervals and tests against published numbers, sums by hand and brute force."""

import itertools

import pytest

np = pytest.importorskip("numpy")
pytest.importorskip("scipy", reason="the extra musicvae brings it")

from labcore.kit.statistics import (  # noqa: E402  # after the skip
    bootstrap_interval,
    mcnemar,
    mean_interval,
    wilson_interval,
)


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [  # Newcombe 1998, table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_the_published_intervals(successes, trials, low, high):
    assert wilson_interval(successes, trials) == pytest.approx((low, high), abs=5e-5)


def test_a_share_of_nothing_is_refused():
    with pytest.raises(ValueError):
        wilson_interval(0, 0)


def test_the_interval_of_a_mean_is_student_s():
    # Standard error sqrt(2.5 / 5), t(0.975, 4) = 2.776445.
    assert mean_interval([1, 2, 3, 4, 5]) == pytest.approx((3 - 1.963243, 3 + 1.963243), abs=1e-6)
    # t(0.95, 1) = 6.313752
    assert mean_interval([1, 3], level=0.9) == pytest.approx((2 - 6.313752, 2 + 6.313752))


@pytest.mark.parametrize("interval", [mean_interval, bootstrap_interval])
def test_one_value_has_no_interval(interval):
    with pytest.raises(ValueError, match="two values or more"):
        interval([0.7])


@pytest.mark.parametrize("statistic", [np.mean, np.median, lambda drawn: max(drawn)])
def test_the_bootstrap_is_that_of_all_possible_resamples(statistic):
    values = [0.1, 0.9, 2.0, 5.5, 6.0]
    every = [statistic(np.array(drawn)) for drawn in itertools.product(values, repeat=5)]
    wanted = np.quantile(every, [0.1, 0.9])
    found = bootstrap_interval(values, statistic, level=0.8)
    assert found == pytest.approx(wanted, abs=0.11)  # the means are 0.1 and less apart


def test_the_bootstrap_of_a_mean_agrees_with_the_normal_one_on_many_values():
    values = np.random.default_rng(1).exponential(size=4_000)
    half = 1.959964 * values.std(ddof=1) / 4_000**0.5
    found = bootstrap_interval(values, resamples=2_000)
    assert found == pytest.approx((values.mean() - half, values.mean() + half), abs=0.15 * half)


def test_the_same_seed_gives_the_same_interval():
    values = list(range(30))
    assert bootstrap_interval(values, seed=4) == bootstrap_interval(values, seed=4)
    assert bootstrap_interval(values, seed=4) != bootstrap_interval(values, seed=5)


def test_mcnemar_counts_only_where_the_systems_differ():
    first = [True] * 90 + [True] * 9 + [False] * 1 + [False] * 50
    second = [True] * 90 + [False] * 9 + [True] * 1 + [False] * 50
    found = mcnemar(first, second)
    assert found[:2] == (9, 1)
    assert found.p_value == pytest.approx(2 * (1 + 10) / 2**10)


def test_systems_that_agree_everywhere_do_not_differ():
    assert mcnemar([1, 0, 1], [1, 0, 1]) == (0, 0, 1.0)


def test_answers_to_other_items_are_refused():
    with pytest.raises(ValueError, match=r"\(2,\) and \(3,\)"):
        mcnemar([1, 0], [1, 0, 1])
