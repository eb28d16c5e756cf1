"""Damaged and hostile MIDI files: ``python -m tests.fuzz.midi``, 3,000 in seconds.

None may raise, take over 5 s or over 1 GB: what cannot be read is a rejected piece.
"""

import random
import struct
import sys
import tempfile
from pathlib import Path

from plugins.musicvae.data import read_midi
from tests.fuzz.harness import fuzz_by_hand, mutated

__all__ = ["NAME", "make", "run"]

NAME = "MIDI files"

_EVENTS = (
    b"\x00\x90\x3c\x50", b"\x60\x80\x3c\x40", b"\x00\xff\x58\x04\x04\x02\x18\x08", b"\x00\xc1\x20",
    b"\x00\xff\x58\x04\x00\xff\x18\x08", b"\x00\xff\x59\x02\xf8\x00", b"\x00\xf0\x04abc\xf7",
)  # fmt: skip
WORDS = (
    *_EVENTS, b"MTrk", b"MThd", b"\x00\xff\x2f\x00", b"\xff\xff\xff\x7f", b"\xff\xff\xff\xff",
    b"\x00" * 16,
)  # fmt: skip
"""Pieces that matter to the format."""
_MOST_BYTES = 1 << 20


def make(rng: random.Random) -> bytes:
    """Makes a file: small and damaged, or whole and extreme."""
    content = _song(rng)
    return content if rng.random() < 0.4 else mutated(content, rng, words=WORDS, most=3)


def run(content: bytes) -> None:
    """Reads a file."""
    with tempfile.NamedTemporaryFile(suffix=".mid") as file:
        file.write(content)
        file.flush()
        piece = read_midi(Path(file.name), rebar=True)
    assert piece.melodies or piece.rejected


def _song(rng: random.Random) -> bytes:
    tracks = [_track(rng) for _ in range(rng.choice((0, 1, 1, 2, 3, 8)))]
    if rng.random() < 0.05:  # many copies: the cost must not grow with the square
        tracks *= max(1, rng.randrange(_MOST_BYTES) // max(1, sum(map(len, tracks))))
    division = rng.choice((1, 24, 96, 480, 480, 480, 1024, 32767) * 4 + (0, 0xE728))
    header = struct.pack(">4sIHHH", b"MThd", 6, rng.randrange(3), min(len(tracks), 65535), division)
    return header + b"".join(tracks)


def _track(rng: random.Random) -> bytes:
    events = b"".join(_event(rng) for _ in range(rng.choice((1, 8, 60))))
    if rng.random() < 0.1:
        events *= rng.choice((10, 100, 1000))
    events += b"\x00\xff\x2f\x00"
    return b"MTrk" + struct.pack(">I", len(events)) + events


def _event(rng: random.Random) -> bytes:
    delta = rng.choice((b"\x00", b"\x01", b"\x60", b"\x83\x60", b"\xff\x7f", b"\x81\x80\x00"))
    channel, pitch = rng.randrange(16), rng.randrange(128)
    kind = rng.randrange(8)
    if kind < 3:
        end = rng.choice((b"\x60", b"\x83\x60")) + bytes((0x80 | channel, pitch, 64))
        return delta + bytes((0x90 | channel, pitch, rng.randrange(1, 128))) + end
    if kind < 5:
        return delta + bytes((0x80 | channel, pitch, 64))
    if kind == 5:
        return delta + bytes((0xC0 | channel, pitch))
    if kind == 6:
        return delta + bytes((0xFF, 0x58, 4, rng.randrange(8), rng.randrange(5), 24, 8))
    return rng.choice(_EVENTS)


if __name__ == "__main__":
    sys.exit(fuzz_by_hand(NAME, make, run, (), cases=3_000))
