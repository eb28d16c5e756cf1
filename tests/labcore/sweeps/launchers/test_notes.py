"""What controller and machine write down for each other, and how a trial is told from it."""

import dataclasses
import os
import time

import pytest

from labcore.record.process import ProcessId
from labcore.record.status import Status, write_status
from labcore.sweeps.launchers import remote
from labcore.sweeps.launchers.notes import Job, Notes, Order, Place
from labcore.sweeps.launchers.remote import RemoteStarter, RemoteTrial, carried
from labcore.sweeps.trial import TrialRequest
from labcore.sweeps.trial_process import trial_lock

OWNER = ProcessId(host="node7.cluster", pid=12, started=3.5)


class Scheduler:
    """Remembers what it is asked for, and answers as a test wants."""

    def __init__(self):
        self.answer = "running"
        self.orders = []
        self.asked = []
        self.seen = None

    def submit(self, order):
        self.seen = order.notes.read_job()
        self.orders.append(order)
        return Job(name=order.name, id="17")

    def is_gone(self, job):
        return self.answer == "gone"

    def end(self, job, place, *, at_once):
        self.asked.append(("kill" if at_once else "stop", job.name, place))

    def where(self, job, place):
        return "nowhere" if place is None else place.host

    def advice(self, job):
        return f"look at {job.id}"

    def close(self):
        self.asked.append(("close",))


@pytest.fixture
def scheduler(monkeypatch):
    monkeypatch.setattr(remote, "_LOOK_S", 0.0)
    monkeypatch.setattr(remote, "_ARRIVAL_S", 0.2)
    return Scheduler()


@pytest.fixture
def request_(tmp_path):
    return TrialRequest(
        sweep="s",
        number=7,
        overrides=("plugin=toy", "x=1"),
        folder=tmp_path / "run",
        lock=tmp_path / "trials" / "0007.lock",
        env={"OWN": "1"},
    )


def ended(trial):
    deadline = time.monotonic() + 5.0
    while not trial.poll():
        assert time.monotonic() < deadline, "it never ended"
        time.sleep(0.02)
    return True


def test_notes_come_back_as_they_were(tmp_path, request_):
    notes = Notes(request_.lock)
    assert notes.read_job() is None
    job = Job(name="s-0007-1", id="17", owner=OWNER)
    notes.write(job)
    assert notes.read_job() == job
    place = Place(name="s-0007-1", owner=OWNER)
    notes.write(place)
    assert notes.read_place("s-0007-1") == place
    assert place.host == "node7"
    assert Order(name="s-0007-1", request=request_, folder="/").notes == notes


def test_what_an_earlier_job_has_left_does_not_count(request_):
    notes = Notes(request_.lock)
    notes.lock.parent.mkdir()
    notes.write(Place(name="old", owner=OWNER, exit_code=0))
    assert notes.read_place("new") is None
    notes.lock.with_suffix(".place").write_text("{")
    assert notes.read_place("old") is None


def test_a_jobs_name_is_written_down_before_it_is_handed_over(request_, scheduler):
    starter = RemoteStarter(scheduler, threads=3, env={"CUBLAS": "1"})
    trial = starter.start(request_)
    order = scheduler.orders[0]
    assert order.name.startswith("s-0007-")
    assert scheduler.seen == Job(name=order.name)
    assert Notes(request_.lock).read_job() == Job(name=order.name, id="17")
    assert not trial.poll()
    env = order.request.env
    assert (env["OWN"], env["CUBLAS"], env["OMP_NUM_THREADS"]) == ("1", "1", "3")
    assert trial.where == "nowhere"
    starter.close()
    assert scheduler.asked == [("close",)]


def test_two_jobs_of_one_trial_have_different_names(request_, scheduler):
    starter = RemoteStarter(scheduler, threads=1, env={})
    starter.start(request_)
    starter.start(request_)
    assert scheduler.orders[0].name != scheduler.orders[1].name


def test_a_trial_carries_what_it_needs_and_no_secret():
    environ = {
        "LAB_PLUGINS": "a=b:c",
        "LAB_API_KEY": "x",
        "PYTHONPATH": "/p",
        "WANDB_API_KEY": "y",
        "CUDA_VISIBLE_DEVICES": "0",
        "HOME": "/root",
    }
    assert carried(environ) == {"LAB_PLUGINS": "a=b:c", "PYTHONPATH": "/p"}


def test_a_place_with_an_exit_code_ends_the_trial_though_its_job_is_still_listed(
    request_, scheduler
):
    trial = RemoteStarter(scheduler, threads=1, env={}).start(request_)
    name = scheduler.orders[0].name
    Notes(request_.lock).write(Place(name=name, owner=OWNER))
    assert not trial.poll()
    assert trial.where == "node7"
    Notes(request_.lock).write(Place(name=name, owner=OWNER, exit_code=2))
    assert trial.poll()
    assert trial.result().exit_code == 2


def test_a_job_that_is_gone_ends_the_trial_once_there_is_no_sign_of_life(request_, scheduler):
    trial = RemoteStarter(scheduler, threads=1, env={}).start(request_)
    assert not trial.poll()
    scheduler.answer = "gone"
    lock = trial_lock(request_.lock)
    assert not trial.poll()
    time.sleep(0.3)
    assert not trial.poll()
    lock.close()
    # Its last words may still be on their way.
    assert not trial.poll()
    assert ended(trial)
    result = trial.result()
    assert (result.state, result.exit_code) == ("not started", None)
    assert result.error == "look at 17"


def test_a_run_that_says_it_is_alive_keeps_its_trial_going(request_, scheduler):
    request_.folder.mkdir()
    status = Status(run="r", plugin="toy", task="work", preset="", state="running")
    write_status(request_.folder, status)
    scheduler.answer = "gone"
    trial = RemoteStarter(scheduler, threads=1, env={}).start(request_)
    assert not trial.poll()
    # Another machine's run whose heartbeat has stopped two minutes ago is lost.
    elsewhere = {**ProcessId.current().to_row(), "host": "elsewhere"}
    write_status(request_.folder, dataclasses.replace(status, owner=elsewhere))
    for age_s in (100, 200):
        assert not trial.poll()
        written = time.time() - age_s
        os.utime(request_.folder / "status.json", (written, written))
    assert ended(trial)
    assert trial.result().state == "lost"


def test_a_disk_that_knows_no_locks_is_no_obstacle(request_, scheduler, monkeypatch):
    def refuse(path):
        raise OSError("no locks available")

    monkeypatch.setattr("labcore.sweeps.trial.is_held", refuse)
    scheduler.answer = "gone"
    assert ended(RemoteStarter(scheduler, threads=1, env={}).start(request_))


def test_a_trial_of_an_earlier_controller_is_found_by_its_notes(request_, scheduler):
    first = RemoteStarter(scheduler, threads=1, env={})
    first.start(request_)
    name = scheduler.orders[0].name
    trial = RemoteStarter(scheduler, threads=1, env={}).adopt(request_)
    assert not trial.poll()
    Notes(request_.lock).write(Place(name=name, owner=OWNER))
    trial.stop()
    trial.kill()
    assert [row[:2] for row in scheduler.asked] == [("stop", name), ("kill", name)]
    assert scheduler.asked[0][2].owner == OWNER


def test_a_trial_that_was_never_handed_over_has_ended(request_, scheduler):
    trial = RemoteStarter(scheduler, threads=1, env={}).adopt(request_)
    assert trial.poll()
    trial.stop()
    trial.kill()
    assert scheduler.asked == []
    assert trial.where == ""
    assert trial.result().state == "not started"
    assert isinstance(trial, RemoteTrial)
