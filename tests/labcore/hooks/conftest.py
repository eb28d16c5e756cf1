"""A run with nothing behind it but a folder and its hooks."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from labcore.hooks import HookSet
from labcore.record.artifacts import Artifact
from labcore.run.signals import StopSignal
from labcore.training.config import Goal, LoopConfig
from labcore.training.monitor import Monitor


@dataclasses.dataclass
class Config:
    """A plugin's options."""

    train: LoopConfig = dataclasses.field(default_factory=lambda: LoopConfig(max_steps=100))


class FakeRun:
    """Has of a run what hooks use, and remembers what it said."""

    def __init__(self, folder: Path, hooks: HookSet) -> None:
        self.folder = folder
        self.hooks = hooks
        self.id = f"toy/{folder.name}"
        self.is_main = True
        self.resuming = False
        self.device = SimpleNamespace(kind="cpu", name="CPU", threads=2)
        self.plugin = SimpleNamespace(name="toy", hooks={})
        self.config = Config()
        self.status = SimpleNamespace(task="train", preset="smoke", created=1.5)
        self.stop = StopSignal()
        self.said: list[tuple[str, str]] = []

    def say(self, text: str, level: str = "info") -> None:
        self.said.append((level, text))
        self.hooks.call("message", run=self, text=text, level=level)

    def log_metrics(self, values: Mapping[str, float], *, step: int, phase: str = "train") -> None:
        self.hooks.call("metrics", run=self, values=values, step=step, phase=phase)

    def artifact_path(self, name: str) -> Path:
        path = self.folder / "artifacts" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def add_artifact(self, path: Path, **details: Any) -> Artifact:
        artifact = Artifact(
            path=path.relative_to(self.folder).as_posix(),
            size_bytes=path.stat().st_size,
            **details,
        )
        self.hooks.call("artifact_added", run=self, artifact=artifact)
        return artifact


class Clock:
    """Seconds that pass only when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def hooks() -> HookSet:
    return HookSet()


@pytest.fixture
def run(tmp_path: Path, hooks: HookSet) -> FakeRun:
    folder = tmp_path / "20260102-030405-train"
    folder.mkdir()
    return FakeRun(folder, hooks)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def loop() -> SimpleNamespace:
    monitor = Monitor("loss", Goal.minimize, 0)
    return SimpleNamespace(
        step=0,
        epoch=0,
        max_steps=100,
        max_epochs=0,
        max_time_s=None,
        elapsed_s=0.0,
        monitor=monitor,
    )
