"""A Keras training that ends by epochs, in a process of its own, as a user starts it."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent

pytestmark = [
    pytest.mark.ml,
    pytest.mark.tf,
    pytest.mark.skipif(
        importlib.util.find_spec("tensorflow") is None, reason="TensorFlow is not installed"
    ),
]


def test_a_keras_training_ends_with_its_last_epoch(tmp_path: Path) -> None:
    words = ("plugin=kerastoy", "train.max_steps=0", "train.max_epochs=2", "hooks=[console]")
    done = subprocess.run(
        [sys.executable, "-m", "labcore", "run", *words],
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join((str(HERE), *sys.path)),
            "LAB_PLUGINS": "kerastoy=kerastoy:plugin",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "max epochs" in done.stdout + done.stderr
    (path,) = tmp_path.glob("runs/kerastoy/*/status.json")
    assert json.loads(path.read_text())["step"] == 16  # 96 rows are 8 batches of 12
