"""What the tasks share on the way in: the corpus of a run, the trained model of an earlier one."""

import dataclasses
import json
from enum import Enum
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from labcore import UsageError
from labcore.run import Run, SourceRun
from plugins.musicvae.config import STEPS_PER_BAR, ModelConfig, MusicVAEConfig
from plugins.musicvae.data import NO_EVENT, NOTE_OFF, Corpus, cut_windows, prepare, sounding
from plugins.musicvae.models import MusicVAE

__all__ = ["TrainedModel", "held_out", "load", "load_corpus", "load_model", "windows_of_melody"]

MusicRun = Run[MusicVAEConfig]

MODEL_FIELDS = tuple(field.name for field in dataclasses.fields(ModelConfig))


class TrainedModel(NamedTuple):
    """A model from an earlier run and the options it was trained with."""

    model: MusicVAE
    config: MusicVAEConfig
    run_id: str


def load_corpus(run: MusicRun, config: MusicVAEConfig | None = None) -> Corpus:
    """Converts the melodies (from the cache when there is one) and says what there is.

    What is left out is listed in the report.

    Args:
        run: The run.
        config: Options that choose the data; by default the run's own. Tasks on an earlier model
            pass that model's, so that its held-out pieces stay held out.

    Raises:
        RunFailed: Too many files cannot be read, or what can be read gives too few windows.
    """
    config = config or run.config
    raw = run.dataset(config.data.dataset)
    with run.progress("melodies") as progress:
        corpus = prepare(
            config.data, config.bars, raw, run.data_dir / "musicvae", progress=progress.update
        )
    corpus.skipped.report(run, total=corpus.counts.pieces)
    corpus.check()
    run.say(
        f"{config.data.dataset}: {len(corpus.train):,} training windows of {config.bars} bars, "
        f"{len(corpus.validation):,} for validation, {len(corpus.test):,} for the test"
    )
    return corpus


def load(source: SourceRun) -> MusicVAE:
    """Returns the trained model of a run, on the CPU and in eval mode."""
    config = source.config()
    model = MusicVAE(config.model, config.bars)
    model.load_state_dict(source.weights())
    return model.eval()


def load_model(run: MusicRun) -> TrainedModel:
    """Loads the model of the run that ``run=`` names, the latest trained one by default.

    Raises:
        UsageError: There is no such run, or the command asks for another model than it has.
    """
    source = run.source()
    config = source.config()
    _check_command(run, source.stored.id, config)
    model = load(source).to(run.device.torch_device)
    run.model_ready(model)
    run.say(f"model of {source.stored.id}: {config.bars} bars, {model.num_parameters:,} parameters")
    return TrainedModel(model, config, source.stored.id)


def _check_command(run: MusicRun, trained_id: str, trained: MusicVAEConfig) -> None:
    """Refuses what a command says of the model and the trained one is not."""
    origins = json.loads((run.folder / "origins.json").read_text(encoding="utf-8"))
    asked = {
        path
        for path, origin in origins.items()
        if origin == "command line" or origin.startswith("model=")
    }
    pairs = {"bars": (run.config.bars, trained.bars)} | {
        f"model.{field}": (getattr(run.config.model, field), getattr(trained.model, field))
        for field in MODEL_FIELDS
    }
    for path, (wanted, has) in pairs.items():
        if wanted != has and path in asked:
            raise UsageError(
                f"{path} is {_plain(wanted)} on the command line, and the model of {trained_id} "
                f"was trained with {_plain(has)}",
                fix=f"leave {path.partition('.')[0]} out, or name another run with run=ID",
            )


def _plain(value: object) -> object:
    return value.name if isinstance(value, Enum) else value


def held_out(corpus: Corpus, count: int, seed: int) -> Tensor:
    """Draws test windows of different pieces [count, T], the same for the same seed; all for 0."""
    if count == 0:
        return torch.from_numpy(corpus.test).long()
    _, first = np.unique(corpus.test_pieces, return_index=True)
    order = np.random.default_rng(seed).permutation(len(first))
    return torch.from_numpy(corpus.test[np.sort(first[order[:count]])]).long()


def windows_of_melody(melody: NDArray[np.uint8], bars: int) -> tuple[Tensor, Tensor]:
    """Cuts a melody into consecutive windows [N, T], the last one padded with silence.

    Each window is self-contained as in training: a note that is held into it starts it. Windows
    without a note are left out.

    Args:
        melody: Tokens [S].
        bars: Bars in a window.

    Returns:
        The windows, and whether a note sounds in each window of the melody, so that the first can
        be put back in place.
    """
    padding = -len(melody) % (bars * STEPS_PER_BAR)
    padded = np.pad(melody, (0, padding), constant_values=NO_EVENT)
    if padding:
        padded[len(melody)] = NOTE_OFF
    windows, _ = cut_windows(padded, bars=bars, stride_bars=bars, max_empty_bars=bars)
    sounds = sounding(padded).reshape(-1, bars * STEPS_PER_BAR).any(axis=1)
    return torch.from_numpy(windows).long(), torch.from_numpy(sounds)
