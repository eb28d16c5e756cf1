"""Train, validation and test: split by piece, and nothing held out that training has seen."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plugins.musicvae.data.windows import as_keys, transposition_key, unique_rows

__all__ = ["SPLITS", "Windows", "assign_pieces", "split_windows"]

SPLITS = ("train", "validation", "test")
_SALT = "musicvae split 1"
"""Part of every piece's hash; a new one would move pieces between the splits."""


@dataclass(frozen=True, slots=True)
class Windows:
    """Windows of one split."""

    tokens: NDArray[np.uint8]
    """uint8 ``[N, T]``, each window once."""
    piece: NDArray[np.int32]
    """Index of the (first) piece that each comes from, int32 ``[N]``."""

    def __len__(self) -> int:
        return len(self.tokens)


def assign_pieces(
    names: Sequence[str], *, validation_fraction: float, test_fraction: float
) -> NDArray[np.int8]:
    """Assigns every piece to a split: an index into :data:`SPLITS`, int8 ``[len(names)]``.

    Pieces are ranked by a hash of their name, so that the answer depends on neither order nor seed,
    and adding pieces moves few others. With three pieces or more, each split gets one at least.
    """
    ranked = sorted(range(len(names)), key=lambda index: _rank(names[index]))
    num_test = math.ceil(len(names) * test_fraction) if len(names) > 1 else 0
    num_validation = math.ceil(len(names) * validation_fraction) if len(names) > 2 else 0
    splits = np.zeros(len(names), dtype=np.int8)
    splits[ranked[:num_test]] = 2
    splits[ranked[num_test : num_test + num_validation]] = 1
    return splits


def _rank(name: str) -> bytes:
    return hashlib.blake2b(f"{_SALT}:{name}".encode(), digest_size=16).digest()


def split_windows(
    tokens: NDArray[np.uint8], piece: NDArray[np.int32], splits: NDArray[np.int8]
) -> dict[str, Windows]:
    """Sorts windows into splits, each window once and in one split only.

    Tune families put the same bars into several pieces, so a split by piece is not enough: a
    validation window that also occurs in training is removed, and a test window that occurs in
    either. Windows that are transpositions of each other count as the same here, because training
    may transpose. Within a split only exact duplicates go.

    Args:
        tokens: All windows, uint8 ``[N, T]``.
        piece: Piece of each window, int32 ``[N]``.
        splits: Split of each piece, from :func:`assign_pieces`.
    """
    result: dict[str, Windows] = {}
    seen: list[NDArray[np.void]] = []
    for index, name in enumerate(SPLITS):
        chosen = np.flatnonzero(splits[piece] == index) if len(piece) else np.empty(0, np.int64)
        chosen = chosen[unique_rows(tokens[chosen])]
        keys = as_keys(transposition_key(tokens[chosen]))
        if seen:
            fresh = ~np.isin(keys, np.concatenate(seen))
            chosen, keys = chosen[fresh], keys[fresh]
        seen.append(np.unique(keys))
        result[name] = Windows(tokens[chosen], piece[chosen].astype(np.int32))
    return result
