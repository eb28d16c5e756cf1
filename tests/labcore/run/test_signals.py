import os
import signal

import pytest

from labcore import Interrupted
from labcore.run import signals
from labcore.run.signals import StopSignal


def test_outside_the_loop_a_signal_stops_the_work_where_it_stands():
    stop = StopSignal()
    with pytest.raises(Interrupted) as caught, stop.installed():
        os.kill(os.getpid(), signal.SIGTERM)
    assert caught.value.exit_code == 143


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass only when told."""
    now = [100.0]
    monkeypatch.setattr(signals.time, "monotonic", lambda: now[0])
    return now


def test_inside_the_loop_the_first_signal_waits_and_a_later_one_does_not(clock):
    stop = StopSignal()
    with stop.installed(), stop.deferred():
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.number == signal.SIGINT
        clock[0] += 2
        with pytest.raises(Interrupted) as caught:
            os.kill(os.getpid(), signal.SIGINT)
    assert caught.value.exit_code == 130


def test_signals_that_come_together_are_one_wish_and_cut_no_checkpoint_short(clock):
    stop = StopSignal()
    with stop.installed(), stop.deferred():
        for _ in range(50):
            os.kill(os.getpid(), signal.SIGINT)
    assert stop.number == signal.SIGINT


def test_a_task_can_ask_whether_it_should_stop():
    stop = StopSignal()
    assert not stop
    with stop.installed(), stop.deferred():
        os.kill(os.getpid(), signal.SIGTERM)
    assert stop
    with pytest.raises(Interrupted):
        stop.raise_if_set()


def test_what_puts_down_how_a_run_ended_is_not_interrupted():
    stop = StopSignal()
    with stop.installed(), stop.held():
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(Interrupted), stop.released():
            stop.raise_if_set()


def test_the_old_handlers_come_back():
    before = signal.getsignal(signal.SIGTERM)
    with StopSignal().installed():
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before
