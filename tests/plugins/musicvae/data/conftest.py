"""Small MIDI files, written with mido so that what reads them is not what wrote them."""

from collections.abc import Callable, Sequence
from pathlib import Path

import mido
import pytest

Notes = Sequence[tuple[int, float, float]]
"""Pitch, start and end, in quarter notes."""


@pytest.fixture
def write_song() -> Callable[..., Path]:
    """Gives a function that writes a MIDI file of one or more parts and returns its path."""
    return _write_song


def _write_song(
    path: Path,
    *parts: Notes,
    metres: Sequence[tuple[float, int, int]] = ((0, 4, 4),),
    tempos: Sequence[tuple[float, float]] = (),
    metre_track: int = 0,
    ticks: int = 480,
    program: int = 52,
    channel: int = 0,
) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    tracks: list[list[tuple[int, int, mido.Message | mido.MetaMessage]]] = [
        [] for _ in range(len(parts) + 1)
    ]
    for beat, numerator, denominator in metres:
        message = mido.MetaMessage("time_signature", numerator=numerator, denominator=denominator)
        tracks[metre_track].append((round(beat * ticks), 0, message))
    for beat, bpm in tempos:
        message = mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(bpm))
        tracks[metre_track].append((round(beat * ticks), 0, message))
    for track, notes in zip(tracks[1:], parts, strict=True):
        track.append((0, 0, mido.Message("program_change", program=program, channel=channel)))
        for pitch, start, end in notes:
            on = mido.Message("note_on", note=pitch, velocity=90, channel=channel)
            off = mido.Message("note_off", note=pitch, channel=channel)
            track += [(round(start * ticks), 2, on), (round(end * ticks), 1, off)]
    file = mido.MidiFile(ticks_per_beat=ticks)
    for track in tracks:
        midi_track = mido.MidiTrack()
        last = 0
        for tick, _, message in sorted(track, key=lambda event: event[:2]):
            midi_track.append(message.copy(time=tick - last))
            last = tick
        file.tracks.append(midi_track)
    file.save(path)
    return path
