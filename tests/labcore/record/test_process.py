"""Which process a note means, when clocks are set, numbers are used again and hosts differ."""

import dataclasses
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from labcore.record import process as module
from labcore.record.files import disk_time, seconds_since_written
from labcore.record.process import ProcessId, last_heard
from labcore.record.status import Status, read_status, write_status

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
LATER_S = 7200.0


@pytest.fixture
def child():
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.kill()
    process.wait()
    process.stdin.close()


@pytest.fixture
def set_clock(monkeypatch):
    """Sets the clock forward, as far as psutil can see."""
    create_time = psutil.Process.create_time

    def setting(seconds):
        monkeypatch.setattr(psutil.Process, "create_time", lambda self: create_time(self) + seconds)

    return setting


@linux
def test_a_process_lives_on_when_the_clock_is_set(child, set_clock):
    note = ProcessId.of(child.pid)
    set_clock(LATER_S)
    assert note.presence() == "alive"
    assert note.is_certain()


def test_what_a_note_names_is_found_again_by_reading_it(child):
    note = ProcessId.of(child.pid)
    assert ProcessId.from_row(note.to_row()) == note
    assert note.presence() == "alive"
    child.kill()
    child.wait()
    assert note.presence() == "gone"
    assert ProcessId.of(child.pid) is None


@linux
def test_a_process_that_ended_and_was_not_waited_for_is_gone_but_has_its_number(child):
    note = ProcessId.of(child.pid)
    child.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert note.presence() == "gone"
    assert note.is_zombie()
    child.wait()
    assert not note.is_zombie()


@linux
def test_the_next_process_of_a_number_is_another_and_gets_no_signal(child):
    earlier = dataclasses.replace(ProcessId.of(child.pid), ticks=1)
    assert earlier.presence() == "gone"
    earlier.kill_tree()
    earlier.send(signal.SIGTERM)
    time.sleep(0.05)
    assert child.poll() is None


@linux
def test_a_note_of_an_earlier_version_is_read_and_never_enough_to_kill(child, set_clock):
    row = {"host": ProcessId.current().host, "pid": child.pid, "started": time.time()}
    row["started"] = psutil.Process(child.pid).create_time()
    old = ProcessId.from_row(row)
    assert old.presence() == "alive"
    old.kill_tree()
    assert child.poll() is None
    # The clock was set, or it is another process: the heartbeat has to tell.
    set_clock(LATER_S)
    assert old.presence() == "unseen"
    assert old.is_alive(5.0)
    assert not old.is_alive(300.0)


@linux
def test_a_process_of_an_earlier_boot_is_gone_and_one_of_another_container_unseen():
    mine = ProcessId.current()
    assert dataclasses.replace(mine, boot="another").presence() == "gone"
    assert dataclasses.replace(mine, space="pid:[1]").presence() == "unseen"
    assert not dataclasses.replace(mine, space="pid:[1]").is_certain()


@linux
@pytest.mark.parametrize("name", ["a) R (b", "x y", ")))"])
def test_parentheses_in_a_command_do_not_shift_what_is_read(tmp_path, monkeypatch, name):
    fields = ["S", *map(str, range(4, 22)), "4711", "0"]
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "stat").write_text(f"7 ({name}) {' '.join(fields)}\n")
    monkeypatch.setattr(module, "_PROC", tmp_path)
    assert module._stat(7) == (False, 4711)


@pytest.mark.parametrize(
    "row",
    [
        None, [], "x", {}, {"host": "a"}, {"host": "a", "pid": "1"}, {"host": "a", "pid": True},
        {"host": 1, "pid": 1}, {"host": "a", "pid": -1}, {"host": "a", "pid": 1 << 40},
        {"host": "a", "pid": 1, "started": "x"}, {"host": "a", "pid": 1, "started": float("inf")},
        {"host": "a", "pid": 1, "started": 10**400},
        {"host": "a", "pid": 1, "started": float("nan")},
        {"host": "a", "pid": 1, "ticks": 1.5}, {"host": "a", "pid": 1, "boot": None},
    ],
)  # fmt: skip
def test_a_note_that_makes_no_sense_names_nobody(row):
    assert ProcessId.from_row(row) is None


def test_a_process_of_another_host_is_judged_by_its_heartbeat():
    elsewhere = ProcessId(host="elsewhere", pid=os.getpid())
    assert elsewhere.is_alive(5.0)
    assert not elsewhere.is_alive(3600.0)
    assert not elsewhere.is_certain()


def running(folder: Path, *, host: str, clock: float) -> Status:
    """Lets a run write its status on a host whose clock is off by some seconds."""
    owner = {**ProcessId.current().to_row(), "host": host}
    status = Status(run="r", plugin="toy", task="t", preset="", state="running", owner=owner)
    status.heartbeat = time.time() + clock
    write_status(folder, status)
    return status


@pytest.mark.parametrize("clock", [-LATER_S, -130.0, 0.0, 130.0, LATER_S])
def test_a_run_of_a_host_with_another_clock_lives_and_is_lost_when_it_falls_silent(tmp_path, clock):
    running(tmp_path, host="elsewhere", clock=clock)
    assert read_status(tmp_path).observed_state() == "running"
    assert abs(read_status(tmp_path).heartbeat - time.time()) < 5
    silent = time.time() - 300
    os.utime(tmp_path / "status.json", (silent, silent))
    assert read_status(tmp_path).observed_state() == "lost"


def test_where_nothing_may_be_written_a_file_of_the_future_is_new(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    note = tmp_path / "note"
    note.write_text("x")
    os.utime(note, (time.time() + LATER_S,) * 2)
    assert seconds_since_written(note) == 0.0


def test_the_clock_of_the_disk_is_read_and_nothing_stays_behind(tmp_path):
    assert abs(disk_time(tmp_path) - time.time()) < 5
    assert list(tmp_path.iterdir()) == []


def test_the_word_of_a_process_that_can_be_seen_is_its_own(tmp_path):
    (tmp_path / "note").touch()
    assert last_heard(ProcessId.current(), 17.0, tmp_path / "note") == 17.0
