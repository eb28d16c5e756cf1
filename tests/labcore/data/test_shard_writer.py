"""Writing shards: read back by WebDataset's own library, by tarfile, and by the core's reader."""

import gc
import hashlib
import json
import sys
import tarfile

import pytest

from labcore.data.shard_writer import encode, write_shard
from labcore.data.shards import ShardReader
from labcore.errors import RequirementError

np = pytest.importorskip("numpy")
pytestmark = pytest.mark.ml


def samples(count=3):
    rng = np.random.default_rng(0)
    for index in range(count):
        yield (
            f"room-00000/{index:04d}",
            {
                "rgb.png": rng.integers(0, 256, (6, 8, 3), dtype=np.uint8),
                "instances.png": rng.integers(0, 2000, (6, 8)).astype(np.uint16),
                "depth.npy": rng.uniform(0, 9, (6, 8)).astype(np.float32),
                "normals.npy.gz": np.zeros((6, 8, 3), np.float16),
                "meta.json": {"frame": index, "kind": "room"},
            },
        )


def test_what_was_written_is_read_back(tmp_path):
    size, digest = write_shard(tmp_path / "a.tar", samples())
    content = (tmp_path / "a.tar").read_bytes()
    assert (size, digest) == (len(content), hashlib.sha256(content).hexdigest())
    rows = [{"path": "a.tar", "split": "train", "samples": 3}]
    (tmp_path / "manifest.json").write_text(json.dumps({"shards": rows}))
    reader = ShardReader(tmp_path)
    for index, (key, fields) in enumerate(samples()):
        assert reader.key(index) == key
        for ending, value in fields.items():
            np.testing.assert_array_equal(reader[index][ending.partition(".")[0]], value)


# The library leaves its file to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_webdatasets_own_library_reads_it(tmp_path):
    webdataset = pytest.importorskip("webdataset", reason="pip install webdataset")
    write_shard(tmp_path / "a.tar", samples())
    shards = webdataset.WebDataset(
        str(tmp_path / "a.tar"), shardshuffle=False, empty_check=False
    ).decode("rgb8")
    found = list(shards)
    gc.collect()
    assert [sample["__key__"] for sample in found] == [key for key, _ in samples()]
    for sample, (_, fields) in zip(found, samples(), strict=True):
        np.testing.assert_array_equal(sample["rgb.png"], fields["rgb.png"])
        np.testing.assert_array_equal(sample["depth.npy"], fields["depth.npy"])
        np.testing.assert_array_equal(sample["normals.npy.gz"], fields["normals.npy.gz"])
        assert sample["meta.json"] == fields["meta.json"]


def test_the_bytes_tell_nothing_of_machine_user_and_time(tmp_path):
    write_shard(tmp_path / "a.tar", samples())
    with tarfile.open(tmp_path / "a.tar") as tape:
        for member in tape:
            assert (member.mtime, member.uid, member.gid) == (0, 0, 0)
            assert (member.uname, member.gname) == ("", "")


def test_the_same_samples_are_the_same_bytes(tmp_path):
    assert write_shard(tmp_path / "a.tar", samples()) == write_shard(tmp_path / "b.tar", samples())


def test_a_writer_that_fails_leaves_nothing(tmp_path):
    def broken():
        yield from samples(1)
        raise RuntimeError("the scene is broken")

    with pytest.raises(RuntimeError):
        write_shard(tmp_path / "a.tar", broken())
    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_the_old_shard_as_it_was(tmp_path):
    (tmp_path / "a.tar").write_bytes(b"old")
    with pytest.raises(ValueError, match=r"nothing writes \.wav"):
        write_shard(tmp_path / "a.tar", [("x/0", {"sound.wav": b""})])
    assert (tmp_path / "a.tar").read_bytes() == b"old"


def test_an_unknown_format_is_refused():
    with pytest.raises(ValueError, match=r"nothing writes \.tiff files"):
        encode(np.zeros((2, 2)), "depth.tiff")


def test_a_photograph_may_be_a_jpeg_that_is_close_to_it(tmp_path):
    smooth = np.linspace(0, 255, 16 * 16, dtype=np.uint8).reshape(16, 16)
    photograph = np.stack([smooth, smooth.T, smooth[::-1]], axis=-1)
    write_shard(tmp_path / "a.tar", [("x/0", {"rgb.jpg": photograph})])
    rows = [{"path": "a.tar", "split": "train", "samples": 1}]
    (tmp_path / "manifest.json").write_text(json.dumps({"shards": rows}))
    read = ShardReader(tmp_path)[0]["rgb"]
    assert np.abs(read.astype(int) - photograph).mean() < 8


def test_pictures_without_pillow_say_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(RequirementError, match="pillow"):
        encode(np.zeros((2, 2), np.uint8), "rgb.png")
