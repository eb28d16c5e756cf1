"""Monophonic melodies as sequences of 130 classes, one per sixteenth note.

A token is a note-on of a pitch (0 to 127), NOTE_OFF, or NO_EVENT, which means "go on with what you
are doing": hold the note, or stay silent. So a held note is its note-on followed by no-events, a
repeated note is a second note-on, and a rest is a note-off followed by no-events. This is the
encoding behind section 4.1 of Roberts et al. (ICML 2018); they call the third symbol "rest".

Shapes: ``T`` steps; ``...`` any leading dimensions.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "NOTE_OFF",
    "NO_EVENT",
    "NUM_TOKENS",
    "Note",
    "canonical",
    "decode",
    "encode",
    "encode_arrays",
    "held_pitch",
    "sounding",
]

NOTE_OFF = 128
"""The sounding note ends here and nothing follows it yet."""
NO_EVENT = 129
"""Hold the note, or stay silent."""
NUM_TOKENS = 130
"""128 pitches, note-off and no-event."""


class Note(NamedTuple):
    """A note on the grid of sixteenths; it sounds from ``start_step`` up to ``end_step``."""

    pitch: int
    start_step: int
    end_step: int


def encode(notes: Sequence[Note], num_steps: int) -> NDArray[np.uint8]:
    """Writes notes as tokens.

    Args:
        notes: Notes in order of time, none of which overlaps the next.
        num_steps: ``T``, at least the end of the last note.

    Returns:
        Tokens, uint8 ``[T]``.

    Raises:
        ValueError: The notes overlap, are empty, or lie outside the grid or the MIDI range.
    """
    table = np.asarray([tuple(note) for note in notes], dtype=np.int64).reshape(-1, 3)
    pitches, starts, ends = table.T
    if table.size:
        if pitches.min() < 0 or pitches.max() > 127:
            raise ValueError("pitches must be 0 to 127")
        if starts[0] < 0 or ends[-1] > num_steps:
            raise ValueError(f"notes must lie within steps 0 to {num_steps}")
        if (ends <= starts).any():
            raise ValueError("a note must last at least one step")
        if (starts[1:] < ends[:-1]).any():
            raise ValueError("notes overlap; a melody has one note at a time, in order")
    return encode_arrays(pitches, starts, ends, num_steps)


def encode_arrays(
    pitches: NDArray[np.int64],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    num_steps: int,
) -> NDArray[np.uint8]:
    """Does the work of :func:`encode` on columns, trusting that they are monophonic."""
    tokens = np.full(num_steps, NO_EVENT, dtype=np.uint8)
    tokens[ends[ends < num_steps]] = NOTE_OFF
    tokens[starts] = pitches  # after the note-offs: the next note-on ends a note by itself
    return tokens


def decode(tokens: ArrayLike) -> list[Note]:
    """Reads tokens as notes; any sequence is valid, so whatever a model samples can be written.

    A note-off with nothing sounding means nothing, and a note sounding at the end stops there.

    Args:
        tokens: Integers in 0 to 129, ``[T]``.

    Returns:
        Notes in order of time, each at least one step long, none overlapping.

    Raises:
        ValueError: The tokens are not one sequence or hold something other than 0 to 129.
    """
    sequence = np.asarray(tokens)
    if sequence.ndim != 1:
        raise ValueError(f"decode takes one sequence of tokens, not an array of {sequence.shape}")
    if sequence.size and (sequence.min() < 0 or sequence.max() >= NUM_TOKENS):
        raise ValueError(f"tokens must be 0 to {NUM_TOKENS - 1}")
    events = np.flatnonzero(sequence != NO_EVENT)
    values = sequence[events]
    ends = np.append(events[1:], sequence.size)
    onsets = values < NOTE_OFF
    return [
        Note(int(pitch), int(start), int(end))
        for pitch, start, end in zip(values[onsets], events[onsets], ends[onsets], strict=True)
    ]


def held_pitch(tokens: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Says what sounds during each step: the pitch, or NOTE_OFF for silence; uint8 ``[..., T]``."""
    steps = np.arange(tokens.shape[-1])
    last_event = np.maximum.accumulate(np.where(tokens != NO_EVENT, steps, -1), axis=-1)
    state = np.take_along_axis(tokens, np.maximum(last_event, 0), axis=-1)
    return np.where(last_event >= 0, state, np.uint8(NOTE_OFF))


def sounding(tokens: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Says in which steps a note sounds, bool ``[..., T]``."""
    return held_pitch(tokens) < NOTE_OFF


def canonical(tokens: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Returns the one spelling of a melody: note-offs that end nothing become no-events.

    It is what ``encode(decode(tokens), T)`` gives, for any leading dimensions ``[..., T]``.
    """
    before = np.zeros(tokens.shape, dtype=np.bool_)
    before[..., 1:] = sounding(tokens)[..., :-1]
    return np.where((tokens == NOTE_OFF) & ~before, np.uint8(NO_EVENT), tokens).astype(np.uint8)
