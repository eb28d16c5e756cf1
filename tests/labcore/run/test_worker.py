"""A process of a pool ends with the process that started it."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

PARENT = """
import multiprocessing, os, time
from concurrent.futures import ProcessPoolExecutor
from labcore.run.worker import follow_parent

def sleep(_):
    print(os.getpid(), flush=True)
    time.sleep(60)

if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context, initializer=follow_parent) as pool:
        pool.submit(sleep, 0).result()
"""


@pytest.fixture
def family(tmp_path):
    """A parent process and the worker that it has started."""
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as parent:
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
