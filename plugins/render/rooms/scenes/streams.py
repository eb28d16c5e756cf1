"""Random numbers for each concern of a scene, so that a change of one leaves the others alone."""

import zlib

import numpy as np

__all__ = ["Streams"]


class Streams:
    """Independent generators, each fixed by the seed of the scene and a name.

    Args:
        seed: Seed of the scene, not negative.
        kind: Kind of the scene; a room and a corridor of one seed share nothing.
    """

    def __init__(self, seed: int, kind: str) -> None:
        self._seed = seed
        self._kind = kind

    def __call__(self, *name: str | int) -> np.random.Generator:
        """Returns a new generator for a concern: the same one for the same name."""
        text = "/".join(map(str, (self._kind, *name)))
        key = (zlib.crc32(text.encode()), len(text))
        sequence = np.random.SeedSequence(self._seed, spawn_key=key)
        return np.random.Generator(np.random.PCG64(sequence))
