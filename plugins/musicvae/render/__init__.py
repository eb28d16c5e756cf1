"""Melodies made visible and audible: MIDI files, sound, piano rolls."""

from plugins.musicvae.render.audio import write_wav
from plugins.musicvae.render.midi import write_midi
from plugins.musicvae.render.pianoroll import write_pianoroll

__all__ = ["write_midi", "write_pianoroll", "write_wav"]
