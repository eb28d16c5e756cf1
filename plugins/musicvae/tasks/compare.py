"""``task=compare``: flat and hierarchical decoders, trained alike (paper, table 2)."""

import dataclasses

from labcore.training import load_weights
from plugins.musicvae.config import DecoderKind
from plugins.musicvae.metrics import evaluate
from plugins.musicvae.models import MusicVAE
from plugins.musicvae.tasks.melodies import MusicRun, load_corpus
from plugins.musicvae.tasks.table import write_table
from plugins.musicvae.tasks.train import fit_model

__all__ = ["compare"]


def compare(run: MusicRun) -> dict[str, float]:
    """Trains one model of each kind, each for ``train.max_time`` or ``train.max_steps``.

    Both see the same batches in the same order, from the same seed, with the same encoder, code
    and loss; the decoders' sizes are the config's.
    """
    import torch

    from labcore.training import seed_everything

    corpus = load_corpus(run)
    figures: dict[str, dict[str, float]] = {}
    for kind in DecoderKind:
        seed_everything(run.config.seed)
        model = MusicVAE(dataclasses.replace(run.config.model, decoder=kind), run.config.bars)
        run.say(f"{kind.value}: {model.num_parameters:,} parameters")
        result = fit_model(run, model, corpus, name=kind.value)
        weights = load_weights(run.checkpoints / kind.value)
        assert weights is not None, "fit has just written a checkpoint"
        model.load_state_dict(weights)
        model.to(run.device.torch_device).eval()
        with run.progress(f"test of {kind.value}"):
            figures[kind.value] = evaluate(
                model,
                torch.from_numpy(corpus.test),
                beta=run.config.loss.beta,
                free_bits=run.config.loss.free_bits,
                train_tokens=torch.from_numpy(corpus.train),
                generator=torch.Generator(model.device).manual_seed(run.config.seed),
            )
        figures[kind.value]["steps"] = float(result.step)
        figures[kind.value]["parameters"] = float(model.num_parameters)
    write_table(run, figures, num_windows=len(corpus.test))
    return {
        f"{kind}/{name}": value
        for kind, values in figures.items()
        for name, value in values.items()
    }
