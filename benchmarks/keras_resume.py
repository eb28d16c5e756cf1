"""Keras trainings killed by SIGKILL and resumed: are weights and metrics those of a whole run?

    python benchmarks/keras_resume.py [--kinds plain legacy pruned clustered quantized]

For each kind of model (Keras 3, legacy Keras, and TFMOT's three wrappers) one run is left alone and
three are killed after seeded random steps and resumed. Each run is a process.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
TOY = ROOT / "tests" / "tf"
KINDS = ("plain", "legacy", "pruned", "clustered", "quantized")


def lab(folder: Path, kind: str, *words: str, **variables: str) -> int:
    """Types a command where the toy plugin is known; returns the exit code."""
    plugin = "plugin" if kind == "plain" else "legacy"
    environment = {
        **os.environ,
        "PYTHONPATH": f"{ROOT}{os.pathsep}{TOY}",
        "LAB_PLUGINS": f"kerastoy=kerastoy:{plugin}",
        **variables,
    }
    command = [sys.executable, "-m", "labcore", *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True).returncode


def left(folder: Path, name: str) -> tuple[list[np.ndarray], list[dict[str, object]]]:
    """Returns the last weights of a run and its metrics, without their times."""
    (run,) = folder.glob(f"runs/kerastoy/*-{name}")
    with np.load(run / "final.npz") as stored:
        weights = [stored[each] for each in stored.files]
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    kept = [{k: v for k, v in row.items() if k != "time"} for row in rows]
    return weights, [row for row in kept if row["phase"] != "perf"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kinds", nargs="+", default=KINDS, choices=KINDS)
    for kind in parser.parse_args().kinds:
        layers = "plain" if kind == "legacy" else kind
        words = (
            "run",
            "plugin=kerastoy",
            "device=cpu",
            "threads=1",
            "patience=1",
            f"kind={layers}",
        )
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            lab(folder, kind, *words, "name=whole")
            weights, metrics = left(folder, "whole")
            for step in sorted(random.Random(kind).sample(range(1, 24), 3)):
                lab(folder, kind, *words, f"name=k{step}", KERASTOY_KILL=str(step))
                (run,) = folder.glob(f"runs/kerastoy/*-k{step}")
                lab(folder, kind, "resume", str(run))
                ours, rows = left(folder, f"k{step}")
                same = all(map(np.array_equal, ours, weights)) and rows == metrics
                told = "the same" if same else "DIFFERENT"
                print(
                    f"{kind:10} killed after step {step:2}: {told} ({len(ours)} arrays)", flush=True
                )


if __name__ == "__main__":
    main()
