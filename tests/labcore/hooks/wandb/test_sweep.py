"""A run's place in a W&B sweep: from the environment, from its folder, and its end."""

import json
import signal
import threading
import time
from types import SimpleNamespace

import pytest

from labcore.errors import Interrupted
from labcore.hooks.wandb import sweep
from labcore.hooks.wandb.hook import WeightsAndBiases
from labcore.hooks.wandb.sweep import IDENTITY_FILE, SweepTrial
from labcore.record.trial import SWEEP_VARIABLE
from labcore.run.signals import StopSignal


@pytest.fixture(autouse=True)
def no_sweep(monkeypatch):
    for name in ("WANDB_SWEEP_ID", "WANDB_RUN_ID", SWEEP_VARIABLE):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def stop():
    """The signals of a run that takes them as they come."""
    stop = StopSignal()
    with stop.installed(), stop.deferred():
        yield stop


@pytest.fixture
def ours(monkeypatch):
    """An agent of ours has started this process."""
    monkeypatch.setenv(SWEEP_VARIABLE, "ab12")


class Settings:
    model_fields = ("stop_fn",)
    stop_fn = None


class OldSettings:
    __slots__ = ()
    model_fields = ()


def stop_of(trial):
    settings = Settings()
    trial.adjust(settings)
    return settings.stop_fn


def test_an_ordinary_run_is_no_trial(monkeypatch, tmp_path):
    assert SweepTrial.find(tmp_path, StopSignal()) is None
    monkeypatch.setenv("WANDB_RUN_ID", "mine")  # a user's own choice of an id
    assert SweepTrial.find(tmp_path, StopSignal()) is None


def test_a_trial_leaves_its_identity_to_the_environment_and_is_known_from_its_folder_afterwards(
    monkeypatch, tmp_path
):
    monkeypatch.setenv("WANDB_SWEEP_ID", "ab12")
    monkeypatch.setenv("WANDB_RUN_ID", "run1")
    on_server = SimpleNamespace(id="run1", project="p", entity="team", sweep_id="ab12")
    trial = SweepTrial.find(tmp_path, StopSignal())
    assert trial.identity == {}
    trial.remember(tmp_path, on_server)
    monkeypatch.delenv("WANDB_SWEEP_ID")
    trial = SweepTrial.find(tmp_path, StopSignal())
    assert trial.identity == {"id": "run1", "project": "p", "entity": "team"}
    assert json.loads((tmp_path / IDENTITY_FILE).read_text())["sweep_id"] == "ab12"


def test_the_server_s_stop_is_a_sigterm_that_wakes_the_run_where_there_is_no_agent():
    stop = StopSignal()
    trial = SweepTrial({}, stop)
    # As wandb does, from a thread of its own.
    threading.Timer(0.2, stop_of(trial)).start()
    before = time.monotonic()
    with stop.installed(), pytest.raises(Interrupted) as caught:
        time.sleep(20)
    assert time.monotonic() - before < 10
    assert caught.value.signal_number == signal.SIGTERM
    assert trial.was_stopped_by_server()


def test_the_server_s_stop_is_the_agent_s_to_signal_and_only_an_agent_that_is_gone_is_replaced(
    stop, monkeypatch
):
    monkeypatch.setattr(sweep, "_AGENT_S", 0.1)
    there, gone = (SweepTrial({}, stop, has_agent=True) for _ in range(2))
    stop_of(gone)()
    assert stop.number is None
    gone._timer.join(20)
    assert stop.number == signal.SIGTERM
    sent = []
    monkeypatch.setattr(sweep.signal, "pthread_kill", lambda *_: sent.append(1))
    stop_of(there)()
    there._timer.join(20)
    assert not sent  # the agent has


def test_a_stop_that_comes_after_the_end_does_nothing(stop, monkeypatch):
    monkeypatch.setattr(sweep, "_AGENT_S", 0.05)
    trial = SweepTrial({}, stop, has_agent=True)
    trial.end()
    stop_of(trial)()
    trial._timer.join(20)
    assert stop.number is None


def test_a_wandb_without_this_setting_keeps_its_own_way():
    settings = OldSettings()
    SweepTrial({}, StopSignal()).adjust(settings)  # slots: an attribute would be an error


class OnServer:
    """Takes down what a hook tells of the end of a run."""

    offline = False
    dir = "/x/files"

    def __init__(self):
        self.told = []

    def mark_preempting(self):
        self.told.append("unfinished")

    def finish(self, exit_code):
        self.told.append(exit_code)


def end_of(number, *, is_trial=True, has_agent=True, is_told=False):
    hook = WeightsAndBiases()
    on_server = hook._run = OnServer()
    run = SimpleNamespace(status=SimpleNamespace(message="stopped by a signal"), stop=StopSignal())
    run.stop.number = number
    if is_trial:
        hook._trial = SweepTrial({}, run.stop, has_agent=has_agent)
        hook._trial._is_told = is_told
    hook.run_interrupted(run)
    hook.run_ended(run, "interrupted")
    return on_server.told, run.status.message


def test_what_w_and_b_is_told_depends_on_who_ended_the_run(ours):
    assert end_of(signal.SIGINT, is_trial=False) == ([1], "stopped by a signal")
    assert end_of(signal.SIGINT) == (["unfinished", 1], "stopped by a signal")
    assert end_of(signal.SIGTERM) == ([0], "stopped by W&B")
    assert end_of(signal.SIGTERM, has_agent=False) == ([1], "stopped by a signal")


def test_a_sigterm_of_another_agent_is_w_and_b_s_only_when_w_and_b_says_so():
    assert end_of(signal.SIGTERM) == ([1], "stopped by a signal")
    assert end_of(signal.SIGTERM, is_told=True) == ([0], "stopped by W&B")
    assert end_of(signal.SIGINT) == (["unfinished", 1], "stopped by a signal")
