"""Runs of the fitting tasks, as a user starts them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import warm

SMALL = ("preset=smoke", "device=cpu", "threads=1", "hooks=[jsonl]")


class Fits:
    """Starts fits in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Starts ``lab WORDS``."""
        root = Path(__file__).parents[4]
        return subprocess.Popen(
            [sys.executable, "-m", "labcore", *words],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(root)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def words(self, task: str, name: str, *options: str) -> tuple[str, ...]:
        """The words that start a task at its smallest."""
        return ("run", "plugin=render", f"task={task}", *SMALL, f"name={name}", *options)

    def run(self, task: str, name: str, *options: str) -> subprocess.CompletedProcess[str]:
        """Runs a task to its end."""
        return warm.lab(self.folder, *self.words(task, name, *options))

    def finish(self, task: str, name: str, *options: str) -> Path:
        """Runs a task that must succeed; returns its folder."""
        done = self.run(task, name, *options)
        assert done.returncode == 0, done.stderr
        return self.find(name)

    def find(self, name: str) -> Path:
        """Returns the folder of the run of that name."""
        (found,) = self.folder.glob(f"runs/render/*-{name}")
        return found

    @staticmethod
    def figures(run: Path) -> dict[str, float]:
        """Returns the numbers of the test and of the last validation."""
        metrics: dict[str, float] = json.loads((run / "status.json").read_text())["metrics"]
        return metrics

    @staticmethod
    def artifacts(run: Path) -> dict[str, str]:
        """Returns file name to kind."""
        rows = json.loads((run / "artifacts/manifest.json").read_text())
        assert all((run / row["path"]).stat().st_size == row["size_bytes"] for row in rows)
        return {Path(row["path"]).name: row["kind"] for row in rows}


@pytest.fixture(scope="module")
def fits(tmp_path_factory: pytest.TempPathFactory) -> Fits:
    """Starts fits in a new folder."""
    return Fits(tmp_path_factory.mktemp("fits"))
