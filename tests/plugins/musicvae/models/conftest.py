"""Small models of both kinds."""

import pytest
import torch

from plugins.musicvae.config import DecoderKind, ModelConfig
from plugins.musicvae.models import MusicVAE, lstm


def small_config(kind: str) -> ModelConfig:
    return ModelConfig(
        decoder=DecoderKind[kind],
        latent_size=5,
        encoder_size=7,
        encoder_layers=2,
        decoder_size=9,
        decoder_layers=2,
        bar_decoder_size=9,
        bar_decoder_layers=2,
        conductor_size=6,
        conductor_layers=2,
        conductor_output=8,
    )


@pytest.fixture(params=["flat", "hierarchical"])
def kind(request) -> str:
    return request.param


@pytest.fixture(autouse=True)
def own_token_node(monkeypatch):
    """Small models take the CPU path of large ones."""
    monkeypatch.setattr(lstm, "UNITS_PER_THREAD", 0)


@pytest.fixture
def make_model():
    """Builds a 3-bar model whose logits are spread enough for draws to differ."""

    def make(kind: str, dtype: torch.dtype = torch.float64) -> MusicVAE:
        torch.manual_seed(0)
        model = MusicVAE(small_config(kind), bars=3).to(dtype)
        decoder = model.decoder.tokens if kind == "flat" else model.decoder.bar
        with torch.no_grad():
            decoder.output.weight.mul_(10)
            decoder.initial.linear.weight.mul_(3)
            decoder.lstm.weight_ih_l0.mul_(3)
        return model

    return make
