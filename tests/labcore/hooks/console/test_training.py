"""Rate, fraction and time left, by steps and by time."""

from types import SimpleNamespace

import pytest

from labcore.hooks.console.training import Training
from labcore.training import Goal
from labcore.training.monitor import Monitor


def training(clock, *, first_step=0, spent_s=0.0, **limits):
    monitor = Monitor("loss", Goal.minimize, 0)
    limits = {"max_time_s": None, "max_epochs": 0, **limits}
    loop = SimpleNamespace(step=first_step, epoch=0, elapsed_s=spent_s, monitor=monitor, **limits)
    return Training(loop, (), clock)


def test_nothing_is_promised_before_there_is_something_to_go_by(clock):
    progress = training(clock, max_steps=100)
    assert progress.rate is None
    assert progress.eta_s is None
    clock.wait(30)
    progress.advance(1)
    assert progress.rate is None


def test_rate_and_eta_leave_out_the_first_step(clock):
    progress = training(clock, max_steps=101)
    clock.wait(60)  # the first step compiles
    progress.advance(1)
    for step in range(2, 22):
        clock.wait(0.5)
        progress.advance(step)
    assert progress.rate == pytest.approx(2.0)
    assert progress.eta_s == pytest.approx(80 / 2.0)


def test_validation_counts_for_the_time_left_and_not_for_the_rate(clock):
    progress = training(clock, max_steps=41)
    progress.advance(1)
    for step in range(2, 22):
        clock.wait(0.5)
        progress.advance(step)
    progress.pause()
    clock.wait(10)
    progress.validated({"loss": 0.5})
    assert progress.rate == pytest.approx(2.0)
    # 20 steps took 10 s of training and 10 s of validation; 20 more will take as long.
    assert progress.eta_s == pytest.approx(20.0)


def test_the_rate_follows_the_last_moments(clock):
    progress = training(clock, max_steps=10_000)
    step = 0
    for pause_s in (0.1, 1.0):
        for _ in range(100):
            clock.wait(pause_s)
            step += 1
            progress.advance(step)
    assert progress.rate == pytest.approx(1.0, rel=0.02)


@pytest.mark.parametrize(("max_time_s", "by_time"), [(20.0, True), (1000.0, False)])
def test_the_nearer_limit_decides(clock, max_time_s, by_time):
    progress = training(clock, max_steps=101, max_time_s=max_time_s)
    progress.advance(1)
    for step in range(2, 12):
        clock.wait(1)
        progress.advance(step)
    assert progress.is_bound_by_time is by_time
    assert progress.eta_s == pytest.approx(10.0 if by_time else 90.0)
    assert progress.fraction == pytest.approx(0.5 if by_time else 11 / 101)


def test_a_resumed_run_has_used_some_of_its_time_and_steps(clock):
    progress = training(clock, first_step=500, max_steps=1000, max_time_s=100, spent_s=60)
    clock.wait(10)
    assert progress.fraction == pytest.approx(0.7)
    progress.advance(501)
    clock.wait(1)
    progress.advance(511)
    assert progress.rate == pytest.approx(10)
    assert progress.eta_s == pytest.approx(29)
