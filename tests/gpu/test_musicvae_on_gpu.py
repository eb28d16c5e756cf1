"""The music VAE on a CUDA device, held to what it gives on a CPU."""

import pytest

torch = pytest.importorskip("torch")

from plugins.musicvae.config import DecoderKind, ModelConfig  # noqa: E402  # needs torch
from plugins.musicvae.losses import elbo  # noqa: E402
from plugins.musicvae.models import MusicVAE  # noqa: E402

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.ml,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]


@pytest.mark.parametrize("kind", list(DecoderKind))
def test_gradients_on_the_gpu_are_those_of_the_cpu(kind):
    torch.manual_seed(0)
    config = ModelConfig(
        decoder=kind, latent_size=16, encoder_size=32, decoder_size=32, decoder_layers=2,
        conductor_size=32, conductor_output=16, bar_decoder_size=32,
    )  # fmt: skip
    model = MusicVAE(config, bars=2)
    tokens = torch.randint(0, 130, (8, 32))

    def gradients(device):
        placed = model.to(device)
        batch = tokens.to(device)
        placed.zero_grad()
        mu, sigma = placed.encode(batch)
        logits = placed.decode(mu, batch)
        elbo(logits, batch, mu, sigma, beta=1.0, free_bits=0.0)["loss"].backward()
        return {name: p.grad.cpu().clone() for name, p in placed.named_parameters()}

    on_cpu, on_gpu = gradients("cpu"), gradients("cuda")
    for name, expected in on_cpu.items():
        torch.testing.assert_close(on_gpu[name], expected, rtol=1e-3, atol=1e-3)


def test_sampling_on_the_gpu_gives_tokens_there():
    config = ModelConfig(
        latent_size=16, encoder_size=32, decoder_size=32, decoder_layers=1, conductor_size=32,
    )  # fmt: skip
    model = MusicVAE(config, bars=2).to("cuda")
    tokens = model.generate(model.sample_prior(4))
    assert tokens.device.type == "cuda"
    assert tokens.shape == (4, 32)
