"""Trials of one worker: apart from each other, from their starter, and as fast as forks are."""

import contextlib
import dataclasses
import errno
import json
import os
import signal
import socket
import subprocess
import sys
import time

import psutil
import pytest

from labcore.record.locks import is_held
from labcore.record.process import ProcessId
from labcore.record.status import read_status
from labcore.sweeps.agents import LocalStarter
from labcore.sweeps.agents.local import can_fork
from labcore.sweeps.trial import TrialRequest
from labcore.sweeps.trial_process import (
    TrialProcess,
    holder_of,
    kill_group,
    name_holder,
    trial_lock,
)
from tests.labcore.sweeps.sweeping import PLUGIN, wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="trials are forked on Linux only")

LEAKY = """
import json, os, random, sys
STATE = []
random_before = random.random()

@dataclass(kw_only=True, slots=True)
class Options:
    '''Options.'''
    act: str = ""

def work(run):
    found = {
        "state": list(STATE),
        "variable": os.environ.get("LEAK", ""),
        "cwd": os.getcwd(),
        "modules": "this" in sys.modules or "lab_leak" in sys.modules,
        "random": random.random(),
        "pid": os.getpid(),
        "leads": os.getsid(0) == os.getpid(),
        "parent": os.getppid(),
        "held": len(os.environ.get("LAB_TRIAL_FOLDER", "")),
        "stdin": sys.stdin.read() if sys.stdin else "",
    }
    (run.folder / "found.json").write_text(json.dumps(found))
    STATE.extend([1] * 1000)
    os.environ["LEAK"] = "yes"
    os.chdir("/")
    sys.modules["lab_leak"] = sys
    if run.config.act == "crash":
        os.abort()
    if run.config.act == "exit":
        os._exit(7)

plugin = Plugin(name="leaky", summary="Leaks.", config=Options, tasks=(
    Task(name="work", summary="Works.", run=f"{__name__}:work"),))
"""


@pytest.fixture
def starter(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = []

    def make(plugin, **options):
        made.append(
            LocalStarter(
                plugin=plugin,
                overrides=["hooks=none"],
                framework="none",
                threads=1,
                log=tmp_path / "worker.log",
                **options,
            )
        )
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def request_of(tmp_path):
    def make(plugin, number, *overrides):
        return TrialRequest(
            sweep="s",
            number=number,
            overrides=(f"plugin={plugin}", "hooks=none", "device=cpu", *overrides),
            folder=tmp_path / "runs" / f"{number:04}",
            log=tmp_path / f"{number:04}.log",
            lock=tmp_path / f"{number:04}.lock",
        )

    return make


def finish(trial):
    wait_until(trial.poll)
    return trial.result()


def found_by(request):
    return json.loads((request.folder / "found.json").read_text())


@pytest.mark.parametrize("warm", [True, False])
def test_a_trial_is_a_lab_run_in_the_folder_that_was_chosen_for_it(
    write_plugin, starter, request_of, warm
):
    write_plugin("toy", PLUGIN)
    result = finish(starter("toy", warm=warm).start(request_of("toy", 7, "x=0.3")))
    assert (result.state, result.exit_code) == ("finished", 0)
    assert result.metrics == {"val/loss": pytest.approx(0.25)}
    status = read_status(result.run)
    assert (status.sweep, status.trial) == ("s", 7)


def test_nothing_of_a_trial_is_left_for_the_next(write_plugin, starter, request_of, tmp_path):
    write_plugin("leaky", LEAKY)
    one = starter("leaky")
    requests = [request_of("leaky", number) for number in range(3)]
    for request in requests:
        assert finish(one.start(request)).state == "finished"
    found = [found_by(request) for request in requests]
    for each in found:
        assert each["state"] == []
        assert each["variable"] == ""
        assert each["cwd"] == str(tmp_path)
        assert not each["modules"]
        assert each["leads"]
        assert each["held"] == 0
        assert each["stdin"] == ""
    assert len({each["pid"] for each in found}) == 3
    assert len({each["random"] for each in found}) == 3
    assert {each["parent"] for each in found} == {one._worker.pid}


def test_memory_that_a_trial_takes_is_not_the_workers(write_plugin, starter, request_of):
    body = LEAKY.replace("STATE.extend([1] * 1000)", "STATE.append(b'x' * 200_000_000)")
    write_plugin("leaky", body)
    one = starter("leaky")
    finish(one.start(request_of("leaky", 0)))
    before = psutil.Process(one._worker.pid).memory_info().rss
    finish(one.start(request_of("leaky", 1)))
    assert psutil.Process(one._worker.pid).memory_info().rss < before + 20_000_000


@pytest.mark.parametrize(("act", "code"), [("crash", 128 + signal.SIGABRT), ("exit", 7)])
def test_a_crash_ends_its_trial_and_nothing_else(write_plugin, starter, request_of, act, code):
    write_plugin("leaky", LEAKY)
    one = starter("leaky")
    result = finish(one.start(request_of("leaky", 0, f"act={act}")))
    assert (result.state, result.exit_code) == ("lost", code)
    worker = one._worker.pid
    assert finish(one.start(request_of("leaky", 1))).state == "finished"
    assert one._worker.pid == worker


def test_a_wrong_override_is_told_with_its_exit_code(write_plugin, starter, request_of):
    write_plugin("toy", PLUGIN)
    result = finish(starter("toy").start(request_of("toy", 0, "nonsense=1")))
    assert (result.state, result.exit_code) == ("not started", 2)
    assert "nonsense" in result.error


def test_a_trial_outlives_its_worker_and_the_next_worker_goes_on(write_plugin, starter, request_of):
    write_plugin("toy", PLUGIN)
    one = starter("toy")
    request = request_of("toy", 0, "pause_s=0.2")
    trial = one.start(request)
    wait_until(lambda: holder_of(request.lock) is not None)
    worker = psutil.Process(one._worker.pid)
    worker.kill()
    wait_until(lambda: worker.status() == psutil.STATUS_ZOMBIE)
    assert not trial.poll()
    assert finish(one.start(request_of("toy", 1))).state == "finished"
    assert finish(trial).state == "finished"


def test_a_trial_can_be_followed_by_somebody_who_did_not_start_it(
    write_plugin, starter, request_of
):
    write_plugin("toy", PLUGIN)
    request = request_of("toy", 0, "pause_s=0.1", "steps=200")
    starter("toy").start(request)
    wait_until(lambda: holder_of(request.lock) is not None)
    stranger = TrialProcess(request)
    wait_until(lambda: (request.folder / "checkpoints" / "state.pt").exists())
    assert not stranger.poll()
    stranger.stop()
    assert finish(stranger).state == "interrupted"


def test_a_trial_that_runs_already_is_not_started_twice(write_plugin, starter, request_of):
    write_plugin("toy", PLUGIN)
    one = starter("toy")
    request = request_of("toy", 0, "pause_s=0.1", "steps=200")
    first = one.start(request)
    wait_until(lambda: holder_of(request.lock) is not None)
    before = holder_of(request.lock)
    second = starter("toy").start(request)
    wait_until(lambda: second._ask() is None)
    assert not second.poll()
    assert holder_of(request.lock) == before
    second.kill()
    assert finish(first).state == "lost"
    wait_until(second.poll)


def test_a_stop_that_comes_before_the_trial_has_a_process_reaches_it(tmp_path, request_of):
    request = request_of("toy", 0)
    lock = trial_lock(request.lock)
    trial = TrialProcess(request)
    trial.stop()
    child = os.fork()
    if child == 0:
        signal.pause()
        os._exit(0)
    name_holder(request.lock, child)
    assert not trial.poll()
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGTERM
    lock.close()
    assert trial.poll()


def test_a_stop_does_not_go_to_the_process_of_an_earlier_attempt(request_of, session):
    request = request_of("toy", 0)
    earlier, now = session("input()"), session("import time; time.sleep(60)")
    earlier.wait()
    request.lock.write_text(json.dumps({"host": socket.gethostname(), "pid": earlier.pid}))
    words = ["waiting", None, None]
    trial = TrialProcess(request, lambda: words.pop(0) if words else "running")
    trial.stop()
    assert not trial.poll()  # it waits, and nobody is asked yet
    lock = trial_lock(request.lock)
    name_holder(request.lock, now.pid)
    assert not trial.poll()
    assert now.wait(10) == -signal.SIGTERM
    lock.close()


def test_a_lock_is_free_when_its_last_process_is_gone(tmp_path):
    path = tmp_path / "lock"
    assert not is_held(path)
    lock = trial_lock(path)
    assert trial_lock(path) is None
    child = os.fork()
    if child == 0:
        signal.pause()
        os._exit(0)
    lock.close()
    assert is_held(path)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert not is_held(path)
    assert holder_of(path) is None


@pytest.fixture
def session():
    """Returns a function that starts a process in a session of its own, for as long as the test."""
    started = []

    def start(code, *descriptors):
        command = [sys.executable, "-c", code]
        started.append(
            subprocess.Popen(
                command, stdout=subprocess.PIPE, start_new_session=True, pass_fds=descriptors
            )
        )
        return started[-1]

    yield start
    for process in started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()


def test_the_note_in_a_lock_names_the_host_and_the_process(tmp_path, session):
    process = session("import time; time.sleep(60)")
    name_holder(tmp_path / "lock", process.pid)
    row = json.loads((tmp_path / "lock").read_text())
    assert (row["host"], row["pid"]) == (socket.gethostname(), process.pid)
    assert holder_of(tmp_path / "lock") == ProcessId.of(process.pid)


def test_a_note_that_makes_no_sense_names_nobody(tmp_path):
    for damaged in ("", "1", "x y", "{", "[" * 100_000, '{"pid": "1"}', "{}"):
        (tmp_path / "lock").write_text(damaged)
        assert holder_of(tmp_path / "lock") is None


def test_a_group_that_has_the_number_of_a_trial_and_not_its_lock_is_left_alone(tmp_path, session):
    (tmp_path / "lock").touch()
    stranger = session("import time; time.sleep(60)")
    kill_group(dataclasses.replace(ProcessId.of(stranger.pid), ticks=1), tmp_path / "lock")
    time.sleep(0.05)
    assert stranger.poll() is None


def test_what_a_killed_trial_has_left_behind_is_known_by_its_lock(tmp_path, session):
    lock = trial_lock(tmp_path / "lock")
    code = "import os; os.fork() or print(flush=True); import time; time.sleep(60)"
    leader = session(code, lock.descriptor)
    leader.stdout.readline()
    lock.close()
    holder = ProcessId.of(leader.pid)
    leader.kill()
    leader.wait()
    assert is_held(tmp_path / "lock")
    kill_group(holder, tmp_path / "lock")
    wait_until(lambda: not is_held(tmp_path / "lock"))


def test_where_a_disk_has_no_locks_nobody_is_taken_to_hold_one(tmp_path, monkeypatch):
    import fcntl

    def no_locks(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    (tmp_path / "lock").touch()
    monkeypatch.setattr(fcntl, "flock", no_locks)
    assert not is_held(tmp_path / "lock")


def test_a_worker_that_cannot_import_the_plugin_leaves_it_to_fresh_processes(
    write_plugin, starter, request_of
):
    write_plugin("toy", PLUGIN)
    one = starter("broken")
    trial = one.start(request_of("toy", 0))
    assert finish(trial).state == "not started"
    assert not one.warm
    assert finish(one.start(request_of("toy", 0))).state == "finished"


@pytest.mark.parametrize(
    ("framework", "platform", "may"),
    [
        ("torch", "linux", True),
        ("none", "linux", True),
        ("tensorflow", "linux", False),
        ("torch", "darwin", False),
        ("none", "win32", False),
    ],
)
def test_forks_are_for_frameworks_and_platforms_that_bear_them(framework, platform, may):
    assert can_fork(framework, platform) is may
