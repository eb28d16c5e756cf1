"""``task=evaluate``: the figures of a trained model on pieces it has never seen."""

import torch

from plugins.musicvae.config import MusicVAEConfig
from plugins.musicvae.data import Corpus
from plugins.musicvae.metrics import evaluate as measure
from plugins.musicvae.models import MusicVAE
from plugins.musicvae.tasks.melodies import MusicRun, load_corpus, load_model
from plugins.musicvae.tasks.table import write_table

__all__ = ["evaluate", "record_test"]


def evaluate(run: MusicRun) -> None:
    """Measures the model of ``run=`` on the test pieces of its own data."""
    trained = load_model(run)
    corpus = load_corpus(run, trained.config)
    record_test(run, trained.model, corpus, trained.config)


def record_test(run: MusicRun, model: MusicVAE, corpus: Corpus, config: MusicVAEConfig) -> None:
    """Measures a model on the whole test split and leaves the figures and their table."""
    with run.progress("test"):
        figures = measure(
            model,
            torch.from_numpy(corpus.test),
            beta=config.loss.beta,
            free_bits=config.loss.free_bits,
            train_tokens=torch.from_numpy(corpus.train),
            generator=torch.Generator(model.device).manual_seed(run.config.seed),
        )
    write_table(run, {"test": figures}, num_windows=len(corpus.test))
    run.log_metrics(figures, step=run.status.step or 0, phase="test")
