"""Schedules against values worked out by hand and by the formulas' limits."""

import math

import pytest

from labcore.training.schedules import share_at
from plugins.musicvae.config import LossConfig, OptimizerConfig
from plugins.musicvae.schedules import beta, sampling_probability


def test_beta_rises_from_zero_towards_its_full_value():
    config = LossConfig(beta=0.2, beta_rate=0.99999)
    assert beta(0, config) == 0
    # 0.99999^n is e^(-n / 100000) to five digits.
    assert beta(100_000, config) == pytest.approx(0.2 * (1 - math.exp(-1)), rel=1e-4)
    assert beta(10_000_000, config) == pytest.approx(0.2)


def test_beta_is_full_from_the_start_without_a_rate():
    assert beta(0, LossConfig(beta=0.2, beta_rate=0)) == 0.2


def test_the_learning_rate_falls_from_the_first_value_to_the_last():
    config = OptimizerConfig()

    def learning_rate(step: int) -> float:
        return config.lr * share_at(step, config.schedule, 10**9)

    assert learning_rate(0) == pytest.approx(1e-3)
    half_life = math.log(0.5) / math.log(0.9999)
    middle = learning_rate(round(half_life))
    assert middle == pytest.approx((1e-3 + 1e-5) / 2, rel=1e-3)
    assert learning_rate(1_000_000) == pytest.approx(1e-5)


def test_the_inverse_sigmoid_starts_at_one_over_k_plus_one_and_passes_a_half_at_k_ln_k():
    config = LossConfig(sampling_k=2000)
    assert sampling_probability(0, config) == pytest.approx(1 / 2001)
    assert sampling_probability(round(2000 * math.log(2000)), config) == pytest.approx(
        0.5, abs=1e-3
    )


@pytest.mark.parametrize("step", [200_000, 10**7, 10**12])
def test_the_inverse_sigmoid_does_not_overflow(step):
    assert sampling_probability(step, LossConfig(sampling_k=1)) == 1.0
    assert sampling_probability(step, LossConfig(sampling_k=2000)) == pytest.approx(1.0)


def test_the_sampling_probability_never_falls_and_stops_at_its_maximum():
    config = LossConfig(sampling_k=100, sampling_max=0.6)
    values = [sampling_probability(step, config) for step in range(0, 3000, 50)]
    assert values == sorted(values)
    assert values[-1] == 0.6


def test_teacher_forcing_alone_never_samples():
    assert sampling_probability(10**6, LossConfig(scheduled_sampling=False)) == 0
