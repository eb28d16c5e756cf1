"""Scenes that several tests look at, made once."""

import pytest

from plugins.render.rooms.scenes import KINDS, Scene, make_scene

NUM_SEEDS = 30
NUM_FRAMES = 8


@pytest.fixture(scope="session")
def many_scenes() -> list[Scene]:
    """Thirty scenes, rooms and corridors by turns, half of them with things that move."""
    return [
        make_scene(
            seed, KINDS[seed % 2], num_frames=NUM_FRAMES, height=48, width=64, moving=seed % 4 < 2
        )
        for seed in range(NUM_SEEDS)
    ]


@pytest.fixture(scope="session")
def some_scenes(many_scenes: list[Scene]) -> list[Scene]:
    """Ten of them, for what takes long to look at."""
    return many_scenes[:10]
