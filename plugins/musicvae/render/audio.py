"""MIDI to sound: FluidSynth with the soundfont in pretty_midi's wheel, or plain sine tones."""

import wave
from pathlib import Path

import numpy as np
import pretty_midi
import pretty_midi.fluidsynth
from numpy.typing import NDArray

__all__ = ["FLUIDSYNTH", "SINE_TONES", "write_wav"]

FLUIDSYNTH = "FluidSynth, TimGM6mb"
SINE_TONES = "pretty_midi sine tones"
PEAK = 0.89
"""Highest sample written, of 1: one decibel of headroom, so that resampling does not clip."""
_FADE_S = 0.02


def write_wav(midi_path: Path, wav_path: Path, *, sample_rate: int = 44100) -> str:
    """Renders a MIDI file as mono 16-bit PCM, as loud as goes without clipping.

    FluidSynth is used when pyfluidsynth and the system's libfluidsynth load. Drum tracks are silent
    without it. A file with no notes gives half a second of silence.

    Args:
        midi_path: What to play.
        wav_path: File to write; its folder must exist.
        sample_rate: Samples a second.

    Returns:
        Name of the synthesiser, to be shown beside the sound.
    """
    score = pretty_midi.PrettyMIDI(str(midi_path))
    samples, synthesiser = _synthesise(score, sample_rate)
    if not samples.size:
        samples = np.zeros(sample_rate // 2)
    loudest = np.abs(samples).max()
    if loudest > 0:
        samples = samples * (PEAK / loudest)
    fade = min(samples.size, int(_FADE_S * sample_rate))
    samples[samples.size - fade :] *= np.linspace(1.0, 0.0, fade)  # no click at the end
    with wave.open(str(wav_path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sample_rate)
        file.writeframes(np.rint(samples * 32767).astype("<i2").tobytes())
    return synthesiser


def _synthesise(score: pretty_midi.PrettyMIDI, sample_rate: int) -> tuple[NDArray[np.float64], str]:
    if pretty_midi.fluidsynth._HAS_FLUIDSYNTH:  # pretty_midi's own answer to "does it load?"
        return score.fluidsynth(fs=float(sample_rate), normalize=False), FLUIDSYNTH
    if not any(instrument.notes for instrument in score.instruments):
        return np.empty(0), SINE_TONES
    return score.synthesize(fs=sample_rate), SINE_TONES
