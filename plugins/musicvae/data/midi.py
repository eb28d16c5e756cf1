"""Reading a MIDI file as melodies, and saying why when it cannot be read.

The file is parsed once, by mido; pretty_midi gets the parsed tracks and pairs note-ons with
note-offs. Before that, metre is collected from *every* track (pretty_midi looks at the first alone,
and files that put it elsewhere are common), and everything but notes and programs is dropped. With
the tempo gone, pretty_midi's seconds are ticks at a constant 120 beats per minute.
"""

import io
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

import mido
import numpy as np
import pretty_midi
from numpy.typing import NDArray

from plugins.musicvae.data.melody import Metre, extract_melodies

__all__ = ["Piece", "Rejected", "Rejection", "load_score", "read_melodies", "read_midi"]

MAX_FILE_BYTES = 8 * 2**20
"""Larger files are not music (the largest of the Lakh set is under 3 MB) and take minutes."""
_KEPT = frozenset({"note_on", "note_off", "program_change"})


class Rejection(Enum):
    """How much of a file is left out."""

    unreadable = "unreadable"
    """The file is corrupt or not MIDI; these count against ``data.max_rejected``."""
    unused = "unused"
    """The file is fine and holds nothing usable, such as a piece in 3/4."""
    partly = "partly"
    """Some sections are left out, others are used."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A file, or part of one, that gives no melody, and why."""

    path: str
    reason: str
    kind: Rejection = Rejection.unreadable


@dataclass(frozen=True, slots=True)
class Piece:
    """What one piece of music gives."""

    name: str
    melodies: list[NDArray[np.uint8]] = field(default_factory=list)
    """Tokens uint8 ``[T]``, ``T`` a multiple of 16, each from a bar line on."""
    rejected: tuple[Rejected, ...] = ()

    @classmethod
    def sorted_out(
        cls, name: str, melodies: list[NDArray[np.uint8]], reasons: list[str]
    ) -> "Piece":
        """Makes a piece of what :func:`extract_melodies` gave."""
        kind = Rejection.partly if melodies else Rejection.unused
        unique = dict.fromkeys(reasons)
        return cls(name, melodies, tuple(Rejected(name, reason, kind) for reason in unique))

    @classmethod
    def unreadable(cls, name: str, reason: str) -> "Piece":
        """Makes a piece of a file that cannot be read."""
        return cls(name, [], (Rejected(name, reason, Rejection.unreadable),))


def load_score(path: Path) -> tuple[pretty_midi.PrettyMIDI, list[Metre]]:
    """Parses a MIDI file.

    Returns:
        The notes, at a constant 120 beats per minute, and the time signatures of all tracks.

    Raises:
        Exception: Whatever the parsers raise on a bad file; there is no common class.
    """
    size = path.stat().st_size
    if size > MAX_FILE_BYTES:
        raise ValueError(f"{size / 2**20:.0f} MiB is too large for a MIDI file")
    file = mido.MidiFile(file=io.BytesIO(path.read_bytes()))  # byte-wise reads: memory is faster
    if file.ticks_per_beat <= 0:
        raise ValueError("times are in film frames (SMPTE), not in beats")
    metres: list[Metre] = []
    tracks: list[mido.MidiTrack] = []
    for track in file.tracks:
        kept = mido.MidiTrack()
        tick = last = 0
        for event in track:
            tick += event.time
            if event.type in _KEPT:
                if event.time != tick - last:  # setting it is slow, and seldom needed
                    event.time = tick - last
                last = tick
                kept.append(event)
            elif event.type == "time_signature":
                metres.append(Metre(tick, event.numerator, event.denominator))
        if kept:
            tracks.append(kept)
    if not tracks:
        return pretty_midi.PrettyMIDI(resolution=file.ticks_per_beat), metres
    file.tracks = tracks
    return pretty_midi.PrettyMIDI(mido_object=file), metres


def read_midi(path: Path, *, name: str | None = None, rebar: bool = False) -> Piece:
    """Reads a MIDI file as melodies. Never raises because of what is in the file.

    Args:
        path: The file.
        name: What to call the piece; the path by default.
        rebar: Also takes 2/4 and 4/2, see :func:`extract_melodies`.
    """
    name = name or str(path)
    try:
        score, metres = load_score(path)
    except MemoryError:
        raise
    except Exception as error:  # mido raises a dozen classes on bad bytes, IndexError among them
        return Piece.unreadable(name, _reason(error))
    return Piece.sorted_out(name, *extract_melodies(score, metres, rebar=rebar))


def read_melodies(path: Path, *, rebar: bool = False) -> tuple[list[NDArray[np.uint8]], str]:
    """Reads a MIDI file as melodies.

    Returns:
        Tokens uint8 ``[T]`` of each melody, ``T`` a multiple of 16; and what was left out and why,
        as one line, empty when nothing was.
    """
    piece = read_midi(path, rebar=rebar)
    return piece.melodies, "; ".join(entry.reason for entry in piece.rejected)


def _reason(error: Exception) -> str:
    if isinstance(error, EOFError):
        return "truncated or empty: the file ends too early"
    if isinstance(error, OSError) and error.errno is not None:
        return f"cannot be opened: {error.strerror}"
    message = " ".join(str(error).split())
    return f"{type(error).__name__}: {message}" if message else type(error).__name__
