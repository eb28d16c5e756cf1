"""A trial on its machine: started once, told by signals, and never left behind."""

import contextlib
import dataclasses
import json
import os
import pickle
import signal
import subprocess
import sys
import threading
import time

import pytest

from labcore.record.locks import is_held
from labcore.record.status import read_status
from labcore.sweeps.launchers import supervise as module
from labcore.sweeps.launchers.notes import Job, Notes, Order
from labcore.sweeps.launchers.supervise import Supervisor, end_with
from labcore.sweeps.trial import TrialRequest
from labcore.sweeps.trial_process import start_process, trial_lock
from tests.labcore.sweeps.sweeping import wait_until

NAME = "s-0000-1"


@pytest.fixture
def order(tmp_path, toy):
    request = TrialRequest(
        sweep="s",
        number=0,
        overrides=(
            "plugin=toy",
            "hooks=none",
            "device=cpu",
            "steps=60",
            "pause_s=0.1",
            f"runs_dir={tmp_path / 'runs'}",
        ),
        folder=tmp_path / "runs" / "toy" / "s-0000",
        lock=tmp_path / "trials" / "0000.lock",
        log=tmp_path / "trials" / "0000.log",
    )
    Notes(request.lock).write(Job(name=NAME))
    return Order(name=NAME, request=request, folder=str(tmp_path))


def quick(order):
    words = tuple("steps=2" if word == "steps=60" else word for word in order.request.overrides)
    return dataclasses.replace(order, request=dataclasses.replace(order.request, overrides=words))


def checkpoint(order):
    return order.request.folder / "checkpoints" / "state.pt"


def steps_of(order):
    lines = (order.request.folder / "metrics.jsonl").read_text().splitlines()
    return [json.loads(line)["step"] for line in lines]


def test_a_trial_is_run_to_its_end_and_its_place_written_down(order, monkeypatch, tmp_path):
    monkeypatch.setenv("SLURM_PROCID", "3")  # it would make the run one of several
    monkeypatch.setenv("SLURM_NTASKS", "4")
    monkeypatch.chdir("/")
    assert Supervisor(quick(order)).run() == 0
    assert steps_of(order) == [1, 2]
    place = order.notes.read_place(NAME)
    assert place.exit_code == 0
    assert place.owner.host == read_status(order.request.folder).owner["host"]
    assert place.owner.pid == read_status(order.request.folder).owner["pid"]
    assert not is_held(order.request.lock)


def test_a_job_that_was_replaced_does_not_start(order):
    order.notes.write(Job(name="s-0000-2"))
    assert Supervisor(order).run() is None
    order.notes.lock.with_suffix(".job").unlink()
    assert Supervisor(order).run() is None
    assert not order.request.folder.exists()


def test_nor_does_one_whose_trial_still_runs(order):
    lock = trial_lock(order.request.lock)
    assert Supervisor(order).run() is None
    lock.close()
    assert order.notes.read_place(NAME) is None


def test_a_disk_without_locks_still_runs_the_trial(order, monkeypatch):
    seen = []

    def start(request, *arguments, **options):
        seen.append(request.lock)
        if request.lock is not None:
            raise OSError("no locks available")
        return start_process(request, *arguments, **options)

    monkeypatch.setattr(module, "start_process", start)
    assert Supervisor(quick(order)).run() == 0
    assert seen == [order.request.lock, None]


def test_an_exit_code_of_a_wrong_config_comes_through(order):
    request = dataclasses.replace(order.request, overrides=("plugin=toy", "nothing=1"))
    assert Supervisor(dataclasses.replace(order, request=request)).run() == 2
    assert order.notes.read_place(NAME).exit_code == 2
    assert "nothing" in order.request.log.read_text()


JOB = """
import pickle, sys
from labcore.sweeps.launchers.supervise import supervise
sys.exit(supervise(pickle.loads(bytes.fromhex(sys.argv[1]))) or 0)
"""


@pytest.fixture
def job(order):
    """A process that runs the trial as a job of a scheduler does."""
    process = subprocess.Popen([sys.executable, "-c", JOB, pickle.dumps(order).hex()])
    wait_until(checkpoint(order).exists, 60)
    yield process
    process.kill()
    process.wait()
    with contextlib.suppress(AttributeError, ProcessLookupError):
        os.kill(order.notes.read_place(NAME).owner.pid, signal.SIGKILL)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR2])
def test_a_signal_of_the_scheduler_lets_the_trial_write_a_checkpoint(job, order, number):
    job.send_signal(number)
    assert job.wait(timeout=30) == 143
    assert read_status(order.request.folder).state == "interrupted"
    assert steps_of(order)[-1] == int(checkpoint(order).read_text())


def test_a_warning_to_all_processes_of_a_job_is_heeded_once(job, order):
    place = order.notes.read_place(NAME)
    os.kill(place.owner.pid, signal.SIGUSR2)  # would end any other process
    time.sleep(0.5)
    assert place.owner.is_alive(0.0)
    job.send_signal(signal.SIGUSR2)
    assert job.wait(timeout=30) == 143
    assert steps_of(order)[-1] == int(checkpoint(order).read_text())


def test_a_supervisor_that_is_killed_takes_its_trial_along_after_a_checkpoint(job, order):
    place = order.notes.read_place(NAME)
    job.kill()
    job.wait()
    assert is_held(order.request.lock)  # nobody else starts it meanwhile
    wait_until(lambda: not place.owner.is_alive(0.0), 30)
    assert read_status(order.request.folder).state == "interrupted"
    assert steps_of(order)[-1] == int(checkpoint(order).read_text())
    assert order.notes.read_place(NAME).exit_code is None


def run_in_thread(supervisor):
    codes = []
    thread = threading.Thread(target=lambda: codes.append(supervisor.run()))
    thread.start()
    return thread, codes


@pytest.mark.parametrize(
    ("at_once", "code", "state"), [(False, 143, "interrupted"), (True, 137, "lost")]
)
def test_a_supervisor_stops_and_kills_from_another_thread(order, at_once, code, state):
    supervisor = Supervisor(order)
    thread, codes = run_in_thread(supervisor)
    wait_until(checkpoint(order).exists, 60)
    supervisor.end(at_once=at_once)
    thread.join(timeout=30)
    assert codes == [code]
    assert read_status(order.request.folder).observed_state() == state


def test_a_process_ends_as_soon_as_the_other_has(monkeypatch):
    sent = []
    monkeypatch.setattr(os, "kill", lambda *words: sent.append(words))
    tie, other = os.pipe()
    thread = threading.Thread(target=end_with, args=(tie,))
    thread.start()
    time.sleep(0.1)
    assert sent == []
    os.close(other)
    thread.join(timeout=10)
    os.close(tie)
    assert sent == [(os.getpid(), signal.SIGTERM)]
