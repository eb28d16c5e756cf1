"""Reading a MIDI file as melodies, and saying why when it cannot be read."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from labcore.data.skipped import Skipped
from plugins.musicvae.data.melody import extract_melodies
from plugins.musicvae.data.smf import parse_midi

__all__ = ["Piece", "read_melodies", "read_midi"]

MAX_FILE_BYTES = 8 * 2**20
"""Larger files are not music: the largest of the Lakh set is under 3 MB."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What one piece of music gives."""

    name: str
    melodies: list[NDArray[np.uint8]] = field(default_factory=list)
    """Tokens uint8 ``[T]``, ``T`` a multiple of 16, each from a bar line on."""
    rejected: tuple[Skipped, ...] = ()
    """What is left out: ``unreadable`` (corrupt, or no music), ``unused`` (fine, with nothing
    usable, such as a piece in 3/4), or ``partly`` (some sections are, others are used)."""

    @classmethod
    def sorted_out(
        cls, name: str, melodies: list[NDArray[np.uint8]], reasons: list[str]
    ) -> "Piece":
        """Makes a piece of what :func:`extract_melodies` gave."""
        kind = "partly" if melodies else "unused"
        unique = dict.fromkeys(reasons)
        return cls(name, melodies, tuple(Skipped(name, reason, kind) for reason in unique))

    @classmethod
    def unreadable(cls, name: str, reason: str) -> "Piece":
        """Makes a piece of a file that cannot be read."""
        return cls(name, [], (Skipped(name, reason),))


def read_midi(path: Path, *, name: str | None = None, rebar: bool = False) -> Piece:
    """Reads a MIDI file as melodies. Never raises because of what is in the file.

    Args:
        path: The file.
        name: What to call the piece; the path by default.
        rebar: Also takes 2/4 and 4/2, see :func:`extract_melodies`.
    """
    name = name or str(path)
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            return Piece.unreadable(name, f"{size / 2**20:.0f} MiB is too large for a MIDI file")
        score = parse_midi(path.read_bytes())
    except OSError as error:
        return Piece.unreadable(name, f"cannot be opened: {error.strerror}")
    except ValueError as error:
        return Piece.unreadable(name, str(error))
    return Piece.sorted_out(name, *extract_melodies(score, rebar=rebar))


def read_melodies(path: Path, *, rebar: bool = False) -> tuple[list[NDArray[np.uint8]], str]:
    """Reads a MIDI file as melodies.

    Returns:
        Tokens uint8 ``[T]`` of each melody, ``T`` a multiple of 16; and what was left out and why,
        as one line, empty when nothing was.
    """
    piece = read_midi(path, rebar=rebar)
    return piece.melodies, "; ".join(entry.reason for entry in piece.rejected)
