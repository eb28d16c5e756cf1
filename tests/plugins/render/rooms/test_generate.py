"""Datasets as a whole: determinism, interruption, refusal."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from labcore.data.shards import ShardReader
from labcore.errors import RequirementError, UsageError
from plugins.render.rooms import SIZES, RoomsSpec, generate
from plugins.render.rooms import scene_shard as scene_shard_module
from plugins.render.rooms.make import prepare_tiny
from plugins.render.rooms.manifest import FIELDS
from plugins.render.rooms.scenes import LABELS

pytestmark = pytest.mark.ml

SPEC = RoomsSpec(scenes=4, frames=2, height=24, width=32)


def digests(folder):
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rooms") / "data"
    generate(SPEC, folder, workers=1)
    return folder


def test_the_bytes_do_not_depend_on_the_number_of_processes(dataset, tmp_path):
    generate(SPEC, tmp_path / "two", workers=2)
    assert digests(tmp_path / "two") == digests(dataset)


def test_another_seed_gives_other_pictures(dataset, tmp_path):
    generate(replace(SPEC, seed=1), tmp_path / "other", workers=1)
    ours, theirs = digests(dataset), digests(tmp_path / "other")
    shards = [name for name in ours if name.endswith(".tar")]
    assert all(ours[name] != theirs[name] for name in shards)


def test_the_folder_holds_shards_manifest_and_licence_and_nothing_else(dataset):
    assert sorted(digests(dataset)) == [
        "LICENSE",
        "manifest.json",
        "test/corridor-00003.tar",
        "train/corridor-00001.tar",
        "train/room-00000.tar",
        "val/room-00002.tar",
    ]
    assert "CC0 1.0 Universal" in (dataset / "LICENSE").read_text()


def test_the_manifest_tells_the_truth(dataset):
    manifest = json.loads((dataset / "manifest.json").read_text())
    found = digests(dataset)
    for shard in manifest["shards"]:
        assert shard["sha256"] == found[shard["path"]]
        assert shard["bytes"] == (dataset / shard["path"]).stat().st_size
    assert manifest["splits"] == {
        "train": {"scenes": 2, "frames": 4},
        "val": {"scenes": 1, "frames": 2},
        "test": {"scenes": 1, "frames": 2},
    }
    assert manifest["labels"] == list(LABELS)
    assert manifest["licence"] == "CC0-1.0"
    assert manifest["spec"]["seed"] == 0
    depths = [sample["depth"] for sample in ShardReader(dataset)]
    assert manifest["statistics"]["depth_max_m"] == pytest.approx(
        max(float(depth.max()) for depth in depths), abs=1e-3
    )


def test_samples_have_the_fields_shapes_and_types_that_the_manifest_says(dataset):
    size = {"H": 24, "W": 32}
    for split, count in (("train", 4), ("val", 2), ("test", 2)):
        reader = ShardReader(dataset, split=split)
        assert len(reader) == count
        for sample in reader:
            assert set(sample) == {ending.partition(".")[0] for ending in FIELDS}
            for ending, words in FIELDS.items():
                array = sample[ending.partition(".")[0]]
                if ending == "meta.json":
                    continue
                for kind in ("uint8", "uint16", "float32", "float16", "float64"):
                    shape = words.partition(f"{kind} [")[2].partition("]")[0]
                    if shape:
                        sizes = [size.get(part) or int(part) for part in shape.split(", ")]
                        assert (str(array.dtype), list(array.shape)) == (kind, sizes), ending


def test_the_poses_of_moving_things_are_given(tmp_path):
    spec = replace(SPEC, scenes=4, frames=3)
    generate(spec, tmp_path / "data", workers=1)
    samples = ShardReader(tmp_path / "data", split="val")[:]
    poses = [sample["meta"]["object_to_world"] for sample in samples]
    assert poses[0]
    assert poses[0].keys() == poses[2].keys()
    assert any(poses[0][thing] != poses[2][thing] for thing in poses[0])
    assert not ShardReader(tmp_path / "data", split="train")[0]["meta"]["object_to_world"]


def test_progress_counts_frames(tmp_path):
    told = []
    generate(
        SPEC, tmp_path / "a", workers=1, progress=lambda done, total: told.append((done, total))
    )
    assert told == [(0, 8), (2, 8), (4, 8), (6, 8), (8, 8)]


def test_a_complete_dataset_is_left_alone(dataset):
    before = {path: path.stat().st_mtime_ns for path in dataset.rglob("*")}
    told = []
    manifest = generate(SPEC, dataset, progress=lambda done, total: told.append((done, total)))
    assert manifest["splits"]["train"]["frames"] == 4
    assert told == [(8, 8)]
    assert {path: path.stat().st_mtime_ns for path in dataset.rglob("*")} == before


class Killed(BaseException):
    """Stands in for a signal."""


def test_what_a_stopped_generation_left_is_completed_to_the_same_bytes(
    dataset, tmp_path, monkeypatch
):
    out = tmp_path / "data"
    rendered = []
    original = scene_shard_module.make_scene

    def counting(seed, kind, **rest):
        rendered.append(kind)
        if len(rendered) == 3:
            raise Killed
        return original(seed, kind, **rest)

    monkeypatch.setattr(scene_shard_module, "make_scene", counting)
    with pytest.raises(Killed):
        generate(SPEC, out, workers=1)
    assert not (out / "manifest.json").exists()
    with pytest.raises(RequirementError, match="unfinished"):
        ShardReader(out)
    told = []
    generate(SPEC, out, workers=1, progress=lambda done, total: told.append(done))
    assert told == [4, 6, 8]
    assert len(rendered) == 3 + 2
    assert digests(out) == digests(dataset)


def test_a_shard_that_was_cut_is_made_again(dataset, tmp_path, monkeypatch):
    out = tmp_path / "data"
    original = scene_shard_module.make_scene
    calls = []

    def fail_at_last(seed, kind, **rest):
        calls.append(kind)
        if len(calls) == 4:
            raise Killed
        return original(seed, kind, **rest)

    monkeypatch.setattr(scene_shard_module, "make_scene", fail_at_last)
    with pytest.raises(Killed):
        generate(SPEC, out, workers=1)
    shard = out / "train/room-00000.tar"
    shard.write_bytes(shard.read_bytes()[:-100])
    (out / "train/.room-00009.tar.tmp").write_bytes(b"left by a killed process")
    generate(SPEC, out, workers=1)
    assert digests(out) == digests(dataset)


INTERRUPTED = """
import sys
from pathlib import Path
from plugins.render.rooms import RoomsSpec, generate
if __name__ == "__main__":
    spec = RoomsSpec(scenes=40, frames=8, height=48, width=64)
    try:
        generate(spec, Path(sys.argv[1]), workers=2, progress=lambda d, n: print(d, flush=True))
    except KeyboardInterrupt:
        sys.exit(130)
"""


def group_lives(leader):
    try:
        os.killpg(leader, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
def test_ctrl_c_ends_all_processes_soon_and_keeps_what_is_finished(tmp_path):
    script, out = tmp_path / "script.py", tmp_path / "data"
    script.write_text(INTERRUPTED)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [sys.executable, str(script), str(out)],
        stdout=subprocess.PIPE,
        env=environment,
        start_new_session=True,
    ) as process:
        assert process.stdout.readline() == b"0\n"
        done = int(process.stdout.readline())
        assert done > 0
        process.send_signal(signal.SIGINT)
        asked = time.monotonic()
        process.stdout.read()
        assert process.wait(30) == 130
    while group_lives(process.pid) and time.monotonic() - asked < 20:
        time.sleep(0.1)
    assert not group_lives(process.pid)
    assert not (out / "manifest.json").exists()
    records = list((out / ".unfinished").glob("*-*.json"))
    assert len(records) >= done // 8
    assert not list(out.rglob("*.tmp"))


def test_a_folder_with_another_dataset_is_refused(dataset):
    with pytest.raises(UsageError, match="holds another dataset"):
        generate(replace(SPEC, frames=3), dataset)


def test_a_folder_with_the_beginning_of_another_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(scene_shard_module, "make_scene", lambda *a, **k: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        generate(SPEC, tmp_path / "data", workers=1)
    with pytest.raises(UsageError, match="beginning of another dataset"):
        generate(replace(SPEC, frames=3), tmp_path / "data", workers=1)


def test_a_folder_with_somebody_elses_files_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(UsageError, match="is not empty"):
        generate(SPEC, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_folder_that_cannot_be_written_is_one_message(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RequirementError, match="cannot be written to") as caught:
        generate(SPEC, tmp_path / "file" / "data")
    assert caught.value.exit_code == 3


def test_a_disk_that_is_too_small_is_said_before_anything_is_rendered(tmp_path, monkeypatch):
    monkeypatch.setattr(scene_shard_module, "make_scene", lambda *a, **k: 1 / 0)
    huge = replace(SPEC, scenes=100_000, frames=1000, height=1000, width=1000)
    with pytest.raises(RequirementError, match=r"needs about 29\d{5}\.\d GB in"):
        generate(huge, tmp_path / "data", workers=1)


def test_the_declared_tiny_dataset_is_made_in_seconds(tmp_path):
    start = time.monotonic()
    prepare_tiny(None, tmp_path, tmp_path / "out")
    assert time.monotonic() - start < 30
    reader = ShardReader(tmp_path / "out")
    assert len(reader) == SIZES["tiny"].scenes * SIZES["tiny"].frames
