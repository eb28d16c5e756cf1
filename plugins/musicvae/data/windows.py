"""Training windows: melodies cut at bar lines, duplicates removed.

Shapes: ``N`` windows, ``T`` steps of a window, ``S`` steps of all melodies together.
"""

import numpy as np
from numpy.typing import NDArray

from plugins.musicvae.config import STEPS_PER_BAR
from plugins.musicvae.data.tokens import NO_EVENT, NOTE_OFF

__all__ = ["cut_windows", "transposition_key", "unique_rows"]


def cut_windows(
    tokens: NDArray[np.uint8],
    lengths: NDArray[np.int64] | None = None,
    *,
    bars: int,
    stride_bars: int = 1,
    max_empty_bars: int = 1,
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Cuts melodies into windows that start at bar lines.

    A window stands by itself: a note that was already sounding where it starts gets its note-on
    there, and a note-off that ends a note of before becomes a no-event. Bars in which nothing
    sounds are empty; a window needs at least one note and has at most ``max_empty_bars`` empty bars
    in a row.

    Args:
        tokens: Melodies one after the other, uint8 ``[S]``; each starts at a bar line.
        lengths: Steps of each melody, multiples of 16 that sum to ``S``; one melody by default.
        bars: Bars in a window.
        stride_bars: Bars from one start to the next.
        max_empty_bars: Most consecutive empty bars.

    Returns:
        Windows uint8 ``[N, T]`` and the index of the melody of each, int64 ``[N]``.
    """
    lengths = np.array([tokens.size]) if lengths is None else np.asarray(lengths, dtype=np.int64)
    if lengths.sum() != tokens.size or (lengths % STEPS_PER_BAR).any():
        raise ValueError("melodies must be whole bars, and lengths must sum to their steps")
    width = bars * STEPS_PER_BAR
    num_bars = lengths // STEPS_PER_BAR
    if not (num_bars >= bars).any():
        return np.empty((0, width), dtype=np.uint8), np.empty(0, dtype=np.int64)

    first_step = np.cumsum(lengths) - lengths
    state = _state(tokens, np.repeat(first_step, lengths))
    empty = (state == NOTE_OFF).reshape(-1, STEPS_PER_BAR).all(axis=1)

    melody = np.repeat(np.arange(lengths.size), num_bars)  # of each bar
    bar = np.arange(melody.size) - (first_step // STEPS_PER_BAR)[melody]  # within its melody
    starts = np.flatnonzero((bar % stride_bars == 0) & (bar + bars <= num_bars[melody]))
    starts = starts[_sounds_enough(empty, starts, bars, max_empty_bars)]

    steps = starts * STEPS_PER_BAR
    windows = tokens[steps[:, None] + np.arange(width)]
    head = windows[:, 0]
    held = (head == NO_EVENT) & (state[steps] < NOTE_OFF)
    head[held] = state[steps][held]
    head[head == NOTE_OFF] = NO_EVENT
    return windows, melody[starts]


def _state(tokens: NDArray[np.uint8], melody_start: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Says what sounds at each step (NOTE_OFF: nothing), forgetting it where a melody starts."""
    events = np.where(tokens != NO_EVENT, np.arange(tokens.size), -1)
    last = np.maximum.accumulate(events)
    return np.where(last >= melody_start, tokens[np.maximum(last, 0)], np.uint8(NOTE_OFF))


def _sounds_enough(
    empty: NDArray[np.bool_], starts: NDArray[np.int64], bars: int, max_empty_bars: int
) -> NDArray[np.bool_]:
    """Says which windows have a note and no run of empty bars above the limit, bool ``[N]``."""
    run = np.zeros(starts.size, dtype=np.int64)
    longest = run.copy()
    notes = np.zeros(starts.size, dtype=np.bool_)
    for offset in range(bars):
        rest = empty[starts + offset]
        run = (run + 1) * rest
        longest = np.maximum(longest, run)
        notes |= ~rest
    return notes & (longest <= max_empty_bars)


def unique_rows(rows: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Gives the index of the first of each set of equal rows, in order, int64."""
    if not len(rows):
        return np.empty(0, dtype=np.int64)
    _, first = np.unique(as_keys(rows), return_index=True)
    return np.sort(first)


def as_keys(rows: NDArray[np.uint8]) -> NDArray[np.void]:
    """Views each row ``[N, T]`` as one comparable value, ``[N]``."""
    rows = np.ascontiguousarray(rows)
    return rows.view(np.dtype((np.void, rows.shape[1]))).ravel()


def transposition_key(windows: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Moves each window down until its lowest note is pitch 0: equal for all its transpositions."""
    notes = windows < NOTE_OFF
    lowest = np.where(notes, windows, np.uint8(127)).min(axis=1, keepdims=True)
    return np.where(notes, windows - lowest, windows).astype(np.uint8)
