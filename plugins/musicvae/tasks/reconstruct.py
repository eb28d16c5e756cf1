"""``task=reconstruct``: melodies encoded and decoded again, side by side."""

from pathlib import Path

import torch
from torch import Tensor

from labcore import UsageError
from plugins.musicvae.data import read_melodies
from plugins.musicvae.metrics import accuracy, note_accuracy
from plugins.musicvae.models import MusicVAE
from plugins.musicvae.tasks.melodies import (
    MusicRun,
    held_out,
    load_corpus,
    load_model,
    pad_to_windows,
)
from plugins.musicvae.tasks.showing import Melody, show_pair

__all__ = ["midi_files", "reconstruct", "show_reconstructions", "windows_of_file"]


def reconstruct(run: MusicRun) -> dict[str, float]:
    """Reconstructs the windows of ``generate.midi``, or held-out windows when that is empty."""
    trained = load_model(run)
    options = run.config.generate
    if not options.midi:
        corpus = load_corpus(run, trained.config)
        windows = held_out(corpus, options.count or len(corpus.test), run.config.seed)
        titles = [f"held-out melody {index}" for index in range(1, len(windows) + 1)]
        return show_reconstructions(run, trained.model, windows, titles)
    windows, titles = [], []
    for path in midi_files(Path(options.midi)):
        found = windows_of_file(path, trained.config.bars)
        found = found[: options.count] if options.count else found
        windows.append(found)
        titles += [f"{path.stem}, window {index}" for index in range(1, len(found) + 1)]
    return show_reconstructions(run, trained.model, torch.cat(windows), titles)


def midi_files(path: Path) -> list[Path]:
    """Returns the MIDI files that a path names: itself, or all below a folder.

    Raises:
        UsageError: There is none.
    """
    if path.is_file():
        return [path]
    files = sorted(p for p in path.rglob("*") if p.suffix.lower() in {".mid", ".midi"})
    if not files:
        raise UsageError(f"{path} is no MIDI file and no folder with MIDI files in it")
    return files


def windows_of_file(path: Path, bars: int) -> Tensor:
    """Returns the consecutive windows [N, T] of the longest melody of a MIDI file.

    Raises:
        UsageError: The file cannot be read, or holds no melody in 4/4; says why.
    """
    melodies, reasons = read_melodies(path, rebar=True)
    if not melodies:
        raise UsageError(
            f"{path} holds no melody to encode: {reasons or 'it has no notes'}",
            fix="give a MIDI file in 4/4 (2/4 and 4/2 are re-barred) with at least one note",
        )
    return pad_to_windows(max(melodies, key=len), bars)


def show_reconstructions(
    run: MusicRun, model: MusicVAE, windows: Tensor, titles: list[str]
) -> dict[str, float]:
    """Decodes the posterior means of windows [N, T] and leaves each beside its original.

    Returns:
        Accuracy over all steps and over the steps that start a note.
    """
    options = run.config.generate
    generator = torch.Generator(model.device).manual_seed(run.config.seed)
    windows = windows.to(model.device)
    with torch.inference_mode():
        codes = model.encode(windows).mu
    decoded = model.generate(codes, temperature=options.temperature, generator=generator)
    with run.progress("reconstructions", len(windows)) as progress:
        for index, (title, original, copy) in enumerate(
            zip(titles, windows, decoded, strict=True), start=1
        ):
            right = accuracy(copy, original)
            show_pair(
                run,
                Melody(title, original),
                Melody("reconstruction", copy),
                stem=f"reconstructions/{index:02d}",
                section="Reconstructions",
                caption=f"{right:.0%} of the steps are right.",
            )
            progress.advance()
    return {
        "reconstruction_accuracy": accuracy(decoded, windows),
        "reconstruction_note_accuracy": note_accuracy(decoded, windows),
    }
