"""Writing a melody as a MIDI file."""

from pathlib import Path

import pretty_midi
from numpy.typing import ArrayLike

from plugins.musicvae.data.tokens import decode

__all__ = ["write_midi"]

_STEPS_PER_QUARTER = 4


def write_midi(
    tokens: ArrayLike,
    path: Path,
    *,
    tempo_bpm: float = 120.0,
    velocity: int = 80,
    program: int = 0,
    title: str = "melody",
) -> Path:
    """Writes tokens ``[T]`` as a MIDI file in 4/4 that our own reader gives back note for note.

    Any tokens will do, those that a model samples included. 120 beats per minute and velocity 80
    are what Magenta's MusicVAE writes.

    Args:
        tokens: Integers in 0 to 129, ``[T]``.
        path: File to write; its folder must exist.
        tempo_bpm: Quarter notes per minute.
        velocity: Loudness of every note, 1 to 127.
        program: General MIDI instrument, 0 (grand piano) to 127.
        title: Name of the track.

    Returns:
        ``path``.
    """
    step_s = 60.0 / tempo_bpm / _STEPS_PER_QUARTER
    instrument = pretty_midi.Instrument(program=program, name=title)
    instrument.notes = [
        pretty_midi.Note(velocity, note.pitch, note.start_step * step_s, note.end_step * step_s)
        for note in decode(tokens)
    ]
    score = pretty_midi.PrettyMIDI(initial_tempo=tempo_bpm)
    score.time_signature_changes.append(pretty_midi.TimeSignature(4, 4, 0.0))
    score.instruments.append(instrument)
    score.write(str(path))
    return path
