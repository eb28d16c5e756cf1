"""Trials as processes: started, asked to stop, killed, and outliving their starter."""

import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from filelock import FileLock, Timeout

from labcore.errors import UsageError
from labcore.sweeps.trial import TrialRequest
from labcore.sweeps.trial_process import start_process

ROOT = Path(__file__).parents[3]
TOY = """
import os, signal, subprocess, sys, time

def work(run):
    if run.config.amount == 2:
        raise ValueError("two is too much")
    if run.config.amount == 3:
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    if run.config.amount == 4:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    run.log_metrics({"loss": 0.5}, step=1, phase="val")
    (run.folder / "ready").write_text(os.environ.get("LAB_TEST_WORD", ""))
    if run.config.amount > 2:
        time.sleep(60)
"""


@pytest.fixture
def request_for(write_plugin, monkeypatch, tmp_path):
    write_plugin("toy", TOY)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), str(ROOT)]))
    monkeypatch.chdir(tmp_path)

    def make(amount, **more):
        fields = {
            "sweep": "s",
            "number": 4,
            "overrides": ("plugin=toy", f"amount={amount}"),
            "folder": tmp_path / "runs" / "toy" / "trial",
            "log": tmp_path / "logs" / "output.txt",
            **more,
        }
        return TrialRequest(**fields)

    return make


@pytest.fixture
def start():
    started = []

    def begin(request):
        trial = start_process(request)
        started.append(trial)
        return trial

    yield begin
    for trial in started:
        trial.kill()
        wait_until(trial.poll)


def wait_until(condition, timeout_s=20.0):
    until = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def is_ready(request):
    return (request.folder / "ready").exists()


def test_a_trial_is_a_lab_run_in_the_folder_that_was_asked_for(request_for, start):
    request = request_for(1, env={"LAB_TEST_WORD": "hello"})
    trial = start(request)
    wait_until(trial.poll)
    result = trial.result()
    assert (result.state, result.exit_code, result.run) == ("finished", 0, request.folder)
    assert result.metrics == {"val/loss": 0.5}
    assert (request.folder / "ready").read_text() == "hello"
    assert "finished" in request.log.read_text()


def test_a_failure_comes_with_its_reason(request_for, start):
    trial = start(request_for(2))
    wait_until(trial.poll)
    result = trial.result()
    assert (result.state, result.exit_code) == ("failed", 1)
    assert "two is too much" in result.error


def test_a_trial_whose_config_is_wrong_says_so_and_leaves_no_run(request_for, start):
    request = request_for("many")
    trial = start(request)
    wait_until(trial.poll)
    result = trial.result()
    assert (result.state, result.exit_code, result.run) == ("not started", 2, None)
    assert "amount" in result.error
    assert not request.folder.exists()


def test_a_trial_ends_by_itself_when_it_is_asked_to(request_for, start):
    request = request_for(5)
    trial = start(request)
    wait_until(lambda: is_ready(request))
    assert not trial.poll()
    trial.stop()
    trial.stop()  # asked twice is asked once: a second signal would cut its checkpoint short
    wait_until(trial.poll)
    result = trial.result()
    assert (result.state, result.exit_code) == ("interrupted", 143)


def test_a_trial_that_does_not_stop_can_still_be_killed(request_for, start):
    request = request_for(4)
    trial = start(request)
    wait_until(lambda: is_ready(request))
    trial.stop()
    assert not trial.poll()
    trial.kill()
    wait_until(trial.poll)
    result = trial.result()
    assert (result.state, result.exit_code) == ("lost", 137)


def test_a_killed_trial_takes_its_children_with_it(request_for, start):
    request = request_for(3)
    trial = start(request)
    wait_until(lambda: is_ready(request))
    children = psutil.Process(trial.process.pid).children(recursive=True)
    assert children
    trial.kill()
    wait_until(trial.poll)
    _, alive = psutil.wait_procs(children, timeout=5)
    assert not alive
    assert trial.result().state == "lost"


def test_a_trial_outlives_its_starter_and_holds_its_lock_to_the_end(
    request_for, start, tmp_path, monkeypatch
):
    lock = tmp_path / "locks" / "trial.lock"
    request = request_for(5, lock=lock)
    program = (
        "import pickle, sys\n"
        "from labcore.sweeps.trial_process import start_process\n"
        "request = pickle.load(sys.stdin.buffer)\n"
        "print(start_process(request).process.pid)\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore::ResourceWarning", "-c", program],
        input=pickle.dumps(request),
        capture_output=True,
        timeout=30,
        check=True,
    )
    pid = int(done.stdout)
    try:
        wait_until(lambda: is_ready(request))
        with pytest.raises(Timeout):
            FileLock(lock).acquire(timeout=0)
        with pytest.raises(UsageError, match="a trial still runs"):
            start(request)
    finally:
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == "zombie")
    FileLock(lock).acquire(timeout=5).lock.release()


def test_nothing_is_kept_of_the_output_where_no_log_is_asked_for(request_for, start, capfd):
    trial = start(request_for(1, log=None))
    wait_until(trial.poll)
    assert trial.result().state == "finished"
    assert capfd.readouterr() == ("", "")
