"""A real training for the benchmark of search: a small music VAE on folk melodies.

The search space is a grid, so that a training is done once and every search that asks for the same
options gets the same curve. A search is then free, and ten seeds of it cost what the grid costs.
"""

import json
import math
import os
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import torch

from plugins.musicvae.config import DataConfig, ModelConfig
from plugins.musicvae.data import prepare
from plugins.musicvae.losses import elbo
from plugins.musicvae.models import MusicVAE

__all__ = ["NUM_LOGS", "OPTIONS", "curves"]

OPTIONS: Mapping[str, Sequence[float]] = {
    "optimizer.lr": tuple(float(f"{10 ** (-4 + i / 3):.2g}") for i in range(10)),
    "optimizer.beta1": (0.5, 0.8, 0.9, 0.95, 0.99),
    "model.decoder_size": (8, 16, 32, 64),
}
"""What is searched: learning rate 1e-4 to 0.1, Adam's first decay rate, units of the decoder."""

NUM_LOGS = 27
"""Validations of a whole training."""
_STEPS_A_LOG = 10
_BATCH = 32
Cell = tuple[int, ...]
"""Index into each of the options."""


@cache
def _windows() -> tuple[torch.Tensor, torch.Tensor]:
    data_dir = Path(os.environ.get("LAB_DATA_DIR", "data")) / "musicvae"
    corpus = prepare(DataConfig(), 2, data_dir / "folk", data_dir)
    generator = torch.Generator().manual_seed(0)
    held_out = torch.from_numpy(corpus.validation)
    chosen = torch.randperm(len(held_out), generator=generator)[:256]
    return torch.from_numpy(corpus.train), held_out[chosen]


def _train(cell: Cell) -> list[float]:
    """Returns the validation loss (nats per window) at each log; NaN once it has diverged."""
    lr, beta1, size = (values[index] for values, index in zip(OPTIONS.values(), cell, strict=True))
    train, held_out = _windows()
    torch.manual_seed(0)
    config = ModelConfig(
        latent_size=16,
        encoder_size=32,
        encoder_layers=1,
        decoder_size=int(size),
        decoder_layers=1,
    )
    model = MusicVAE(config, bars=2)
    optimizer = torch.optim.Adam(model.parameters(), lr=lr, betas=(beta1, 0.999))
    batches = torch.randint(
        len(train), (NUM_LOGS * _STEPS_A_LOG, _BATCH), generator=torch.Generator().manual_seed(1)
    )
    losses = []
    for step, rows in enumerate(batches, start=1):
        _loss(model, train[rows]).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        if step % _STEPS_A_LOG == 0:
            with torch.no_grad():
                losses.append(_loss(model, held_out).item())
    return losses


def _loss(model: MusicVAE, tokens: torch.Tensor) -> torch.Tensor:
    output = model(tokens)
    parts = elbo(output.logits, tokens, output.mu, output.sigma, beta=0.2, free_bits=16.0)
    return parts["loss"]


def curves(path: Path | None = None) -> dict[Cell, list[float]]:
    """Trains every cell of the grid.

    Args:
        path: A file that keeps the curves; cells that it has are not trained again.
    """
    known: dict[str, list[float | None]] = {}
    if path is not None and path.exists():
        known = json.loads(path.read_text(encoding="utf-8"))
    torch.set_num_threads(1)
    cells: list[Cell] = [()]
    for values in OPTIONS.values():
        cells = [(*cell, index) for cell in cells for index in range(len(values))]
    result: dict[Cell, list[float]] = {}
    for count, cell in enumerate(cells):
        key = ",".join(map(str, cell))
        if key not in known:
            known[key] = [v if math.isfinite(v) else None for v in _train(cell)]
            if path is not None:
                path.write_text(json.dumps(known), encoding="utf-8")
            print(f"  trained {count + 1} of {len(cells)}", end="\r", flush=True)
        result[cell] = [math.nan if v is None else v for v in known[key]]
    return result
