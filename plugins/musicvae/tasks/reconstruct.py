"""``task=reconstruct``: melodies encoded and decoded again, side by side."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from labcore import UsageError
from labcore.errors import nearest, suggestion
from plugins.musicvae.data import NO_EVENT, NOTE_OFF, read_melodies
from plugins.musicvae.metrics import accuracy, note_accuracy
from plugins.musicvae.models import MusicVAE
from plugins.musicvae.tasks.melodies import (
    MusicRun,
    held_out,
    load_corpus,
    load_model,
    windows_of_melody,
)
from plugins.musicvae.tasks.showing import Melody, show_pair, show_sounds

__all__ = ["Tune", "midi_files", "read_tune", "reconstruct", "show_reconstructions"]


class Tune(NamedTuple):
    """The longest melody of a MIDI file, cut into windows."""

    name: str
    windows: Tensor
    """Those in which a note sounds [N, T]."""
    sounds: Tensor
    """Which of all its windows these are, bool."""
    num_melodies: int
    """Melodies that the file holds."""

    def whole(self, windows: Tensor) -> Tensor:
        """Puts windows [N, T] in their places, with silence between them; one melody."""
        whole = windows.new_full((len(self.sounds), windows.shape[1]), NO_EVENT)
        whole[:, 0] = NOTE_OFF
        whole[self.sounds.to(windows.device)] = windows
        return whole.flatten()


def reconstruct(run: MusicRun) -> dict[str, float]:
    """Reconstructs the tunes of ``generate.midi``, or held-out windows when that is empty."""
    trained = load_model(run)
    options = run.config.generate
    if not options.midi:
        corpus = load_corpus(run, trained.config)
        windows = held_out(corpus, options.count, run.config.seed)
        titles = [f"held-out melody {index}" for index in range(1, len(windows) + 1)]
        return show_reconstructions(run, trained.model, windows, titles)
    tunes = _tunes(run, midi_files(Path(options.midi).expanduser()), trained.config.bars)
    originals = torch.cat([tune.windows for tune in tunes])
    copies = torch.cat([_decoded(run, trained.model, tune.windows) for tune in tunes])
    start = 0
    for number, tune in enumerate(tunes, start=1):
        end = start + len(tune.windows)
        original, copy = originals[start:end], copies[start:end]
        start = end
        show_sounds(
            run,
            Melody(f"{tune.name}, whole", tune.whole(original)),
            Melody(f"{tune.name}, whole: reconstruction", tune.whole(copy)),
            stem=f"reconstructions/{number:02d}-whole",
            section="Whole tunes",
            caption=f"{len(original)} windows, each from its own code; a note that is held from "
            "one into the next is struck again.",
        )
        shown = slice(0, options.count or None)
        if 0 < options.count < len(original):
            run.say(
                f"{tune.name}: {options.count} of {len(original)} windows are shown one by one "
                "(generate.count); the figures and the whole tune are of all"
            )
        titles = [f"{tune.name}, window {i}" for i in range(1, len(original[shown]) + 1)]
        _show(run, original[shown], copy[shown], titles, stem=f"reconstructions/{number:02d}")
    return _figures(originals, copies)


def midi_files(path: Path) -> list[Path]:
    """Returns the MIDI files that a path names: itself, or all below a folder.

    Raises:
        UsageError: There is none.
    """
    if path.is_file():
        return [path]
    if not path.exists():
        there = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
        raise UsageError(
            f"there is no file {path}",
            fix=suggestion(nearest(path.name, there)) or "give the path of a MIDI file",
        )
    files = sorted(p for p in path.rglob("*") if p.suffix.lower() in {".mid", ".midi"})
    if not files:
        raise UsageError(
            f"there is no MIDI file in the folder {path}", fix="give one with .mid or .midi files"
        )
    return files


def read_tune(path: Path, bars: int) -> Tune:
    """Reads the longest melody of a MIDI file.

    Raises:
        UsageError: The file cannot be read, or holds no melody in 4/4; says why.
    """
    midi_files(path)  # there is such a file
    melodies, reasons = read_melodies(path, rebar=True)
    if not melodies:
        raise UsageError(
            f"{path} holds no melody to encode: {reasons or 'it has no notes'}",
            fix="give a MIDI file in 4/4 (2/4 and 4/2 are re-barred) with at least one note",
        )
    longest = max(melodies, key=len)
    return Tune(path.stem, *windows_of_melody(longest, bars), len(melodies))


def _tunes(run: MusicRun, paths: Sequence[Path], bars: int) -> list[Tune]:
    """Reads files, leaving out those that hold nothing; at least one must hold something."""
    tunes = []
    for path in paths:
        try:
            tune = read_tune(path, bars)
        except UsageError as error:
            if len(paths) == 1:
                raise
            run.say(f"left out: {error.message}", level="warning")
            continue
        if tune.num_melodies > 1:
            run.say(f"{tune.name}: the longest of its {tune.num_melodies} melodies")
        tunes.append(tune)
    if not tunes:
        raise UsageError(
            f"none of the {len(paths)} files holds a melody to encode",
            fix="give MIDI files in 4/4 (2/4 and 4/2 are re-barred); the lines above say why",
        )
    return tunes


def show_reconstructions(
    run: MusicRun, model: MusicVAE, windows: Tensor, titles: list[str]
) -> dict[str, float]:
    """Decodes the posterior means of windows [N, T] and leaves each beside its original.

    Returns:
        Accuracy over all steps and over the steps that start a note.
    """
    copies = _decoded(run, model, windows)
    _show(run, windows, copies, titles, stem="reconstructions/")
    return _figures(windows, copies)


def _decoded(run: MusicRun, model: MusicVAE, windows: Tensor) -> Tensor:
    generator = torch.Generator(model.device).manual_seed(run.config.seed)
    copies = []
    for batch in windows.split(512):
        with torch.inference_mode():
            codes = model.encode(batch.to(model.device)).mu
        copies.append(
            model.generate(
                codes, temperature=run.config.generate.temperature, generator=generator
            ).cpu()
        )
    return torch.cat(copies)


def _show(
    run: MusicRun, originals: Tensor, copies: Tensor, titles: Sequence[str], *, stem: str
) -> None:
    with run.progress("reconstructions", len(originals)) as progress:
        for index, (title, original, copy) in enumerate(
            zip(titles, originals, copies, strict=True), start=1
        ):
            right = accuracy(copy, original)
            show_pair(
                run,
                Melody(title, original),
                Melody(f"{title}: reconstruction", copy),
                stem=f"{stem}{'' if stem.endswith('/') else '-'}{index:02d}",
                caption=f"{right:.0%} of the steps are right.",
            )
            progress.advance()


def _figures(originals: Tensor, copies: Tensor) -> dict[str, float]:
    return {
        "reconstruction_accuracy": accuracy(copies, originals),
        "reconstruction_note_accuracy": note_accuracy(copies, originals),
    }
