"""``task=train``: learn the melodies, then show what was learnt."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from labcore.training import FitResult, Loop, TensorBatches, fit, load_weights
from plugins.musicvae import schedules
from plugins.musicvae.data import Corpus, random_transpose
from plugins.musicvae.losses import elbo
from plugins.musicvae.metrics import evaluate
from plugins.musicvae.models import MusicVAE
from plugins.musicvae.tasks.evaluate import record_test
from plugins.musicvae.tasks.interpolate import show_interpolation
from plugins.musicvae.tasks.melodies import MusicRun, held_out, load_corpus
from plugins.musicvae.tasks.reconstruct import show_reconstructions
from plugins.musicvae.tasks.sample import show_samples

__all__ = ["fit_model", "train"]


def train(run: MusicRun) -> None:
    """Trains a model, measures the best one on the test pieces and shows its melodies."""
    corpus = load_corpus(run)
    model = MusicVAE(run.config.model, run.config.bars)
    run.say(f"{model.num_parameters:,} parameters, {run.config.model.decoder.value} decoder")
    run.model_ready(model)
    fit_model(run, model, corpus)
    if not run.is_main:
        return
    weights = load_weights(run.checkpoints)
    if weights is not None:
        model.load_state_dict(weights)
    model.to(run.device.torch_device).eval()
    record_test(run, model, corpus, run.config)
    show_samples(run, model, run.config.generate.count)
    melodies = held_out(corpus, max(run.config.generate.count // 2, 2), run.config.seed)
    titles = [f"held-out melody {index}" for index in range(1, len(melodies) + 1)]
    show_reconstructions(run, model, melodies, titles)
    show_interpolation(run, model, melodies[:2])


def fit_model(run: MusicRun, model: MusicVAE, corpus: Corpus, *, name: str = "") -> FitResult:
    """Trains ``model`` on the corpus with the run's options.

    Validation uses windows of held-out pieces, the same ones at every validation. ``name`` keeps
    the models of a run apart.
    """
    config = run.config
    optimizer = torch.optim.Adam(
        model.parameters(), lr=config.optimizer.lr, betas=tuple(config.optimizer.betas), fused=True
    )
    data = TensorBatches(
        torch.from_numpy(corpus.train), batch_size=config.batch_size, seed=config.seed
    )
    validation = _choose(corpus.validation, config.eval_windows, config.seed)

    def training_step(model: MusicVAE, batch: tuple[Tensor], loop: Loop) -> Mapping[str, Tensor]:
        tokens = random_transpose(batch[0], config.data.transpose)
        probability = schedules.sampling_probability(loop.step, config.loss)
        output = model(tokens, sampling_probability=probability)
        return elbo(
            output.logits,
            tokens,
            output.mu,
            output.sigma,
            beta=schedules.beta(loop.step, config.loss),
            free_bits=config.loss.free_bits,
        )

    def validate(model: MusicVAE, loop: Loop) -> dict[str, float]:
        return evaluate(
            model,
            validation,
            beta=config.loss.beta,
            free_bits=config.loss.free_bits,
            generator=torch.Generator(model.device).manual_seed(config.seed),
        )

    return fit(
        run,
        model=model,
        optimizer=optimizer,
        data=data,
        training_step=training_step,
        validate=validate,
        scheduler=config.optimizer.schedule,
        name=name,
    )


def _choose(windows: np.ndarray, count: int, seed: int) -> Tensor:
    """Picks ``count`` windows at random, all of them for 0."""
    tokens = torch.from_numpy(windows)
    if not 0 < count < len(tokens):
        return tokens
    generator = torch.Generator().manual_seed(seed)
    return tokens[torch.randperm(len(tokens), generator=generator)[:count]]
