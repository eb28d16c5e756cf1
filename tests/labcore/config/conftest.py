"""A tiny plugin with groups and presets, for composing."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

import pytest

from labcore import Plugin, Task
from labcore.config import Composed, compose
from labcore.discovery import FoundPlugin


class Kind(Enum):
    flat = "flat"
    tall = "tall"


@dataclass(kw_only=True, slots=True)
class NetConfig:
    kind: Kind = Kind.flat
    """Shape of the net."""
    width: int = 8
    """Units of a layer."""
    depth: int | None = None
    """Layers; null chooses."""

    def __post_init__(self) -> None:
        if self.width < 1:
            raise ValueError(f"net.width is {self.width}; it must be at least 1")


@dataclass(kw_only=True, slots=True)
class OptimConfig:
    lr: float = 0.1
    """Learning rate."""
    lr_min: float = 0.01
    """Lowest learning rate."""
    betas: list[float] = field(default_factory=lambda: [0.9, 0.99])

    def __post_init__(self) -> None:
        if self.lr <= 0:
            raise ValueError("it must be above 0")


@dataclass(kw_only=True, slots=True)
class ToyConfig:
    steps: int = 10
    """Steps to take."""
    shout: bool = False
    """Whether to shout."""
    words: dict[str, Any] = field(default_factory=dict)
    """Anything else."""
    net: NetConfig = field(default_factory=NetConfig)
    optim: OptimConfig = field(default_factory=OptimConfig)

    def __post_init__(self) -> None:
        if self.steps < 0:
            raise ValueError(f"steps is {self.steps}; use 0 or more")

    @property
    def double(self) -> int:
        return self.steps * 2


FILES = {
    "preset/smoke.yaml": "# @package _global_\nsteps: 1\nnet: {width: 2}\n",
    "preset/laptop.yaml": "# @package _global_\nsteps: 20\nnet: {width: 16}\noptim: {lr: 1e-2}\n",
    "preset/paper.yaml": (
        "# @package _global_\n"
        "defaults:\n"
        "  - optional /sizes@net: paper_${net}\n"
        "  - _self_\n"
        "steps: 1000\n"
    ),
    "preset/tall.yaml": (
        "# @package _global_\ndefaults:\n  - override /net: tall\nnet: {depth: 9}\n"
    ),
    "net/flat.yaml": "kind: flat\ndepth: 1\n",
    "net/tall.yaml": "kind: tall\ndepth: 5\n",
    "sizes/paper_flat.yaml": "width: 100\n",
    "sizes/paper_tall.yaml": "width: 200\n",
}


def write_configs(folder: Path) -> Path:
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def make_toy(config_dir: Path) -> FoundPlugin:
    plugin = Plugin(
        name="toy",
        summary="A toy.",
        tasks=(
            Task(name="train", summary="Trains.", run="toy.tasks:train", trains=True),
            Task(name="sample", summary="Samples.", run="toy.tasks:sample"),
        ),
        config=ToyConfig,
        presets={"smoke": "seconds", "laptop": "minutes", "paper": "days", "tall": "taller"},
        hooks={"mine": "toy.hooks:Mine"},
    )
    return FoundPlugin(name="toy", origin="test", plugin=plugin, config_dir=config_dir)


@pytest.fixture
def config_dir(tmp_path: Path) -> Path:
    return write_configs(tmp_path / "it's a configs")


@pytest.fixture
def toy(config_dir: Path) -> FoundPlugin:
    return make_toy(config_dir)


@pytest.fixture(scope="session")
def shared_toy(tmp_path_factory: pytest.TempPathFactory) -> FoundPlugin:
    """The same plugin, for tests that change no file and would only wait for it."""
    return make_toy(write_configs(tmp_path_factory.mktemp("toy") / "configs"))


@pytest.fixture
def composed(toy: FoundPlugin) -> Callable[..., Composed]:
    def call(*overrides: str, **keywords: Any) -> Composed:
        return compose(toy, overrides, **keywords)

    return call
