"""Options that every run has, whatever its plugin."""

from dataclasses import dataclass, field
from typing import Any

from labcore.config.device import DeviceConfig

__all__ = ["RootConfig"]


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
