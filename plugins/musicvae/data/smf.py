"""Standard MIDI Files 1.0: notes, programs and time signatures, in ticks.

What else is in a file (tempo, keys, lyrics, controllers) is stepped over without a look, so that
an impossible key signature costs nothing. One pass over the bytes, one number kept for each corner
of a note: a library's object for each event takes 15 times the time and 10 times the memory, of
which a small file of another's making can ask for a great deal.
"""

import struct
from collections import defaultdict

import numpy as np

from plugins.musicvae.data.melody import Metre, Score

__all__ = ["parse_midi"]

MAX_TICK = 10_000_000
"""Later notes are taken for damage: five hours at 480 ticks a quarter and 120 beats a minute."""
_DRUMS = 9
"""The channel of drums, counted from 0."""
_NUM_DATA = {0x80: 2, 0x90: 2, 0xA0: 2, 0xB0: 2, 0xC0: 1, 0xD0: 1, 0xE0: 2}
_META, _SYSEX, _TIME_SIGNATURE = 0xFF, (0xF0, 0xF7), 0x58

_Notes = dict[tuple[int, int, int], list[tuple[int, int, int]]]
"""Pitch, start and end in ticks, by track, channel and program."""


def parse_midi(content: bytes) -> Score:
    """Reads a MIDI file.

    Every channel of a track is a part, and another one with each program it changes to. The time
    signatures of all tracks count.

    Raises:
        ValueError: The bytes are no MIDI file, or a damaged one; says why.
    """
    if len(content) < 14:
        raise ValueError("truncated or empty: the file ends too early")
    name, size, _, _, resolution = struct.unpack(">4sIHHh", content[:14])
    if name != b"MThd" or size < 6:
        raise ValueError("MThd not found: this is no MIDI file")
    if resolution < 0:
        raise ValueError("times are in film frames (SMPTE), not in beats")
    if resolution == 0:
        raise ValueError("a quarter note has no ticks")
    notes: _Notes = {}
    metres: list[Metre] = []
    position, number = 8 + size, 0
    while position < len(content):
        start = position + 8
        if start > len(content):
            break  # a few bytes of padding
        name, size = struct.unpack(">4sI", content[position:start])
        position = start + size
        if name != b"MTrk":
            continue  # the standard: unknown chunks are ignored
        if position > len(content):
            raise ValueError(f"truncated: track {number + 1} ends too early")
        try:
            _read_track(content[start:position], number, notes, metres)
        except IndexError:
            raise ValueError(f"track {number + 1} ends in the middle of an event") from None
        number += 1
    if number == 0:
        raise ValueError("truncated or empty: the file has no track")
    parts = [
        np.array(table, dtype=np.int64).T
        for (_, channel, _), table in notes.items()
        if channel != _DRUMS
    ]
    return Score(resolution, parts, metres, only_drums=bool(notes) and not parts)


def _read_track(data: bytes, number: int, notes: _Notes, metres: list[Metre]) -> None:
    """Adds the notes and time signatures of one track; IndexError where it ends too early."""
    position = tick = status = 0
    programs = [0] * 16
    sounding: defaultdict[int, list[int]] = defaultdict(list)  # ticks of the open note-ons
    while position < len(data):
        delta, position = _number(data, position)
        tick += delta
        if data[position] >= 0x80:
            kind = data[position]
            position += 1
            if kind < 0xF0:
                status = kind
        else:
            kind = status  # running status: the event before gave it
        if kind in _SYSEX or kind == _META:
            place = position
            length, position = _number(data, place + (kind == _META))
            position += length
            if position > len(data):
                raise IndexError
            if kind == _META and data[place] == _TIME_SIGNATURE:
                if length < 2:
                    raise ValueError("a time signature is cut short")
                metres.append(
                    Metre(tick, data[position - length], 1 << data[position - length + 1])
                )
            continue
        if kind & 0xF0 not in _NUM_DATA:
            what = (
                "the first event has no status" if kind == 0 else f"there is no event 0x{kind:02x}"
            )
            raise ValueError(f"track {number + 1} is damaged: {what}")
        channel, first = kind & 0x0F, data[position]
        last = data[position + _NUM_DATA[kind & 0xF0] - 1]
        position += _NUM_DATA[kind & 0xF0]
        if first > 0x7F or last > 0x7F:
            raise ValueError(f"track {number + 1} is damaged: a value above 127")
        if kind & 0xF0 == 0xC0:
            programs[channel] = first
        elif kind & 0xE0 == 0x80:  # note-off or note-on
            if tick > MAX_TICK:
                raise ValueError(f"a note at tick {tick:,}: the file is likely damaged")
            opened = sounding[channel << 7 | first]
            if kind & 0xF0 == 0x90 and last > 0:  # a note-on of no velocity is a note-off
                opened.append(tick)
                continue
            # A note-off ends all the notes of its pitch. Of those that start at its own tick it
            # ends none, but they are forgotten unless it ended others: it was theirs then.
            ended = [start for start in opened if start != tick]
            sounding[channel << 7 | first] = opened[len(ended) :] if ended else []
            if ended:
                table = notes.setdefault((number, channel, programs[channel]), [])
                table += [(first, start, tick) for start in ended]


def _number(data: bytes, position: int) -> tuple[int, int]:
    """Reads a number of variable length, at most four bytes; gives it and where it ends."""
    value = 0
    for end in range(position + 1, position + 5):
        value = value << 7 | data[end - 1] & 0x7F
        if data[end - 1] < 0x80:
            return value, end
    raise ValueError("a number of more than four bytes: the file is damaged")
