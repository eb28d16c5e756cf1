"""What a dataset of rooms is made of: enough to make it again, byte for byte."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

__all__ = ["SIZES", "VERSION", "RoomsSpec", "SceneSpec", "Split"]

VERSION = 1
"""Raised when the same spec gives other data than before; datasets are then made anew."""

Split = Literal["train", "val", "test"]
_HELD_OUT = 0.1
"""Share of the scenes in val, and again in test; at least one each."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SceneSpec:
    """One scene of a dataset, which becomes one shard."""

    index: int
    seed: int
    kind: Literal["room", "corridor"]
    moving: bool
    split: Split

    @property
    def name(self) -> str:
        """What its samples' keys begin with, such as ``room-00004``."""
        return f"{self.kind}-{self.index:05d}"

    @property
    def path(self) -> str:
        """The shard's file inside the dataset."""
        return f"{self.split}/{self.name}.tar"


@dataclass(frozen=True, kw_only=True, slots=True)
class RoomsSpec:
    """The whole dataset."""

    scenes: int
    frames: int
    height: int
    width: int
    seed: int = 0
    samples: int = 2
    """Samples a pixel in each direction for the colours."""
    baseline_m: float = 0.12
    """From the left camera to the right one."""
    version: int = VERSION

    def scene(self, index: int) -> SceneSpec:
        """Returns a scene: every other one is a corridor, every other pair has moving things."""
        held_out = max(1, round(self.scenes * _HELD_OUT))
        left = self.scenes - index
        split: Split = "test" if left <= held_out else "val" if left <= 2 * held_out else "train"
        state = np.random.SeedSequence([self.seed, index]).generate_state(1)
        return SceneSpec(
            index=index,
            seed=int(state[0]),
            kind="corridor" if index % 2 else "room",
            moving=index // 2 % 2 == 1,
            split=split,
        )

    def all_scenes(self) -> list[SceneSpec]:
        """Returns the scenes in order: train, val, test."""
        return [self.scene(index) for index in range(self.scenes)]

    def describe(self) -> dict[str, Any]:
        """Returns it as plain data."""
        return asdict(self)


SIZES = {
    "tiny": RoomsSpec(scenes=4, frames=4, height=48, width=64),
    "small": RoomsSpec(scenes=100, frames=16, height=128, width=160),
    "full": RoomsSpec(scenes=500, frames=24, height=240, width=320),
}
"""Datasets by the name of their size."""
