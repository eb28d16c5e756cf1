"""Keras trains as torch does: the same moments and files, and exact resume after a kill.

Each run is a process of its own: TensorFlow shares one with torch badly. Slow, as each imports it.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

np = pytest.importorskip("numpy")
pytest.importorskip("tensorflow")
pytestmark = [pytest.mark.ml, pytest.mark.tf, pytest.mark.slow]

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PLAIN, LEGACY = "kerastoy=kerastoy:plugin", "kerastoy=kerastoy:legacy"


class Lab:
    """Types commands where the toy plugin is known."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *words: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        paths = {
            "PYTHONPATH": f"{ROOT}{os.pathsep}{HERE}",
            "LAB_PLUGINS": "kerastoy=kerastoy:plugin",
        }
        return subprocess.run(
            [sys.executable, "-m", "labcore", *words],
            cwd=self.folder,
            env={**os.environ, **paths, **variables},
            capture_output=True,
            text=True,
            check=False,
        )

    def train(self, name: str, *words: str, **variables: str) -> int:
        fixed = ("plugin=kerastoy", "device=cpu", "threads=1", f"name={name}")
        return self("run", *fixed, *words, **variables).returncode

    def run_folder(self, name: str) -> Path:
        (found,) = self.folder.glob(f"runs/kerastoy/*-{name}")
        return found


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return Lab(tmp_path_factory.mktemp("keras"))


@pytest.fixture(scope="module")
def unbroken(lab: Lab) -> Callable[[str], Path]:
    def train(kind: str) -> Path:
        name = f"{kind}-whole"
        if not list(lab.folder.glob(f"runs/kerastoy/*-{name}")):
            assert lab.train(name, f"kind={kind}", "patience=1", **variables(kind)) == 0
        return lab.run_folder(name)

    return train


def variables(kind: str) -> dict[str, str]:
    return {} if kind == "plain" else {"LAB_PLUGINS": LEGACY}


def records(folder: Path) -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{k: v for k, v in row.items() if k != "time"} for row in rows if row["phase"] != "perf"]


def weights(folder: Path) -> list[Any]:
    with np.load(folder / "final.npz") as stored:
        return [stored[name] for name in stored.files]


# 13 is between two checkpoints and in the middle of an epoch. A pruned model's masks are weights
# too; benchmarks/keras_resume.py does the same with the other wrappers.
@pytest.mark.parametrize(
    ("kind", "kill"), [("plain", 4), ("plain", 13), ("plain", 22), ("pruned", 13)]
)
def test_killed_and_resumed_is_the_same_to_the_last_bit(
    lab: Lab, unbroken: Callable[[str], Path], kind: str, kill: int
) -> None:
    whole, name = unbroken(kind), f"{kind}-{kill}"
    killed = lab.train(
        name, f"kind={kind}", "patience=1", KERASTOY_KILL=str(kill), **variables(kind)
    )
    assert killed == -signal.SIGKILL
    folder = lab.run_folder(name)
    assert lab("resume", str(folder), **variables(kind)).returncode == 0
    for ours, theirs in zip(weights(folder), weights(whole), strict=True):
        assert np.array_equal(ours, theirs)
    assert records(folder) == records(whole)


def test_a_run_leaves_what_torch_s_leaves(lab: Lab, unbroken: Callable[[str], Path]) -> None:
    folder = unbroken("plain")
    assert {"train", "val"} <= {row["phase"] for row in records(folder)}
    assert (folder / "weights" / "model.weights.h5").is_file()
    assert "Weights of the model" in (folder / "report.html").read_text()
    listed = lab("runs").stdout
    assert "finished" in listed
    assert "val/loss=" in listed


def test_options_of_torch_s_loop_are_refused_by_name(lab: Lab) -> None:
    failed = lab("run", "plugin=kerastoy", "device=cpu", "train.clip_norm=1", "name=clipped")
    assert failed.returncode == 2
    assert "train.clip_norm=1.0 is for plugins of torch" in failed.stderr
    assert "clipnorm" in failed.stderr
    # What TensorFlow says at its start is in the log, not between the lines of the run.
    assert not [line for line in failed.stderr.splitlines() if ".cc:" in line]
