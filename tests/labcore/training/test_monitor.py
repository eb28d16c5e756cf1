"""Best value and patience."""

import math

from labcore.training.config import Goal
from labcore.training.monitor import Monitor


def test_a_small_value_is_better_when_minimizing() -> None:
    monitor = Monitor("loss", Goal.minimize, 0)
    assert [monitor.update({"loss": v}, s) for s, v in enumerate([3.0, 4.0, 2.0])] == [
        True,
        False,
        True,
    ]
    assert (monitor.value, monitor.step) == (2.0, 2)


def test_a_large_value_is_better_when_maximizing() -> None:
    monitor = Monitor("acc", Goal.maximize, 0)
    assert [monitor.update({"acc": v}, s) for s, v in enumerate([0.3, 0.4, 0.4])] == [
        True,
        True,
        False,
    ]
    assert monitor.step == 1


def test_nan_is_never_the_best_and_uses_up_patience() -> None:
    monitor = Monitor("loss", Goal.minimize, 2)
    assert not monitor.update({"loss": math.nan}, 1)
    assert not monitor.exhausted
    assert not monitor.update({"loss": math.nan}, 2)
    assert monitor.exhausted
    assert monitor.value is None
    assert monitor.update({"loss": 1.0}, 3)
    assert not monitor.exhausted


def test_without_patience_it_never_gives_up() -> None:
    monitor = Monitor("loss", Goal.minimize, 0)
    for step in range(50):
        monitor.update({"loss": float(step)}, step)
    assert not monitor.exhausted


def test_the_state_has_how_long_it_has_waited() -> None:
    monitor = Monitor("loss", Goal.minimize, 3)
    for step, value in enumerate([1.0, 2.0, 2.0]):
        monitor.update({"loss": value}, step)
    again = Monitor("loss", Goal.minimize, 3)
    again.load_state_dict(monitor.state_dict())
    again.update({"loss": 2.0}, 3)
    assert again.exhausted
    assert (again.value, again.step) == (1.0, 0)
