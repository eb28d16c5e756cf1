"""Sounds in the page: how long they are, and MP3 in place of WAV where PyAV is installed."""

import array
import contextlib
import importlib
import io
import sys
import wave
from pathlib import Path

from labcore.record.durations import format_duration
from labcore.report.wording import format_number

__all__ = ["as_mp3", "sound_facts"]

_BIT_RATE = 64_000
"""For one channel: an instrument sounds like the original, in an eleventh of the bytes."""


def as_mp3(path: Path) -> bytes | None:
    """Encodes a WAV file; None when PyAV is not installed, or makes nothing of the file."""
    try:
        av = importlib.import_module("av")
    except ImportError:
        return None
    encoded = io.BytesIO()
    try:
        with av.open(str(path)) as source, av.open(encoded, "w", format="mp3") as target:
            read = source.streams.audio[0]
            layout = {1: "mono", 2: "stereo"}[read.channels]
            written = target.add_stream(
                "libmp3lame", rate=read.rate, layout=layout, options={"compression_level": "7"}
            )  # twice as fast as the default, in the same bytes
            written.bit_rate = _BIT_RATE * read.channels
            for frame in source.decode(read):
                target.mux(written.encode(frame))
            target.mux(written.encode(None))
    except (av.FFmpegError, ValueError, LookupError):
        return None  # no sound, or none that MP3 holds
    return encoded.getvalue()


def sound_facts(path: Path, size: int, most_bytes: int) -> list[str]:
    """Says how long a WAV file lasts, its rate and channels, and whether it is silent.

    Args:
        path: The file.
        size: Its bytes.
        most_bytes: Of a file that is searched for silence.
    """
    facts: list[str] = []
    with contextlib.suppress(OSError, EOFError, wave.Error), wave.open(str(path)) as sound:
        rate, channels = sound.getframerate(), sound.getnchannels()
        facts.append(format_duration(sound.getnframes() / rate))
        facts.append(f"{format_number(rate / 1000)} kHz")
        facts.append({1: "mono", 2: "stereo"}.get(channels, f"{channels} channels"))
        if sound.getsampwidth() == 2 and size <= most_bytes:
            samples = array.array("h", sound.readframes(sound.getnframes()))
            if sys.byteorder == "big":
                samples.byteswap()
            if not samples or max(samples) == min(samples):
                facts.append("silent")
    return facts
