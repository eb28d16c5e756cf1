"""Jobs in processes: what comes back, how they stop, and that nothing is left behind."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from labcore.kit.pool import in_processes, stop_if_asked

WORDS = {"doing": "adds", "fix": "add less"}
SCRIPT = """
import os, signal, sys, time
from pathlib import Path
from labcore.errors import RunFailed
from labcore.kit.pool import in_processes, stop_if_asked

def square(number):
    time.sleep(0.3 if number == 0 else 0)
    return number, number ** 2, os.getpid()

def die(number):
    os.kill(os.getpid(), signal.SIGKILL)

def fail(number):
    raise ValueError(f"no {number}")

def sleep(number):
    print(os.getpid(), flush=True)
    time.sleep(60)

def until_asked(number):
    if number:
        while True:
            stop_if_asked()
            time.sleep(0.01)

def main(work, count, take):
    words = {"doing": "adds", "fix": "add less"}
    with in_processes(globals()[work], range(count), workers=2, **words) as finished:
        for job, result in finished:
            print(job, result, flush=True)
            if take == 1:
                raise KeyboardInterrupt

if __name__ == "__main__":
    try:
        main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
    except (RunFailed, ValueError, KeyboardInterrupt) as error:
        print(type(error).__name__, error)
"""


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "script.py"
    path.write_text(SCRIPT)
    return path


def lines_of(script, *words):
    command = [sys.executable, script, *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


def test_with_one_worker_jobs_are_done_here_and_in_order():
    with in_processes(lambda n: (n * n, os.getpid()), [3, 1, 2], workers=1, **WORDS) as finished:
        assert list(finished) == [(n, (n * n, os.getpid())) for n in (3, 1, 2)]


def test_one_job_or_none_starts_no_process():
    for jobs in ([], [5]):
        with in_processes(lambda n: os.getpid(), jobs, workers=8, **WORDS) as finished:
            assert list(finished) == [(job, os.getpid()) for job in jobs]


def test_here_a_job_is_begun_only_when_the_one_before_was_taken():
    begun = []
    with in_processes(begun.append, [1, 2, 3], workers=1, **WORDS) as finished:
        next(finished)
    assert begun == [1]


def test_here_nobody_asks_a_job_to_stop():
    stop_if_asked()


def test_each_job_comes_with_its_result_as_soon_as_it_is_finished(script):
    lines = lines_of(script, "square", "6", "6")
    found = [line.replace("(", "").replace(",", "").split() for line in lines]
    assert sorted(row[:3] for row in found) == [[str(n), str(n), str(n * n)] for n in range(6)]
    assert found[0][0] != "0"  # the slow one is not waited for


def test_the_error_of_a_job_is_raised_here(script):
    assert lines_of(script, "fail", "2", "2") in (["ValueError no 0"], ["ValueError no 1"])


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_a_process_that_died_is_said_to_have_run_out_of_memory(script):
    message = "a process that adds died; the machine may be out of memory"
    assert lines_of(script, "die", "4", "4")[:2] == [f"RunFailed {message}", "  fix: add less"]


def test_when_the_block_ends_jobs_under_way_stop_where_they_ask(script):
    start = time.monotonic()
    assert lines_of(script, "until_asked", "3", "1") == ["0 None", "KeyboardInterrupt "]
    assert time.monotonic() - start < 30


@pytest.fixture
def family(script):
    """A parent process and a worker that it has started."""
    command = [sys.executable, script, "sleep", "2", "2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        worker = psutil.Process(int(parent.stdout.readline()))
        yield parent, worker
        parent.kill()


def test_a_worker_ends_when_its_parent_is_killed(family):
    parent, worker = family
    parent.kill()
    worker.wait(timeout=30)


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is no signal to one process there")
def test_a_worker_leaves_ctrl_c_to_its_parent(family):
    _, worker = family
    os.kill(worker.pid, signal.SIGINT)
    time.sleep(0.3)
    assert worker.is_running()
    assert worker.status() != psutil.STATUS_ZOMBIE
