"""What the hook writes is what TensorBoard's own reader reads."""

import struct
import subprocess
import sys
import wave
import zlib

import pytest

from labcore.hooks.tensorboard import TensorBoard

pytest.importorskip("tensorboard", reason="needs TensorBoard: pip install tensorboard")


@pytest.fixture
def begin(hooks, run):
    def begin(**options):
        hooks.register("tensorboard", TensorBoard(**options))
        hooks.call("run_started", run=run)

    return begin


@pytest.fixture
def read(hooks, run):
    """Ends the run and reads its event files."""

    def read():
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

        hooks.call("run_ended", run=run, state="finished")
        assert not hooks.dropped
        events = EventAccumulator(str(run.folder / "tensorboard"))
        events.Reload()
        return events

    return read


def png(width, height):
    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    rows = zlib.compress(b"".join(b"\0" + b"\x80" * width for _ in range(height)))
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_scalars_are_named_by_phase(begin, read, run):
    begin()
    for step in (1, 2):
        run.log_metrics({"loss": 1 / step, "nan": float("nan")}, step=step, phase="train")
    run.log_metrics({"loss": 0.25}, step=2, phase="val")
    events = read()
    assert set(events.Tags()["scalars"]) == {"train/loss", "train/nan", "val/loss"}
    assert [(e.step, e.value) for e in events.Scalars("train/loss")] == [(1, 1.0), (2, 0.5)]


def test_a_resumed_run_hides_the_steps_that_are_taken_again(begin, read, hooks, run, loop):
    begin()
    for step in range(1, 8):
        run.log_metrics({"loss": 1.0}, step=step)
    hooks.get("tensorboard").close()
    loop.step = 4
    hooks.call("checkpoint_loaded", run=run, loop=loop, path=run.folder)
    for step in range(5, 7):
        run.log_metrics({"loss": 2.0}, step=step)
    read_back = [(event.step, event.value) for event in read().Scalars("train/loss")]
    assert read_back == [(1, 1), (2, 1), (3, 1), (4, 1), (5, 2), (6, 2)]


def test_histograms_keep_their_counts_and_edges(begin, read, hooks, run):
    begin()
    hooks.call(
        "histogram", run=run, name="lstm/out", counts=[1, 0, 3], edges=[0.0, 1.0, 2.0, 3.0], step=5
    )
    (event,) = read().Histograms("taps/lstm/out")
    value = event.histogram_value
    assert event.step == 5
    assert (value.min, value.max, value.num) == (0.0, 3.0, 4)
    assert list(value.bucket_limit) == [0.0, 1.0, 2.0, 3.0]
    assert list(value.bucket) == [0, 1, 0, 3]


def test_small_pictures_and_sounds_are_shown_and_large_ones_are_not(begin, read, run):
    begin(max_media_kib=4)
    picture = run.artifact_path("roll.png")
    picture.write_bytes(png(7, 5))
    run.add_artifact(picture, kind="image", title="Roll", section="Samples", step=3)
    sound = run.artifact_path("tune.wav")
    with wave.open(str(sound), "wb") as stream:
        stream.setparams((1, 2, 8000, 0, "NONE", ""))
        stream.writeframes(b"\1\0" * 100)
    run.add_artifact(sound, kind="audio", title="Tune")
    large = run.artifact_path("large.png")
    large.write_bytes(png(7, 5) + bytes(5000))
    run.add_artifact(large, kind="image", title="Large")
    no_png = run.artifact_path("text.png")
    no_png.write_bytes(b"GIF89a")
    run.add_artifact(no_png, kind="image", title="No PNG")
    events = read()
    (image,) = events.Images("Samples/Roll")
    assert (image.width, image.height, image.step) == (7, 5, 3)
    assert image.encoded_image_string == picture.read_bytes()
    (audio,) = events.Audio("Tune")
    assert (audio.sample_rate, audio.length_frames) == (8000, 100)
    assert events.Tags()["images"] == ["Samples/Roll"]


def test_without_tensorboard_the_run_goes_on(hooks, run, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboard.summary.writer.record_writer", None)
    hooks.register("tensorboard", TensorBoard())
    hooks.call("run_started", run=run)
    run.log_metrics({"loss": 1.0}, step=1)
    assert "pip install tensorboard" in hooks.dropped["tensorboard"]


def test_writing_loads_neither_torch_nor_tensorflow(tmp_path):
    code = (
        "import sys; from pathlib import Path; from types import SimpleNamespace as N\n"
        "from labcore.hooks.tensorboard import TensorBoard\n"
        "hook, run = TensorBoard(), N(folder=Path(sys.argv[1]))\n"
        "hook.run_started(run)\n"
        "hook.metrics(run, {'loss': 1.0}, 1, 'train')\n"
        "hook.close()\n"
        "sys.exit(','.join({'torch', 'tensorflow'} & set(sys.modules)) or 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True)
    assert done.returncode == 0, done.stderr
