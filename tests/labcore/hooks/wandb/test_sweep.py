"""A run's place in a W&B sweep: from the environment, from its folder, and its end."""

import json
import signal
import threading
import time
from types import SimpleNamespace

import pytest

from labcore.errors import Interrupted
from labcore.hooks.wandb.hook import WeightsAndBiases
from labcore.hooks.wandb.sweep import IDENTITY_FILE, SweepTrial
from labcore.record.trial import NOTE_VARIABLE, leave_note, read_note
from labcore.run.signals import StopSignal


@pytest.fixture(autouse=True)
def no_sweep(monkeypatch):
    for name in ("WANDB_SWEEP_ID", "WANDB_RUN_ID", NOTE_VARIABLE):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def note(monkeypatch, tmp_path):
    path = tmp_path / "stopped_by.txt"
    monkeypatch.setenv(NOTE_VARIABLE, str(path))
    return path


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
    assert SweepTrial.find(tmp_path) is None
    monkeypatch.setenv("WANDB_RUN_ID", "mine")  # a user's own choice of an id
    assert SweepTrial.find(tmp_path) is None


def test_a_trial_leaves_its_identity_to_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("WANDB_SWEEP_ID", "ab12")
    monkeypatch.setenv("WANDB_RUN_ID", "run1")
    trial = SweepTrial.find(tmp_path)
    assert trial is not None
    assert trial.identity == {}


def test_a_trial_is_known_from_its_folder_afterwards(monkeypatch, tmp_path):
    monkeypatch.setenv("WANDB_SWEEP_ID", "ab12")
    monkeypatch.setenv("WANDB_RUN_ID", "run1")
    on_server = SimpleNamespace(id="run1", project="p", entity="team", sweep_id="ab12")
    SweepTrial.find(tmp_path).remember(tmp_path, on_server)
    monkeypatch.delenv("WANDB_SWEEP_ID")
    trial = SweepTrial.find(tmp_path)
    assert trial.identity == {"id": "run1", "project": "p", "entity": "team"}
    assert json.loads((tmp_path / IDENTITY_FILE).read_text())["sweep_id"] == "ab12"


def test_the_server_s_stop_is_a_sigterm_that_wakes_the_run_and_is_noted(note):
    trial = SweepTrial({})
    # As wandb does, from a thread of its own.
    threading.Timer(0.2, stop_of(trial)).start()
    before = time.monotonic()
    with StopSignal().installed(), pytest.raises(Interrupted) as caught:
        time.sleep(20)
    assert time.monotonic() - before < 10
    assert caught.value.signal_number == signal.SIGTERM
    assert trial.stopped_by() == read_note(note) == "W&B"


def test_the_server_s_stop_sends_nothing_when_the_agent_has(note):
    trial = SweepTrial({})
    leave_note(note, "W&B")
    stop = StopSignal()
    with stop.installed(), stop.deferred():
        stop_of(trial)()
        assert stop.number is None
    assert trial.stopped_by() == "W&B"


def test_a_trial_that_nobody_looks_after_is_stopped_all_the_same():
    trial = SweepTrial({})
    stop = StopSignal()
    with stop.installed(), stop.deferred():
        stop_of(trial)()
        assert stop.number == signal.SIGTERM
    assert trial.stopped_by() == "W&B"


def test_a_signal_without_a_note_leaves_a_trial_unfinished(note):
    assert SweepTrial({}).stopped_by() == ""


def test_under_wandb_s_own_agent_nobody_knows_who_stopped_a_trial():
    assert SweepTrial({}).stopped_by() is None


def test_a_wandb_without_this_setting_keeps_its_own_way():
    settings = OldSettings()
    SweepTrial({}).adjust(settings)  # slots: an attribute would be an error


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


def end_of(trial):
    hook = WeightsAndBiases()
    on_server = hook._run = OnServer()
    hook._trial = trial
    run = SimpleNamespace(status=SimpleNamespace(message="stopped by signal 15"))
    hook.run_interrupted(run)
    hook.run_ended(run, "interrupted")
    return on_server.told, run.status.message


def test_what_w_and_b_is_told_depends_on_who_ended_the_run(note):
    assert end_of(None) == ([1], "stopped by signal 15")
    assert end_of(SweepTrial({})) == (["unfinished", 1], "stopped by signal 15")
    leave_note(note, "W&B")
    assert end_of(SweepTrial({})) == ([0], "stopped by W&B")


def test_under_wandb_s_own_agent_a_stopped_trial_is_not_given_out_again():
    assert end_of(SweepTrial({})) == ([1], "stopped by signal 15")
