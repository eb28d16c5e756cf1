import os
import signal

import pytest

from labcore import Interrupted
from labcore.run.signals import StopSignal


def test_outside_the_loop_a_signal_stops_the_work_where_it_stands():
    stop = StopSignal()
    with pytest.raises(Interrupted) as caught, stop.installed():
        os.kill(os.getpid(), signal.SIGTERM)
    assert caught.value.exit_code == 143


def test_inside_the_loop_the_first_signal_waits_and_the_second_does_not():
    stop = StopSignal()
    with stop.installed(), stop.deferred():
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.number == signal.SIGINT
        with pytest.raises(Interrupted) as caught:
            os.kill(os.getpid(), signal.SIGINT)
    assert caught.value.exit_code == 130


def test_the_old_handlers_come_back():
    before = signal.getsignal(signal.SIGTERM)
    with StopSignal().installed():
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before
