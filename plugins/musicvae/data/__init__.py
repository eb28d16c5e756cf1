"""Melodies: reading, encoding, cutting and splitting music for the music VAE."""

from plugins.musicvae.data.augment import random_transpose, transpose
from plugins.musicvae.data.corpus import Corpus, Counts, prepare
from plugins.musicvae.data.midi import Piece, read_melodies, read_midi
from plugins.musicvae.data.tokens import (
    NO_EVENT,
    NOTE_OFF,
    NUM_TOKENS,
    Note,
    canonical,
    decode,
    encode,
    sounding,
)
from plugins.musicvae.data.windows import cut_windows

__all__ = [
    "NOTE_OFF",
    "NO_EVENT",
    "NUM_TOKENS",
    "Corpus",
    "Counts",
    "Note",
    "Piece",
    "canonical",
    "cut_windows",
    "decode",
    "encode",
    "prepare",
    "random_transpose",
    "read_melodies",
    "read_midi",
    "sounding",
    "transpose",
]
