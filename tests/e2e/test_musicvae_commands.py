"""The music VAE as a user runs it: trained on a folder of MIDI, then sampled, reconstructed, ..."""

import csv
import json
import random
import subprocess
import wave
from pathlib import Path

import pytest

from tests import warm

np = pytest.importorskip("numpy")
pretty_midi = pytest.importorskip("pretty_midi")

pytestmark = [pytest.mark.e2e, pytest.mark.ml]

SMALL = ("preset=smoke", "device=cpu", "threads=1", "hooks=[console,jsonl]")
SHORT = ("train.max_steps=12", "train.validate_every=6")
SCALE = (60, 62, 64, 65, 67, 69, 71, 72)


def write_tune(path: Path, seed: int, *, num_bars: int = 8) -> None:
    draw = random.Random(seed)
    score = pretty_midi.PrettyMIDI(initial_tempo=120)
    score.time_signature_changes.append(pretty_midi.TimeSignature(4, 4, 0))
    part = pretty_midi.Instrument(program=73)
    step = 0
    while step < 16 * num_bars:
        length = min(draw.choice((1, 2, 2, 4)), 16 * num_bars - step)
        start, end = step * 0.125, (step + length) * 0.125
        part.notes.append(pretty_midi.Note(80, draw.choice(SCALE), start, end))
        step += length
    score.instruments.append(part)
    score.write(str(path))


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A working folder with a trained model in it."""
    folder = tmp_path_factory.mktemp("musicvae")
    (folder / "tunes").mkdir()
    for seed in range(40):
        write_tune(folder / "tunes" / f"tune{seed:02d}.mid", seed)
    (folder / "tunes" / "broken.mid").write_bytes(b"MThd not really")
    done = lab(folder, *train_words(folder), *SHORT)
    assert done.returncode == 0, done.stderr
    return folder


def train_words(folder: Path) -> tuple[str, ...]:
    data = ("data.dataset=folder", f"data.folder={folder / 'tunes'}", "data.workers=1")
    return ("run", "plugin=musicvae", *SMALL, *data)


def lab(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return warm.lab(folder, *words, env={"LAB_DATA_DIR": str(folder / "data")})


def newest(folder: Path) -> Path:
    rows = json.loads(lab(folder, "runs", "--json", "--last", "1").stdout)
    return folder / rows[0]["folder"]


def loudness(path: Path) -> float:
    with wave.open(str(path)) as sound:
        frames = np.frombuffer(sound.readframes(sound.getnframes()), dtype=np.int16)
    return float(np.sqrt(np.mean((frames / 32768.0) ** 2)))


def test_training_leaves_a_model_melodies_and_figures(place):
    (run,) = (place / "runs" / "musicvae").glob("*-train-smoke")
    assert (run / "weights" / "model.safetensors").stat().st_size > 10_000
    manifest = json.loads((run / "artifacts" / "manifest.json").read_text())
    kinds = {row["kind"] for row in manifest}
    assert kinds == {"model", "table", "midi", "audio", "image"}
    assert {row["section"] for row in manifest} >= {"Samples from the prior", "held-out melody 1"}
    for row in manifest:
        assert (run / row["path"]).stat().st_size == row["size_bytes"]
    with (run / "artifacts" / "accuracy.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert rows[-2]["metric"] == "always the commonest token: note-on steps"
    values = [
        json.loads(line)["values"]
        for line in (run / "metrics.jsonl").read_text().splitlines()
        if json.loads(line)["phase"] == "val"
    ]
    assert len(values) == 2
    assert {"teacher_note_accuracy", "sampled_accuracy", "argmax_accuracy", "kl_bits", "elbo"} <= (
        values[0].keys()
    )
    log = (run / "log.txt").read_text()
    assert "1 of 41 pieces cannot be read" in log


def test_sampling_finds_the_last_trained_model_and_can_be_heard_and_read_back(place):
    done = lab(
        place, "run", "plugin=musicvae", "task=sample", "run=latest", "device=cpu", "threads=1",
        "generate.count=2", "generate.temperature=1.0", "hooks=[console,jsonl]",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    run = newest(place)
    sounds = sorted((run / "artifacts" / "samples").glob("*.wav"))
    assert len(sounds) == 2
    assert all(loudness(path) > 0.005 for path in sounds)
    for path in sorted((run / "artifacts" / "samples").glob("*.mid")):
        assert sum(len(i.notes) for i in pretty_midi.PrettyMIDI(str(path)).instruments) > 0
    assert all(p.read_bytes()[:4] == b"\x89PNG" for p in run.glob("artifacts/samples/*.png"))


def test_a_midi_file_of_any_length_is_reconstructed_window_by_window(place):
    write_tune(place / "mine.mid", 99, num_bars=5)
    done = lab(
        place, "run", "plugin=musicvae", "task=reconstruct", f"generate.midi={place / 'mine.mid'}",
        "generate.count=2", "device=cpu", "threads=1", "hooks=[console,jsonl]",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "mine: 2 of 3 windows are shown one by one" in done.stderr
    run = newest(place)
    names = sorted(path.name for path in run.glob("artifacts/reconstructions/*-original.mid"))
    assert names == ["01-01-original.mid", "01-02-original.mid", "01-whole-original.mid"]
    first = pretty_midi.PrettyMIDI(str(run / "artifacts/reconstructions/01-01-original.mid"))
    whole = pretty_midi.PrettyMIDI(str(run / "artifacts/reconstructions/01-whole-original.mid"))
    assert whole.instruments[0].notes[-1].end == pytest.approx(10.0)
    mine = pretty_midi.PrettyMIDI(str(place / "mine.mid"))
    expected = [(n.pitch, round(n.start, 3)) for n in mine.instruments[0].notes if n.start < 4]
    assert [(n.pitch, round(n.start, 3)) for n in first.instruments[0].notes] == expected


def test_unusable_files_of_a_folder_are_left_out_of_a_reconstruction(place):
    folder = place / "mixed"
    folder.mkdir()
    write_tune(folder / "fine.mid", 7, num_bars=4)
    (folder / "broken.mid").write_bytes(b"no music at all")
    done = lab(
        place, "run", "plugin=musicvae", "task=reconstruct", f"generate.midi={folder}",
        "device=cpu", "threads=1", "hooks=[console,jsonl]",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "left out: " in done.stdout + done.stderr
    assert "broken.mid" in done.stdout + done.stderr
    assert (newest(place) / "artifacts/reconstructions/01-whole.mid").is_file()


def test_interpolation_goes_from_one_melody_to_another(place):
    done = lab(
        place, "run", "plugin=musicvae", "task=interpolate", "device=cpu", "threads=1",
        "generate.points=3", "hooks=[console,jsonl]",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    run = newest(place)
    assert len(list(run.glob("artifacts/interpolation/path-*.mid"))) == 3
    assert loudness(run / "artifacts/interpolation/path.wav") > 0.005


def test_a_trained_model_is_measured_on_its_own_held_out_pieces(place):
    done = lab(
        place, "run", "plugin=musicvae", "task=evaluate", "device=cpu", "threads=1",
        "hooks=[console,jsonl]",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    metrics = json.loads((newest(place) / "status.json").read_text())["metrics"]
    assert 0 <= metrics["test/teacher_accuracy"] <= 1


def test_flat_and_hierarchical_are_trained_alike_and_tabled(place):
    words = train_words(place)
    done = lab(place, *words, "task=compare", "train.max_steps=4", "train.validate_every=0")
    assert done.returncode == 0, done.stderr
    artifacts = newest(place) / "artifacts"
    with (artifacts / "accuracy.csv").open() as stream:
        header, *rows = csv.reader(stream)
    assert header == ["metric", "flat", "hierarchical"]
    assert rows[0][0] == "teacher-forced, next step: all steps"
    best = max(float(value) for value in rows[0][1:])
    assert f"**{best:.3f}**" in (artifacts / "accuracy.md").read_text().splitlines()[2]


@pytest.mark.parametrize(
    ("words", "says", "code"),
    [
        (("data.dataset=folder",), "data.folder=", 2),
        (("data.dataset=folder", "data.folder=/no/such/folder"), "/no/such/folder", 3),
        (("data.dataset=floder", "data.folder=/tmp"), "folder", 2),
        (("task=sample", "run=nothing"), "no run called 'nothing'", 2),
        (("task=reconstruct", "generate.midi=/no/such.mid"), "there is no file /no/such.mid", 2),
        (("task=sample", "bars=16"), "has 2", 2),
        (("task=sample", "model=hierarchical"), "leave these options out", 2),
        (("task=sample", "generate.count=0"), "generate.count is 0: there is nothing to sample", 2),
        (
            ("task=interpolate", "generate.start=tunes/tune00.mid", "generate.start_window=99"),
            "use generate.start_window=1 to",
            2,
        ),
        (("model.encoder_size=huge",), "encoder_size", 2),
    ],
)
def test_bad_input_gets_one_message_and_no_traceback(place, words, says, code):
    done = lab(place, "run", "plugin=musicvae", *SMALL, *words)
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert done.returncode == code


def test_a_task_that_needs_a_model_leaves_no_run_when_there_is_none(place, tmp_path):
    done = lab(place, "run", "plugin=musicvae", "task=sample", f"runs_dir={tmp_path / 'runs'}")
    assert done.returncode == 2
    assert "train one first: lab run plugin=musicvae" in done.stderr
    assert not (tmp_path / "runs").exists()


def test_a_folder_of_broken_files_fails_with_the_list(place):
    folder = place / "rubbish"
    folder.mkdir()
    for index in range(4):
        (folder / f"{index}.mid").write_bytes(b"no music")
    done = lab(
        place, "run", "plugin=musicvae", *SMALL, "data.dataset=folder", f"data.folder={folder}",
    )  # fmt: skip
    assert done.returncode == 1
    assert "4 of 4 pieces cannot be read (100%)" in done.stderr
    assert "skipped.csv" in done.stderr
