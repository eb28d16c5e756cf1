"""Reading tar shards in WebDataset's convention."""

import gzip
import io
import json
import multiprocessing
import pickle
import struct
import tarfile
import zlib

import pytest

from labcore.data.shards import ShardReader
from labcore.errors import RequirementError, RunFailed, UsageError

np = pytest.importorskip("numpy")
Image = pytest.importorskip("PIL.Image")
pytestmark = pytest.mark.ml


def npy(array):
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def png(array):
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, "PNG")
    return stream.getvalue()


def write_tar(path, members):
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as tape:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tape.addfile(info, io.BytesIO(content))


def depth(scene, frame):
    return np.full((3, 4), scene * 10 + frame, np.float32)


def members_of(scene, frames):
    for frame in range(frames):
        key = f"scene-{scene}/{frame:04d}"
        yield f"{key}.depth.npy", npy(depth(scene, frame))
        yield f"{key}.rgb.png", png(np.full((3, 4, 3), frame, np.uint8))
        yield f"{key}.things.png", png(np.full((3, 4), 300 + frame, np.uint16))
        yield f"{key}.mask.npy.gz", gzip.compress(npy(np.eye(3, dtype=bool)))
        yield f"{key}.meta.json", json.dumps({"scene": scene, "frame": frame}).encode()


SHARDS = [("train/a.tar", "train", 2), ("train/b.tar", "train", 3), ("val/c.tar", "val", 1)]


@pytest.fixture
def folder(tmp_path):
    for scene, (path, _, frames) in enumerate(SHARDS):
        write_tar(tmp_path / path, members_of(scene, frames))
    rows = [{"path": path, "split": split, "samples": n} for path, split, n in SHARDS]
    manifest = {"licence": "CC0-1.0", "shards": rows}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    return tmp_path


def test_samples_come_in_the_order_they_were_written(folder):
    reader = ShardReader(folder)
    assert len(reader) == 6
    places = [(sample["meta"]["scene"], sample["meta"]["frame"]) for sample in reader]
    assert places == [(0, 0), (0, 1), (1, 0), (1, 1), (1, 2), (2, 0)]


def test_any_sample_is_read_alone_and_with_the_types_it_was_written_with(folder):
    sample = ShardReader(folder)[3]
    np.testing.assert_array_equal(sample["depth"], depth(1, 1))
    assert sample["depth"].dtype == np.float32
    assert sample["rgb"].dtype == np.uint8
    assert sample["rgb"].shape == (3, 4, 3)
    assert (sample["rgb"] == 1).all()
    assert sample["things"].dtype == np.uint16
    assert (sample["things"] == 301).all()
    np.testing.assert_array_equal(sample["mask"], np.eye(3, dtype=bool))
    assert sample["meta"] == {"scene": 1, "frame": 1}


def test_arrays_may_be_written_to(folder):
    sample = ShardReader(folder)[0]
    for name in ("depth", "rgb", "things", "mask"):
        sample[name][:] = 0


def test_indices_are_those_of_a_sequence(folder):
    reader = ShardReader(folder)
    assert reader[-1]["meta"]["scene"] == 2
    assert [sample["meta"]["frame"] for sample in reader[1:4]] == [1, 0, 1]
    for beyond in (6, -7):
        with pytest.raises(IndexError, match="of 6"):
            reader[beyond]


def test_a_split_has_its_own_samples_only(folder):
    assert [s["meta"]["scene"] for s in ShardReader(folder, split="val")] == [2]
    assert len(ShardReader(folder, split="train")) == 5


def test_sequences_and_keys_tell_what_belongs_together(folder):
    reader = ShardReader(folder, split="train")
    assert reader.sequences == [range(2), range(2, 5)]
    assert [reader.key(i) for i in reader.sequences[1]] == [f"scene-1/000{n}" for n in range(3)]


def test_the_manifest_is_there_to_be_asked(folder):
    assert ShardReader(folder).manifest["licence"] == "CC0-1.0"


def test_only_the_wanted_fields_are_read(folder):
    path = folder / "val/c.tar"
    broken = [(n, b"?" if "rgb" in n else content) for n, content in members_of(2, 1)]
    write_tar(path, broken)
    reader = ShardReader(folder, split="val", fields=("depth", "meta"))
    assert sorted(reader[0]) == ["depth", "meta"]
    assert sorted(reader.read(0, ["mask"])) == ["mask"]
    with pytest.raises(RunFailed, match=r"rgb of the sample scene-2/0000 in .* is damaged"):
        reader.read(0, ["rgb"])


def test_the_fields_are_listed(folder):
    assert ShardReader(folder).fields == ["depth", "mask", "meta", "rgb", "things"]


def test_a_wrong_split_is_answered_with_the_right_ones(folder):
    with pytest.raises(UsageError, match=r"no split 'trian'; it has train, val") as caught:
        ShardReader(folder, split="trian")
    assert "did you mean train?" in str(caught.value)


def test_a_wrong_field_is_answered_at_once_with_the_right_ones(folder):
    with pytest.raises(UsageError, match="no field 'detph'") as caught:
        ShardReader(folder, fields=["detph"])
    assert "did you mean depth?" in str(caught.value)
    with pytest.raises(UsageError, match="no field 'nothing'"):
        ShardReader(folder).read(0, ["nothing"])


def test_a_reader_survives_pickling_before_and_after_use(folder):
    reader = ShardReader(folder, split="train", fields=("depth",))
    for _ in range(2):
        again = pickle.loads(pickle.dumps(reader))
        np.testing.assert_array_equal(again[4]["depth"], depth(1, 2))
        assert sorted(again[4]) == ["depth"]
        reader[0]


def _read(reader, index):
    return float(reader[index]["depth"][0, 0])


@pytest.mark.parametrize("method", ["spawn", "fork"])
def test_processes_read_at_once_from_one_reader(folder, method):
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this system has no {method}")
    reader = ShardReader(folder)
    reader[0]
    with multiprocessing.get_context(method).Pool(2) as pool:
        found = pool.starmap(_read, [(reader, index) for index in [5, 0, 3, 1, 4, 2] * 3])
    assert found == [20, 0, 11, 1, 12, 10] * 3


def test_no_file_stays_open(folder):
    reader = ShardReader(folder)
    list(reader)
    for path, _, _ in SHARDS:
        (folder / path).rename(folder / f"{path}.moved")  # Windows would refuse
    with pytest.raises(RequirementError, match="not whole"):
        reader[0]


def test_a_folder_without_a_manifest_is_no_dataset(tmp_path):
    with pytest.raises(RequirementError, match=r"no manifest\.json in"):
        ShardReader(tmp_path)


@pytest.mark.parametrize("text", ["{", "[]", '{"shards": [{"path": "a.tar"}]}', '{"name": "x"}'])
def test_a_damaged_manifest_is_named(tmp_path, text):
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(RequirementError, match=r"manifest\.json cannot be read"):
        ShardReader(tmp_path)


def test_missing_shards_are_counted_before_anything_is_read(folder):
    (folder / "train/b.tar").unlink()
    with pytest.raises(RequirementError, match=r"1 shards are missing, such as train/b\.tar"):
        ShardReader(folder)
    assert len(ShardReader(folder, split="val")) == 1


def test_a_cut_shard_is_named(folder):
    path = folder / "train/b.tar"
    path.write_bytes(path.read_bytes()[:5000])
    reader = ShardReader(folder)
    assert reader[0]["meta"]["scene"] == 0
    with pytest.raises(RequirementError, match=r"b\.tar"):
        reader[2]


def test_a_shard_that_is_no_tar_is_named(folder):
    (folder / "val/c.tar").write_bytes(b"x" * 2000)
    with pytest.raises(RequirementError, match=r"c\.tar cannot be read"):
        ShardReader(folder, split="val")[0]


def test_damaged_contents_are_named_with_sample_and_field(folder):
    for broken in (b"", b"\x93NUMPY\x01", gzip.compress(b"1234")[:-6]):
        members = [(n, broken if "mask" in n else content) for n, content in members_of(2, 1)]
        write_tar(folder / "val/c.tar", members)
        with pytest.raises(RunFailed, match="mask of the sample scene-2/0000"):
            ShardReader(folder, split="val")[0]


def test_arrays_of_objects_are_not_unpickled(folder):
    evil = npy(np.array([{"a": 1}], dtype=object))
    write_tar(folder / "val/c.tar", [("x/0.depth.npy", evil)])
    with pytest.raises(RunFailed, match="depth of the sample x/0"):
        ShardReader(folder, split="val")[0]


def test_an_unknown_ending_is_named_with_the_known_ones(folder):
    write_tar(folder / "val/c.tar", [("x/0.sound.wav", b"RIFF")])
    with pytest.raises(
        RunFailed, match=r"no decoder for \.wav, only for npy, png, jpg, jpeg, json"
    ):
        ShardReader(folder, split="val")[0]


def test_pictures_without_pillow_say_what_to_install(folder, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "PIL", None)
    reader = ShardReader(folder)
    assert reader.read(0, ["depth"])["depth"].shape == (3, 4)
    with pytest.raises(RequirementError, match="pillow") as caught:
        reader.read(0, ["rgb"])
    assert caught.value.fix == "pip install pillow"


def png_of_16_bits(colour_type, channels):
    """A picture of two pixels, 0x0102 and 0xff00 in every channel, by the PNG specification."""

    def chunk(kind, content):
        checksum = zlib.crc32(kind + content).to_bytes(4, "big")
        return len(content).to_bytes(4, "big") + kind + content + checksum

    header = struct.pack(">IIBBBBB", 2, 1, 16, colour_type, 0, 0, 0)
    row = b"\0" + b"\x01\x02" * channels + b"\xff\x00" * channels
    chunks = chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(row)), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def test_a_png_of_16_bits_keeps_them_and_colour_ones_are_refused_rather_than_cut(folder):
    depth, colour = png_of_16_bits(0, 1), png_of_16_bits(2, 3)
    write_tar(folder / "val/c.tar", [("x/0.depth.png", depth), ("x/0.rgb.png", colour)])
    reader = ShardReader(folder, split="val")
    read = reader.read(0, ["depth"])["depth"]
    assert (read.dtype, read.tolist()) == (np.uint16, [[0x0102, 0xFF00]])
    with pytest.raises(RunFailed, match=r"rgb of the sample x/0 .*one channel only"):
        reader.read(0, ["rgb"])


@pytest.mark.parametrize("ending", ["jpg", "jpeg"])
def test_a_jpeg_becomes_an_array(folder, ending):
    stream = io.BytesIO()
    Image.new("RGB", (8, 6), (200, 100, 50)).save(stream, "JPEG", quality=95)
    write_tar(folder / "val/c.tar", [(f"x/0.rgb.{ending}", stream.getvalue())])
    read = ShardReader(folder, split="val")[0]["rgb"]
    assert (read.shape, read.dtype) == ((6, 8, 3), np.uint8)
    np.testing.assert_allclose(read[3, 4], [200, 100, 50], atol=3)
