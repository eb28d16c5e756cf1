"""Holding GPUs, and seeing who does."""

import dataclasses
import json
import os
import shutil
import stat
import sys
import time
from pathlib import Path

import pytest

from labcore.devices import Leases
from labcore.devices.lease.desk import lease_folder
from labcore.devices.lease.owner import Owner, read_note, this_process, write_note
from labcore.errors import RequirementError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="tests POSIX's locks")


@pytest.fixture
def leases(tmp_path):
    return Leases(tmp_path / "leases")


def test_a_leased_gpu_has_a_holder_until_it_is_given_back(leases, make_gpu):
    card = make_gpu()
    with leases.opened() as desk:
        assert desk.holder(card) is None
        lease = desk.take([card], this_process(run="toy/train", command=["lab", "run", "a b"]))
        holder = desk.holder(card)
        assert (holder.run, holder.pid, holder.uuids) == ("toy/train", os.getpid(), ("GPU-0",))
        assert holder.command == "lab run 'a b'"
        assert abs(holder.since - time.time()) < 10
        lease.release()
        assert desk.holder(card) is None


def test_several_are_taken_together_or_not_at_all(leases, make_gpu):
    cards = [make_gpu(number) for number in range(3)]
    with leases.opened() as desk:
        lease = desk.take([cards[1]], this_process())
        assert desk.take(cards, this_process()) is None
        assert desk.holder(cards[0]) is None
        lease.release()
        assert desk.take(cards, this_process()).uuids == ("GPU-0", "GPU-1", "GPU-2")


def test_a_slice_is_held_by_whoever_holds_its_card(leases, make_gpu):
    whole = make_gpu(0)
    piece = make_gpu(1, parent_uuid=whole.uuid)
    with leases.opened() as desk:
        desk.take([whole], this_process(run="a/b"))
        assert desk.holder(piece).run == "a/b"


def test_the_run_is_named_once_it_has_a_name_and_a_beat_shows_life(leases, make_gpu):
    card = make_gpu()
    with leases.opened() as desk:
        lease = desk.take([card], this_process(run="toy/train"))
    lease.name_run("toy/20260101-train")
    note = leases.folder / "GPU-0.json"
    os.utime(note, (0, 0))
    lease.beat()
    with leases.opened() as desk:
        assert desk.holder(card).run == "toy/20260101-train"
        assert time.time() - desk.heartbeat(card) < 60
        assert desk.heartbeat(make_gpu(7)) is None


def test_a_holder_whose_note_is_lost_still_holds(leases, make_gpu):
    card = make_gpu()
    with leases.opened() as desk:
        desk.take([card], this_process(run="toy/train"))
        (leases.folder / "GPU-0.json").write_text("{ not json")
        assert desk.holder(card).describe() == "a process that left no note"


def test_a_note_without_a_lock_means_nothing(leases, make_gpu):
    with leases.opened() as desk:
        write_note(leases.folder / "GPU-0.json", Owner(pid=1, run="a/b"))
        assert desk.holder(make_gpu()) is None


def test_old_names_of_slices_make_file_names(leases, make_gpu):
    piece = make_gpu(uuid="MIG-GPU-8f/7/0")
    with leases.opened() as desk:
        assert desk.take([piece], this_process()) is not None
        assert desk.holder(piece) is not None
    assert (leases.folder / "MIG-GPU-8f_7_0.lock").exists()


def test_every_user_may_take_part(leases, make_gpu):
    before = os.umask(0o077)
    try:
        with leases.opened() as desk:
            desk.take([make_gpu()], this_process())
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in leases.folder.iterdir()}
    assert stat.S_IMODE(leases.folder.stat().st_mode) == 0o1777
    assert modes["queue"] == 0o1777
    assert modes["GPU-0.lock"] == modes["GPU-0.json"] == modes["desk.lock"] == 0o666


def test_a_folder_that_cannot_be_used_is_a_requirement_that_names_the_variable(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(RequirementError, match="GPUs cannot be leased in") as caught:
        Leases(tmp_path / "file").opened().__enter__()
    assert "LAB_LEASE_DIR=" in caught.value.fix


def test_a_file_system_without_locks_is_told(leases, monkeypatch):
    import fcntl

    def no_locks(descriptor, kind):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    with (
        pytest.raises(RequirementError, match="Operation not supported"),
        leases.opened(),
    ):
        pass


def test_the_folder_is_one_for_all_users_unless_moved(monkeypatch, tmp_path):
    monkeypatch.setenv("LAB_LEASE_DIR", str(tmp_path))
    assert lease_folder() == tmp_path
    monkeypatch.delenv("LAB_LEASE_DIR")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert lease_folder() == Path("/tmp/lab-leases")
    monkeypatch.setattr(sys, "platform", "win32")
    assert lease_folder().name == "lab-leases"


def test_a_note_is_replaced_in_place_and_shorter_ones_leave_no_rest(tmp_path):
    path = tmp_path / "note.json"
    write_note(path, Owner(pid=1, run="a" * 200))
    inode = path.stat().st_ino
    write_note(path, Owner(pid=2, run="b"))
    assert read_note(path) == Owner(pid=2, run="b")
    assert path.stat().st_ino == inode
    assert read_note(tmp_path / "none.json") is None


def test_an_owner_is_told_with_process_user_and_host():
    owner = Owner(pid=12, run="a/b", user="ann", host="elsewhere", since=time.time() - 60)
    assert owner.describe() == "a/b (process 12, user ann on elsewhere) for 1 min"
    assert Owner(pid=3).describe() == "an unnamed run (process 3)"


def test_a_user_without_a_name_is_no_error(monkeypatch):
    def nameless():
        raise KeyError("uid not found")

    monkeypatch.setattr("getpass.getuser", nameless)
    assert this_process().user == ""


BAD_NOTES = {
    "empty": "",
    "no JSON": "{",
    "another's": "[1, 2]",
    "a word for a time": '{"pid": 1, "since": "x"}',
    "endless time": '{"pid": 1, "since": 1e400}',
    "no number": '{"pid": 1, "since": NaN}',
    "a number of 5,000 digits": '{"pid": ' + "9" * 5000 + "}",
    "a large number": '{"pid": 1, "since": ' + "9" * 400 + "}",
    "truth for a number": '{"pid": true}',
    "nobody": "{}",
    "below nobody": '{"pid": -4}',
    "text for a list": '{"pid": 1, "uuids": "GPU-0"}',
    "numbers in a list": '{"pid": 1, "uuids": [1]}',
    "deep": '{"pid": 1, "run": ' + "[" * 15_000 + "}",
    "deep and long": "[" * 100_000,
    "long": '{"pid": 1, "run": "' + "a" * 50_000 + '"}',
    "no UTF-8": b"\xff\xfe{",
}


@pytest.mark.parametrize("note", BAD_NOTES.values(), ids=BAD_NOTES)
def test_whatever_a_note_holds_its_card_is_leased_and_the_next_can_be(
    leases, make_gpu, caplog, note
):
    held, free = make_gpu(0), make_gpu(1)
    with leases.opened() as desk:
        desk.take([held], this_process(run="toy/train"))
        for card in (held, free):
            data = note if isinstance(note, bytes) else note.encode()
            (leases.folder / f"{card.uuid}.json").write_bytes(data)
        assert desk.holder(held).describe() == "a process that left no note"
        assert desk.take([held], this_process()) is None
        assert desk.take([free], this_process(run="toy/next")) is not None
        assert desk.holder(free).run == "toy/next"
    assert "is passed over" in caplog.text or not note


def test_bad_tickets_stand_in_nobodys_way(leases):
    with leases.opened() as desk:
        for number, note in enumerate(BAD_NOTES.values()):
            place = desk.queue.enter(this_process(run=f"toy/{number}"))
            data = note if isinstance(note, bytes) else note.encode()
            place._note.write_bytes(data)
        mine = desk.queue.enter(this_process(run="toy/mine"))
        assert [each.run for each in desk.queue.tickets().values()] == ["toy/mine"]
        mine.leave()


def test_a_note_cannot_steer_a_terminal(tmp_path):
    write_note(tmp_path / "note", Owner(pid=1, run="a\x1b[2Jb\u202ec\n"))
    assert read_note(tmp_path / "note").run == "a[2Jbc"


def test_a_pipe_or_a_link_in_the_place_of_a_note_is_not_waited_for_or_followed(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    write_note(tmp_path / "precious", Owner(pid=1))
    (tmp_path / "link").symlink_to(tmp_path / "precious")
    for name in ("pipe", "link"):
        assert read_note(tmp_path / name) is None
        with pytest.raises(OSError, match=r"No such device|symbolic links"):
            write_note(tmp_path / name, Owner(pid=2))
    assert read_note(tmp_path / "precious") == Owner(pid=1)


def test_a_card_whose_lock_file_was_deleted_is_not_given_twice(leases, make_gpu):
    card = make_gpu()
    with leases.opened() as desk:
        lease = desk.take([card], this_process(run="toy/train"))
    (leases.folder / f"{card.uuid}.lock").unlink()
    with leases.opened() as desk:
        assert desk.holder(card).run == "toy/train"
        assert desk.take([card], this_process()) is None
    lease.release()
    with leases.opened() as desk:
        assert desk.holder(card) is None
        assert desk.take([card], this_process()) is not None


def test_a_card_whose_files_were_all_deleted_is_defended_by_the_next_beat(leases, make_gpu):
    card = make_gpu()
    with leases.opened() as desk:
        lease = desk.take([card], this_process(run="toy/train"))
    shutil.rmtree(leases.folder)
    lease.beat()
    assert stat.S_IMODE(leases.folder.stat().st_mode) == 0o1777
    with leases.opened() as desk:
        assert desk.take([card], this_process()) is None


def test_the_note_of_a_process_that_is_gone_keeps_nobody_out(leases, make_gpu):
    card = make_gpu()
    with leases.opened() as desk:
        desk.take([card], this_process()).release()
        mine = this_process()
        gone = dataclasses.replace(mine.process, ticks=1)
        write_note(leases.folder / f"{card.uuid}.json", dataclasses.replace(mine, process=gone))
        assert desk.take([card], mine) is not None


def test_a_note_of_an_earlier_version_is_read(tmp_path):
    row = {"pid": 12, "host": "here", "run": "a/b", "since": 5, "uuids": ["GPU-0"], "count": 0}
    (tmp_path / "note").write_text(json.dumps(row))
    owner = read_note(tmp_path / "note")
    assert (owner.pid, owner.run, owner.uuids, owner.process) == (12, "a/b", ("GPU-0",), None)
    assert not owner.holds()
