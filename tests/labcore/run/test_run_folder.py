import json
import threading
import time
from pathlib import Path

import pytest

from labcore import RequirementError, UsageError
from labcore.record import folder as folders
from labcore.record.artifacts import ArtifactStore
from labcore.record.files import write_atomically
from labcore.record.folder import create_run_folder
from labcore.record.status import Heartbeat, Status, read_status, write_status
from labcore.record.store import find_run, list_runs


def make_run(runs_dir, name="train", *, plugin="toy", state="finished", created=None, **fields):
    path = create_run_folder(runs_dir, plugin, name)
    status = Status(
        run=f"{plugin}/{path.name}", plugin=plugin, task="train", preset="", state=state
    )
    status.created = created if created is not None else time.time()
    for key, value in fields.items():
        setattr(status, key, value)
    write_status(path, status)
    return path


def test_runs_that_start_in_the_same_second_never_share_a_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(folders.time, "strftime", lambda _: "20260102-030405")
    made = []
    threads = [
        threading.Thread(target=lambda: made.append(create_run_folder(tmp_path, "toy", "train")))
        for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 20


def test_a_name_with_odd_characters_makes_a_safe_folder_name(tmp_path):
    made = create_run_folder(tmp_path, "toy", "../../etc/ä b:c")
    assert made.parent == tmp_path / "toy"
    assert made.is_dir()


def test_a_folder_that_cannot_be_made_is_a_requirement_with_a_remedy(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RequirementError, match="cannot be created") as caught:
        create_run_folder(tmp_path / "file", "toy", "train")
    assert "runs_dir=" in caught.value.fix


def test_an_unfinished_run_whose_process_is_gone_is_lost(tmp_path):
    status = Status(run="toy/x", plugin="toy", task="train", preset="", state="running")
    assert status.observed_state() == "running"
    status.owner["ticks"] -= 1000  # the same process id, another process
    assert status.observed_state() == "lost"


def test_the_heartbeat_goes_on_until_it_is_stopped():
    beats = []
    heartbeat = Heartbeat(lambda: beats.append(1), period_s=0.01)
    heartbeat.start()
    while len(beats) < 3:
        time.sleep(0.005)
    heartbeat.stop()
    count = len(beats)
    time.sleep(0.05)
    assert len(beats) == count


def test_a_heartbeat_that_cannot_be_written_does_not_end_the_beating():
    calls = []

    def write():
        calls.append(1)
        raise OSError("disk full")

    heartbeat = Heartbeat(write, period_s=0.01)
    heartbeat.start()
    while len(calls) < 2:
        time.sleep(0.005)
    heartbeat.stop()


def test_a_damaged_status_is_said_to_be_damaged(tmp_path):
    (tmp_path / "status.json").write_text("{half")
    with pytest.raises(ValueError, match="is damaged"):
        read_status(tmp_path)


def test_a_failed_write_leaves_the_old_file_and_no_temporary_one(tmp_path, monkeypatch):
    path = tmp_path / "file.txt"
    write_atomically(path, "old", durable=True)

    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(OSError, match="No space"):
        write_atomically(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_latest_is_the_newest_run_that_fits(tmp_path):
    make_run(tmp_path, created=1.0)
    wanted = make_run(tmp_path, created=2.0)
    make_run(tmp_path, created=3.0, state="failed")
    found = find_run(tmp_path, "latest", accept=lambda run: run.status.state == "finished")
    assert found.folder == wanted


def test_a_run_is_found_by_id_part_or_path_and_an_ambiguous_part_is_refused(tmp_path):
    one = make_run(tmp_path, "alpha")
    make_run(tmp_path, "beta")
    make_run(tmp_path, "beta")
    assert find_run(tmp_path, f"toy/{one.name}").folder == one
    assert find_run(tmp_path, "alpha").folder == one
    assert find_run(tmp_path, str(one)).folder == one
    with pytest.raises(UsageError, match="part of 2 runs"):
        find_run(tmp_path, "beta")


def test_no_fitting_run_says_what_to_do(tmp_path):
    with pytest.raises(UsageError) as caught:
        find_run(tmp_path, "latest", plugin="toy", wanted="run that trained a model")
    assert caught.value.fix == "train one first: lab run plugin=toy"
    make_run(tmp_path)
    with pytest.raises(UsageError, match="no run called 'nothing'"):
        find_run(tmp_path, "nothing")


def test_damaged_run_folders_are_left_out_of_the_list(tmp_path):
    make_run(tmp_path)
    (tmp_path / "toy" / "bad").mkdir()
    (tmp_path / "toy" / "bad" / "status.json").write_text("{")
    assert len(list_runs(tmp_path)) == 1


def test_an_artifact_made_again_replaces_its_row(tmp_path):
    store = ArtifactStore(tmp_path)
    path = tmp_path / "artifacts" / "a.png"
    path.parent.mkdir()
    path.write_bytes(b"123")
    store.add(store.describe(path, kind="image", title="first"))
    store.add(store.describe(path, kind="image", title="second"))
    (row,) = store.read()
    assert (row.title, row.size_bytes, row.path) == ("second", 3, "artifacts/a.png")
    assert json.loads((tmp_path / "artifacts" / "manifest.json").read_text())[0]["kind"] == "image"


def test_an_artifact_outside_the_run_folder_is_refused(tmp_path):
    inside = tmp_path / "run"
    inside.mkdir()
    outside = tmp_path / "x.txt"
    outside.write_text("x")
    with pytest.raises(ValueError, match="outside the run folder"):
        ArtifactStore(inside).describe(outside, kind="text", title="x")


def test_a_kind_of_artifact_that_there_is_not_is_refused_with_the_nearest(tmp_path):
    (tmp_path / "a.png").touch()
    with pytest.raises(ValueError, match=r"no kind 'pictur'; use one of audio, image"):
        ArtifactStore(tmp_path).describe(tmp_path / "a.png", kind="pictur", title="")
    with pytest.raises(ValueError, match=r"no kind 'imag'; did you mean image\?"):
        ArtifactStore(tmp_path).describe(tmp_path / "a.png", kind="imag", title="")
