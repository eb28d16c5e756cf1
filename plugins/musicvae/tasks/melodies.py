"""What the tasks share on the way in: the corpus of a run, the trained model of an earlier one."""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from labcore.run import Run
from plugins.musicvae.config import STEPS_PER_BAR, MusicVAEConfig
from plugins.musicvae.data import NO_EVENT, NOTE_OFF, Corpus, cut_windows, prepare
from plugins.musicvae.models import MusicVAE

__all__ = ["TrainedModel", "held_out", "load_corpus", "load_model", "pad_to_windows"]

MusicRun = Run[MusicVAEConfig]


class TrainedModel(NamedTuple):
    """A model from an earlier run and the options it was trained with."""

    model: MusicVAE
    config: MusicVAEConfig
    run_id: str


def load_corpus(run: MusicRun, config: MusicVAEConfig | None = None) -> Corpus:
    """Converts the melodies (from the cache when there is one) and says what there is.

    Args:
        run: The run.
        config: Options that choose the data; by default the run's own. Tasks on an earlier model
            pass that model's, so that its held-out pieces stay held out.
    """
    config = config or run.config
    raw = None if config.data.dataset == "folder" else run.dataset(config.data.dataset)
    with run.progress("melodies") as progress:
        corpus = prepare(
            config.data, config.bars, raw, run.data_dir / "musicvae", progress=progress.update
        )
    run.say(
        f"{config.data.dataset}: {len(corpus.train):,} training windows of {config.bars} bars, "
        f"{len(corpus.validation):,} for validation, {len(corpus.test):,} for the test"
    )
    return corpus


def load_model(run: MusicRun) -> TrainedModel:
    """Loads the model of the run that ``run=`` names, the latest trained one by default.

    Raises:
        UsageError: There is no such run, or its model reads another number of bars.
    """
    source = run.source()
    config = source.config()
    model = MusicVAE(config.model, config.bars)
    model.load_state_dict(source.weights())
    model.to(run.device.torch_device).eval()
    run.model_ready(model)
    run.say(f"model of {source.stored.id}: {config.bars} bars, {model.num_parameters:,} parameters")
    return TrainedModel(model, config, source.stored.id)


def held_out(corpus: Corpus, count: int, seed: int) -> Tensor:
    """Draws test windows of different pieces [count, T], the same for the same seed."""
    _, first = np.unique(corpus.test_pieces, return_index=True)
    order = np.random.default_rng(seed).permutation(len(first))
    return torch.from_numpy(corpus.test[np.sort(first[order[:count]])]).long()


def pad_to_windows(melody: NDArray[np.uint8], bars: int) -> Tensor:
    """Cuts a melody into consecutive windows [N, T], the last one padded with silence.

    Each window is self-contained as in training: a note that is held into it starts it. Windows
    without a note are left out.

    Args:
        melody: Tokens [S].
        bars: Bars in a window.
    """
    padding = -len(melody) % (bars * STEPS_PER_BAR)
    padded = np.pad(melody, (0, padding), constant_values=NO_EVENT)
    if padding:
        padded[len(melody)] = NOTE_OFF
    windows, _ = cut_windows(padded, bars=bars, stride_bars=bars, max_empty_bars=bars)
    return torch.from_numpy(windows).long()
