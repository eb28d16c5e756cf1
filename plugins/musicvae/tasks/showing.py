"""What the tasks share on the way out: every melody as MIDI, as sound and as a picture."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from torch import Tensor

from plugins.musicvae.render import write_midi, write_pianoroll, write_wav
from plugins.musicvae.tasks.melodies import MusicRun

__all__ = ["Melody", "show_melody", "show_pair", "show_path", "show_sounds"]


class Melody(NamedTuple):
    """Tokens [T] and what to call them."""

    title: str
    tokens: Tensor


def show_melody(run: MusicRun, melody: Melody, *, stem: str, section: str, caption: str) -> None:
    """Leaves STEM.mid, STEM.wav and STEM.png of one melody."""
    _sound(run, melody, stem=stem, section=section, caption=caption)
    _picture(run, [melody], stem=stem, section=section)


def show_pair(run: MusicRun, original: Melody, decoded: Melody, *, stem: str, caption: str) -> None:
    """Leaves a melody and beside it what the model made of it, their pictures on the same axes."""
    section = original.title  # one of its own, so that the two share a row of the page
    both = [original, decoded]
    _picture(run, [original], stem=f"{stem}-original", section=section, range_of=both)
    _picture(run, [decoded], stem=stem, section=section, range_of=both)
    show_sounds(run, original, decoded, stem=stem, section=section, caption=caption)


def show_sounds(
    run: MusicRun, original: Melody, decoded: Melody, *, stem: str, section: str, caption: str
) -> None:
    """Leaves STEM-original and STEM as MIDI and sound."""
    _sound(run, original, stem=f"{stem}-original", section=section, caption="")
    _sound(run, decoded, stem=stem, section=section, caption=caption)


def show_path(
    run: MusicRun, melodies: Sequence[Melody], *, stem: str, section: str, caption: str
) -> None:
    """Leaves melodies that follow each other: one picture, all in turn, and each by itself."""
    together = np.concatenate([_array(melody.tokens) for melody in melodies])
    whole = Melody(f"all {len(melodies)} in turn", Tensor(together))
    _picture(run, melodies, stem=stem, section=section, title=whole.title)
    _sound(run, whole, stem=stem, section=section, caption=caption)
    for index, melody in enumerate(melodies):
        _sound(run, melody, stem=f"{stem}-{index:02d}", section=section, caption="")


def _sound(run: MusicRun, melody: Melody, *, stem: str, section: str, caption: str) -> None:
    midi = run.artifact_path(f"{stem}.mid")
    write_midi(_array(melody.tokens), midi, tempo_bpm=run.config.generate.tempo_bpm)
    run.add_artifact(midi, kind="midi", title=melody.title, section=section)
    sound = run.artifact_path(f"{stem}.wav")
    synthesiser = write_wav(midi, sound)
    caption = " ".join(filter(None, [caption, f"Played by {synthesiser}."]))
    run.add_artifact(sound, kind="audio", title=melody.title, caption=caption, section=section)


def _picture(
    run: MusicRun,
    melodies: Sequence[Melody],
    *,
    stem: str,
    section: str,
    title: str = "",
    range_of: Sequence[Melody] = (),
) -> None:
    path = run.artifact_path(f"{stem}.png")
    write_pianoroll(
        [(melody.title, _array(melody.tokens)) for melody in melodies],
        path,
        range_of=[_array(melody.tokens) for melody in range_of],
    )
    run.add_artifact(path, kind="image", title=title or melodies[0].title, section=section)


def _array(tokens: Tensor) -> np.ndarray:
    return tokens.cpu().numpy().astype(np.uint8)
