"""Options that every run has; and the word that stands for some, ``device=cuda``."""

import contextlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from labcore.devices import DeviceRequest

__all__ = [
    "WORDS",
    "DeviceConfig",
    "RootConfig",
    "TrainingOptions",
    "expand_override",
    "expand_tree",
    "peek_request",
    "training_options",
]


WORDS = frozenset({"device"})
"""Sections for which a lone word may stand; a plugin's variants are others."""


def expand_override(text: str, words: Collection[str] = WORDS) -> str:
    """Writes ``device=cuda`` as ``device.name=cuda``; other overrides stay as they are."""
    key, separator, value = text.partition("=")
    section = key.lstrip("+")
    if not separator or section not in words or value.lstrip().startswith("{"):
        return text
    return f"{section}.name={value}"


def expand_tree(tree: Mapping[Any, Any], words: Collection[str] = WORDS) -> dict[Any, Any]:
    """Writes lone words for sections, at the top of a config, in full."""
    full = dict(tree)
    for section in words:
        if not isinstance(tree.get(section), Mapping | None):
            full[section] = {"name": tree[section]}
    return full


@dataclass(kw_only=True, slots=True)
class DeviceConfig:
    """Where a run computes. The word alone, ``device=cuda``, is its name."""

    name: str = "auto"
    """Where to compute: auto, cpu, cuda, or one GPU as 1, cuda:1, or its UUID or the start of it;
    device=cuda says the same in short."""
    count: int = 0
    """GPUs to take; 0 takes what the plugin declares and train.devices asks for."""
    min_memory_gb: float = 0.0
    """Memory that each GPU must have, in GB."""
    wait: str = "0s"
    """How long to wait while every GPU that would do is in use: 90s, 10m, 1h30m, 2d, 1:30:00."""
    share: bool = False
    """Whether to take a GPU that other programs use too; never one that another run has leased."""

    def __post_init__(self) -> None:
        self.request()

    def request(self) -> DeviceRequest:
        """Returns the options as a request.

        Raises:
            ValueError: One of them is wrong.
        """
        return DeviceRequest.read(
            self.name,
            count=self.count,
            min_memory_gb=self.min_memory_gb,
            wait=self.wait,
            share=self.share,
        )


def peek_request(overrides: Iterable[str]) -> DeviceRequest:
    """Returns what overrides ask for, before anything is composed; what is wrong is left out."""
    full = (expand_override(text).lstrip("+").partition("=") for text in overrides)
    typed = {key: value.strip("'\"") for key, _, value in full}
    with contextlib.suppress(ValueError):
        return DeviceRequest.read(
            typed.get("device.name", "auto"),
            count=int(typed.get("device.count", 0)),
            min_memory_gb=float(typed.get("device.min_memory_gb", 0)),
        )
    return DeviceRequest()


@dataclass(kw_only=True, slots=True)
class RootConfig:
    """The core's part of a composed config."""

    plugin: str = ""
    """Which experiment family to run (lab list)."""
    task: str = ""
    """What to do; the plugin's first task when left out."""
    preset: str = "auto"
    """Scale of the experiment: smoke (seconds), laptop (minutes on two cores), paper (published
    size); auto takes paper on a GPU with enough memory and laptop otherwise."""
    name: str = ""
    """Words for the run folder; task and preset when left out."""
    seed: int = 0
    """Seed of every random generator."""
    device: DeviceConfig = field(default_factory=DeviceConfig)
    threads: int = 0
    """CPU threads of the framework; 0 uses every core."""
    run: str = ""
    """Earlier run whose model the task uses: latest, or an id from lab runs."""
    runs_dir: str = "runs"
    """Folder that holds all runs."""
    data_dir: str = ""
    """Folder for datasets; LAB_DATA_DIR or the user's cache folder when left out."""
    hooks: dict[str, Any] = field(default_factory=dict)
    """What watches the run: hooks=default, hooks=none, or a list such as hooks=[default,wandb]."""
    taps: dict[str, list[str]] = field(default_factory=dict)
    """Layers to watch: dotted path or glob to a list of shape, stats, histogram, save."""
    taps_every: int = 100
    """Steps between two looks through the taps."""

    def __post_init__(self) -> None:
        if self.taps_every < 1:
            raise ValueError(f"taps_every is {self.taps_every}; it must be at least 1")
        if self.threads < 0:
            raise ValueError(f"threads is {self.threads}; use 0 for every core")


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingOptions:
    """What the core wants to know of a training loop, whose options a plugin keeps in ``train``."""

    monitor: str
    """Validation metric that decides which checkpoint is the best."""
    maximize: bool
    """Whether large values of it are good."""
    devices: int = 1
    """Processes on each machine."""


def training_options(config: Any) -> TrainingOptions | None:
    """Returns the options of the loop, or None when the config is of no training.

    Args:
        config: A typed config, a composed one, or the content of a saved one.
    """
    train = _get(config, "train")
    monitor = _get(train, "monitor")
    if not isinstance(monitor, str):
        return None
    goal, devices = _get(train, "goal"), _get(train, "devices")
    return TrainingOptions(
        monitor=monitor,
        maximize=str(getattr(goal, "name", goal)).lower().endswith("maximize"),
        devices=devices if isinstance(devices, int) else 1,
    )


def _get(node: Any, name: str) -> Any:
    return node.get(name) if isinstance(node, Mapping) else getattr(node, name, None)
