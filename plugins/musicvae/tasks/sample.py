"""``task=sample``: melodies from codes drawn from the prior."""

import torch

from labcore import UsageError
from plugins.musicvae.models import MusicVAE
from plugins.musicvae.tasks.melodies import MusicRun, load_model
from plugins.musicvae.tasks.showing import Melody, show_melody

__all__ = ["sample", "show_samples"]


def sample(run: MusicRun) -> None:
    """Writes ``generate.count`` melodies with the model of ``run=``."""
    if run.config.generate.count == 0:
        raise UsageError("generate.count is 0: there is nothing to sample", fix="use 1 or more")
    trained = load_model(run)
    show_samples(run, trained.model, run.config.generate.count)


def show_samples(run: MusicRun, model: MusicVAE, count: int) -> None:
    """Draws ``count`` codes from N(0, I), decodes them and leaves the melodies."""
    options = run.config.generate
    generator = torch.Generator(model.device).manual_seed(run.config.seed)
    codes = model.sample_prior(count, generator)
    tokens = model.generate(codes, temperature=options.temperature, generator=generator)
    with run.progress("samples", count) as progress:
        for index, melody in enumerate(tokens, start=1):
            show_melody(
                run,
                Melody(f"sample {index}", melody),
                stem=f"samples/{index:02d}",
                section="Samples from the prior",
                caption=f"Softmax temperature {options.temperature:g}.",
            )
            progress.advance()
