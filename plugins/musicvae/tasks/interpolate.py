"""``task=interpolate``: melodies along the arc between two codes."""

from pathlib import Path

import torch
from torch import Tensor

from labcore import UsageError
from plugins.musicvae.latent import slerp
from plugins.musicvae.models import MusicVAE
from plugins.musicvae.tasks.melodies import MusicRun, held_out, load_corpus, load_model
from plugins.musicvae.tasks.reconstruct import read_tune
from plugins.musicvae.tasks.showing import Melody, show_path

__all__ = ["interpolate", "show_interpolation"]


def interpolate(run: MusicRun) -> None:
    """Goes from ``generate.start`` to ``generate.end``; held-out melodies stand in for either."""
    trained = load_model(run)
    options = run.config.generate
    ends = [
        _window(run, "start", options.start, options.start_window, trained.config.bars),
        _window(run, "end", options.end, options.end_window, trained.config.bars),
    ]
    if None in ends:
        corpus = load_corpus(run, trained.config)
        drawn = list(held_out(corpus, 2, run.config.seed))
        ends = [drawn.pop() if end is None else end for end in ends]
    show_interpolation(run, trained.model, torch.stack([end for end in ends if end is not None]))


def _window(run: MusicRun, end: str, name: str, number: int, bars: int) -> Tensor | None:
    """Reads one window [T] of a file; None without a file."""
    if not name:
        return None
    tune = read_tune(Path(name).expanduser(), bars)
    if number > len(tune.windows):
        raise UsageError(
            f"generate.{end}_window is {number}, and {name} has {len(tune.windows)} windows of "
            f"{bars} bars with a note",
            fix=f"use generate.{end}_window=1 to {len(tune.windows)}",
        )
    run.say(f"{end}: window {number} of {len(tune.windows)} of {tune.name}")
    return tune.windows[number - 1]


def show_interpolation(run: MusicRun, model: MusicVAE, ends: Tensor) -> None:
    """Decodes ``generate.points`` codes on the arc between the means of two melodies [2, T]."""
    options = run.config.generate
    generator = torch.Generator(model.device).manual_seed(run.config.seed)
    with torch.inference_mode():
        start, end = model.encode(ends.to(model.device)).mu
    alphas = torch.linspace(0, 1, options.points, device=model.device)
    codes = slerp(start, end, alphas)
    # The most probable tokens: what changes along the path is then the code's doing alone.
    tokens = model.generate(codes, temperature=0, generator=generator)
    show_path(
        run,
        [
            Melody(f"alpha {alpha:.2f}", melody)
            for alpha, melody in zip(alphas.tolist(), tokens, strict=True)
        ],
        stem="interpolation/path",
        section="Interpolation",
        caption="Spherical interpolation between the codes of two melodies; the most probable "
        "tokens of each.",
    )
