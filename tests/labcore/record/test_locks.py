"""Locks that end with their process."""

import os
import signal
import stat
import sys
import threading
import time

import pytest

from labcore.errors import RequirementError
from labcore.record.locks import KernelLock, exclusive, is_held
from tests.labcore.devices.children import child, stopped

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="flock is POSIX's")
HOLD = """
    import sys
    from pathlib import Path
    from labcore.record.locks import KernelLock
    lock = KernelLock(Path({path!r}))
    print(lock.try_lock())
    sys.stdin.read()
"""


def test_two_cannot_have_a_lock_at_a_time(tmp_path):
    first, second = KernelLock(tmp_path / "a"), KernelLock(tmp_path / "a")
    assert first.try_lock()
    assert not second.try_lock()
    first.close()
    assert second.try_lock()
    second.close()


def test_a_shared_lock_is_had_by_several_and_keeps_others_out(tmp_path):
    locks = [KernelLock(tmp_path / "a") for _ in range(3)]
    assert locks[0].try_lock(shared=True)
    assert locks[1].try_lock(shared=True)
    assert not locks[2].try_lock()
    for lock in locks:
        lock.close()


def test_the_kernel_frees_the_lock_of_a_killed_process(tmp_path):
    path = tmp_path / "a"
    mine = KernelLock(path)
    with child(HOLD.format(path=str(path)), {}) as holder:
        assert holder.stdout.readline() == "True\n"
        assert not mine.try_lock()
        stopped(holder)
        assert mine.try_lock()
    mine.close()


def test_a_forked_child_keeps_the_lock_when_its_parent_gives_it_up(tmp_path):
    lock = KernelLock(tmp_path / "a")
    assert lock.try_lock()
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(writing)
        os.read(reading, 1)
        os._exit(0)
    try:
        os.close(reading)
        lock.close()
        other = KernelLock(tmp_path / "a")
        assert not other.try_lock()
    finally:
        os.close(writing)
        os.waitpid(pid, 0)
    assert other.try_lock()
    other.close()


def test_a_file_that_was_deleted_and_made_anew_is_not_mistaken_for_the_old(tmp_path, monkeypatch):
    path = tmp_path / "a"
    path.touch()
    import fcntl

    real, calls = fcntl.flock, []

    def deletes_first(descriptor, kind):
        if not calls:
            path.unlink()
        calls.append(kind)
        real(descriptor, kind)

    monkeypatch.setattr(fcntl, "flock", deletes_first)
    lock = KernelLock(path)
    assert lock.try_lock()
    assert len(calls) == 2
    assert not KernelLock(path).try_lock()
    lock.close()


def test_the_file_is_for_every_user_whatever_the_umask(tmp_path):
    before = os.umask(0o077)
    try:
        lock = KernelLock(tmp_path / "a")
        assert lock.try_lock()
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o666
    lock.close()


def test_a_lock_that_is_not_ones_own_to_write_is_taken_by_reading(tmp_path, monkeypatch):
    path = tmp_path / "a"
    path.touch()
    real = os.open

    def may_only_read(name, flags, mode=0o777):
        if flags & os.O_RDWR:
            raise PermissionError(13, "Permission denied", name)
        return real(name, flags, mode)

    monkeypatch.setattr(os, "open", may_only_read)
    lock = KernelLock(path)
    assert lock.try_lock()
    lock.close()


def test_a_link_in_the_place_of_a_lock_is_not_followed(tmp_path):
    (tmp_path / "precious").write_text("data")
    (tmp_path / "a").symlink_to(tmp_path / "precious")
    with pytest.raises(OSError, match=r"symbolic links|Too many"):
        KernelLock(tmp_path / "a").try_lock()


def test_one_at_a_time_is_let_in(tmp_path):
    inside, most = [], []

    def visit():
        for _ in range(20):
            with exclusive(tmp_path / "desk"):
                inside.append(1)
                most.append(len(inside))
                time.sleep(0.0005)
                inside.pop()

    threads = [threading.Thread(target=visit) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(most), max(most)) == (80, 1)


def test_who_waits_too_long_is_told_how_to_find_the_cause(tmp_path):
    lock = KernelLock(tmp_path / "desk")
    assert lock.try_lock()
    with (
        pytest.raises(RequirementError, match=r"locked for 0\.05 s") as caught,
        exclusive(tmp_path / "desk", patience_s=0.05),
    ):
        pass
    assert f"fuser {tmp_path / 'desk'}" in caught.value.fix
    lock.close()


def test_touching_makes_a_lock_look_used(tmp_path):
    lock = KernelLock(tmp_path / "a")
    lock.touch()  # a file that is gone is no error
    assert lock.try_lock()
    os.utime(tmp_path / "a", (0, 0))
    lock.touch()
    assert time.time() - (tmp_path / "a").stat().st_mtime < 60
    lock.close()


def test_looking_at_a_lock_never_keeps_anybody_from_taking_it(tmp_path):
    path = tmp_path / "a"
    path.touch()
    lookers = []
    try:
        for _ in range(3):
            pid = os.fork()
            while pid == 0:
                is_held(path)
            lookers.append(pid)
        lock = KernelLock(path)
        for _ in range(2000):
            assert lock.take()
            lock.close()
    finally:
        for pid in lookers:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def test_one_who_looks_sees_who_has_a_lock_and_makes_none(tmp_path):
    assert not is_held(tmp_path / "a")
    assert not (tmp_path / "a").exists()
    lock, other = KernelLock(tmp_path / "a"), KernelLock(tmp_path / "a")
    assert lock.take()
    assert is_held(tmp_path / "a")
    assert not other.take()
    lock.close()
    assert not is_held(tmp_path / "a")
