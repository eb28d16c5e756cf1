"""From a score to melodies: metre sections, the grid of sixteenths, and one note at a time.

Everything is counted in ticks (parts of a quarter note), never in seconds, whatever the tempo.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from plugins.musicvae.config import STEPS_PER_BAR
from plugins.musicvae.data.tokens import encode_arrays

__all__ = [
    "MAX_BARS",
    "Metre",
    "Score",
    "Section",
    "extract_melodies",
    "metre_sections",
    "skyline",
]

MAX_BARS = 4096
"""Longer sections are taken for broken files (a symphony has some 2,000 bars)."""
MAX_MELODIES, MAX_STEPS = 20_000, 1 << 24
"""A file with more is not music, but made to take long: it gets a few seconds at most."""
OFF_GRID = 0.25
"""A note that starts further than this from the grid, in steps, is off it."""
MAX_OFF_GRID = 0.4
"""Sections with a larger share of notes off the grid are left out. Notes placed with no regard to
the beat give 0.5, running triplets 0.67, and the odd triplet or a human touch well under 0.2."""
_REBARRED = (STEPS_PER_BAR // 2, STEPS_PER_BAR * 2)
_FOREVER = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Score:
    """The notes of a piece."""

    resolution: int
    """Ticks in a quarter note."""
    parts: Sequence[NDArray[np.int64]]
    """Columns (pitch, start, end) of every instrument that is no drum, ticks, ``[3, N]``."""
    metres: Sequence["Metre"]
    """Time signatures in any order; of several at one tick the last counts."""
    only_drums: bool = False
    """Whether there are no parts because all notes are drums'."""


class Metre(NamedTuple):
    """A time signature from ``tick`` on. A numerator of 0 means free metre."""

    tick: int
    numerator: int
    denominator: int

    @property
    def steps_per_bar(self) -> float:
        """Sixteenth notes in a bar; not whole for odd signatures such as 3/32."""
        return STEPS_PER_BAR * self.numerator / self.denominator

    def __str__(self) -> str:
        return f"{self.numerator}/{self.denominator}" if self.numerator else "free"


@dataclass(frozen=True, slots=True)
class Section:
    """A stretch of a piece with one metre, its first bar line at ``start`` (ticks)."""

    metre: Metre
    start: int
    end: int


def metre_sections(metres: Sequence[Metre], ticks_per_quarter: int) -> list[Section]:
    """Cuts a piece where its metre changes.

    A repeated signature cuts nothing, unless it moves the bar line. Before the first signature the
    metre is 4/4, as the MIDI standard says.

    Args:
        metres: Signatures in any order; of several at one tick the last counts.
        ticks_per_quarter: The score's resolution.
    """
    by_tick = {0: Metre(0, 4, 4)}
    for metre in sorted(metres, key=lambda metre: metre.tick):
        by_tick[metre.tick] = metre
    kept: list[Metre] = []
    for metre in by_tick.values():
        if kept and kept[-1][1:] == metre[1:]:
            bar = max(1, 4 * ticks_per_quarter * metre.numerator // metre.denominator)
            if (metre.tick - kept[-1].tick) % bar == 0:
                continue
        kept.append(metre)
    ends = [metre.tick for metre in kept[1:]] + [_FOREVER]
    return [Section(metre, metre.tick, end) for metre, end in zip(kept, ends, strict=True)]


def skyline(
    pitches: NDArray[np.int64], starts: NDArray[np.int64], ends: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Reduces notes to one at a time: the highest of those that start together, until the next.

    Args:
        pitches: MIDI pitches, ``[N]``.
        starts: First step of each note, ``[N]``.
        ends: Step after the last of each note, ``[N]``.

    Returns:
        The same three columns for the notes that are left, in order of time.
    """
    order = np.lexsort((-pitches, starts))
    pitches, starts, ends = pitches[order], starts[order], ends[order]
    first = np.ones(starts.size, dtype=np.bool_)
    first[1:] = starts[1:] != starts[:-1]
    pitches, starts, ends = pitches[first], starts[first], ends[first]
    ends[:-1] = np.minimum(ends[:-1], starts[1:])
    return pitches, starts, ends


def extract_melodies(
    score: Score, *, rebar: bool = False
) -> tuple[list[NDArray[np.uint8]], list[str]]:
    """Turns a score into melodies, one per section of usable metre and part.

    Sections whose bars hold 16 sixteenths (4/4, 2/2) are kept. A note that rounds to nothing gets
    one step, one that runs past its section is cut there, and a polyphonic part gives its
    :func:`skyline`. The melody starts at the section's first bar line and ends with the bar of its
    last note.

    Args:
        score: The piece.
        rebar: Also takes bars half or twice as long (2/4 in pairs, 4/2 in halves).

    Returns:
        Tokens uint8 ``[T]`` per melody, ``T`` a multiple of 16; and for each section that is left
        out, why.
    """
    if not score.parts:
        return [], ["only drums" if score.only_drums else "no notes"]
    wanted = (STEPS_PER_BAR, *_REBARRED) if rebar else (STEPS_PER_BAR,)
    sections = metre_sections(score.metres, score.resolution)
    starts = np.array([section.start for section in sections])
    pieces: list[tuple[int, NDArray[np.int64]]] = []
    for part in score.parts:
        pieces += _cut(part, starts - score.resolution // 8)
        if len(pieces) > MAX_MELODIES:
            return [], [f"instruments and changes of metre cut it into over {MAX_MELODIES:,} parts"]
    melodies: list[NDArray[np.uint8]] = []
    reasons: list[str] = []
    num_steps = 0
    for index, notes in sorted(pieces, key=lambda piece: piece[0]):
        if sections[index].metre.steps_per_bar not in wanted:
            reasons.append(f"metre {sections[index].metre}")
            continue
        tokens, reason = _melody(sections[index], notes, score.resolution)
        if tokens is None:
            reasons.append(reason)
            continue
        melodies.append(tokens)
        num_steps += tokens.size
        if num_steps > MAX_STEPS:
            return [], [f"its melodies are over {MAX_STEPS // STEPS_PER_BAR:,} bars together"]
    return melodies, reasons


def _cut(part: NDArray[np.int64], starts: NDArray[np.int64]) -> list[tuple[int, NDArray[np.int64]]]:
    """Gives the index of each section in which notes of a part start, and these notes.

    Args:
        part: Columns (pitch, start, end), ``[3, N]``.
        starts: From when on a note is the section's: it may come half a step early.
    """
    section = np.searchsorted(starts, part[1], side="right") - 1
    order = np.argsort(section, kind="stable")
    indices, first = np.unique(section[order], return_index=True)
    return list(zip(indices.tolist(), np.split(part[:, order], first[1:], axis=1), strict=True))


def _melody(
    section: Section, notes: NDArray[np.int64], resolution: int
) -> tuple[NDArray[np.uint8] | None, str]:
    pitches, starts, ends = notes
    starts = np.maximum(starts - section.start, 0)
    ends = np.minimum(ends, section.end) - section.start
    # Rounded half up in whole numbers: a step is a quarter of ``resolution`` ticks.
    start_steps = (8 * starts + resolution) // (2 * resolution)
    end_steps = np.maximum((8 * ends + resolution) // (2 * resolution), start_steps + 1)
    off = np.abs(4 * starts / resolution - start_steps) > OFF_GRID
    if off.mean() > MAX_OFF_GRID:
        return None, f"{off.mean():.0%} of the notes are off the grid of sixteenths"
    pitches, start_steps, end_steps = skyline(pitches, start_steps, end_steps)
    num_bars = -(-int(end_steps[-1]) // STEPS_PER_BAR)
    if num_bars > MAX_BARS:
        return None, f"{num_bars} bars long, more than {MAX_BARS}"
    return encode_arrays(pitches, start_steps, end_steps, num_bars * STEPS_PER_BAR), ""
