"""From a score to melodies: metre sections, the grid of sixteenths, and one note at a time.

Everything is counted in ticks (parts of a quarter note), never in seconds, whatever the tempo.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from plugins.musicvae.config import STEPS_PER_BAR
from plugins.musicvae.data.tokens import encode_arrays

if TYPE_CHECKING:
    from pretty_midi import PrettyMIDI

__all__ = ["MAX_BARS", "Metre", "Section", "extract_melodies", "metre_sections", "skyline"]

SCORE_BPM = 120.0
"""Tempo that scores are held at in memory, so that seconds are ticks over twice the resolution."""
MAX_BARS = 4096
"""Longer sections are taken for broken files (a symphony has some 2,000 bars)."""
OFF_GRID = 0.25
"""A note that starts further than this from the grid, in steps, is off it."""
MAX_OFF_GRID = 0.4
"""Sections with a larger share of notes off the grid are left out. Notes placed with no regard to
the beat give 0.5, running triplets 0.67, and the odd triplet or a human touch well under 0.2."""
_REBARRED = (STEPS_PER_BAR // 2, STEPS_PER_BAR * 2)
_FOREVER = np.iinfo(np.int64).max


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


def metre_sections(metres: list[Metre], ticks_per_quarter: int) -> list[Section]:
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
    score: "PrettyMIDI", metres: list[Metre], *, rebar: bool = False
) -> tuple[list[NDArray[np.uint8]], list[str]]:
    """Turns a score into melodies, one per section of usable metre and instrument that is no drum.

    Sections whose bars hold 16 sixteenths (4/4, 2/2) are kept. A note that rounds to nothing gets
    one step, one that runs past its section is cut there, and a polyphonic instrument gives its
    :func:`skyline`. The melody starts at the section's first bar line and ends with the bar of its
    last note.

    Args:
        score: Notes at :data:`SCORE_BPM`; its own tempo and metre are not looked at.
        metres: The piece's time signatures.
        rebar: Also takes bars half or twice as long (2/4 in pairs, 4/2 in halves).

    Returns:
        Tokens uint8 ``[T]`` per melody, ``T`` a multiple of 16; and for each section that is left
        out, why.
    """
    wanted = (STEPS_PER_BAR, *_REBARRED) if rebar else (STEPS_PER_BAR,)
    resolution = score.resolution
    columns = [
        _ticks(instrument.notes, resolution)
        for instrument in score.instruments
        if not instrument.is_drum and instrument.notes
    ]
    melodies: list[NDArray[np.uint8]] = []
    reasons: list[str] = []
    if not columns:
        reasons.append("only drums" if any(i.notes for i in score.instruments) else "no notes")
        return melodies, reasons
    for section in metre_sections(metres, resolution):
        parts = [_within(section, notes, resolution) for notes in columns]
        parts = [part for part in parts if part.size]
        if not parts:
            continue
        if section.metre.steps_per_bar not in wanted:
            reasons.append(f"metre {section.metre}")
            continue
        for part in parts:
            tokens, reason = _melody(section, part, resolution)
            if tokens is None:
                reasons.append(reason)
            else:
                melodies.append(tokens)
    return melodies, reasons


def _ticks(notes: list, resolution: int) -> NDArray[np.int64]:  # type: ignore[type-arg]
    """Reads notes as columns (pitch, start, end) in ticks, int64 ``[3, N]``."""
    table = np.array([(note.pitch, note.start, note.end) for note in notes], dtype=np.float64)
    table[:, 1:] *= resolution * SCORE_BPM / 60.0
    return np.rint(table).astype(np.int64).T


def _within(section: Section, notes: NDArray[np.int64], resolution: int) -> NDArray[np.int64]:
    """Keeps the notes that start in the section, allowing a note to come half a step early."""
    start = notes[1] + resolution // 8
    return notes[:, (start >= section.start) & (start < section.end)]


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
