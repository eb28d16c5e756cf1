"""The whole model: sizes, randomness, inputs it accepts."""

import pytest
import torch

from plugins.musicvae.config import DecoderKind, ModelConfig
from plugins.musicvae.data.tokens import NUM_TOKENS
from plugins.musicvae.models import MusicVAE
from plugins.musicvae.models.lstm import NO_TOKEN
from plugins.musicvae.models.vae import shift


def lstm_parameters(in_features, size, num_layers, directions=1):
    """Parameters of torch's LSTM by arithmetic: two bias vectors a layer and direction."""
    total = 0
    for _ in range(num_layers):
        total += directions * (4 * size * (in_features + size) + 8 * size)
        in_features = directions * size
    return total


def linear_parameters(in_features, out_features):
    return (in_features + 1) * out_features


@pytest.fixture
def tokens():
    generator = torch.Generator().manual_seed(1)
    return torch.randint(0, NUM_TOKENS, (4, 48), generator=generator)


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def test_the_papers_flat_model_has_the_papers_size():
    with torch.device("meta"):
        model = MusicVAE(ModelConfig(), bars=2)
    assert count(model.encoder.lstm) == lstm_parameters(130, 2048, 2, directions=2)
    assert round(count(model.encoder.lstm) / 1e6) == 136
    decoder = (
        lstm_parameters(130 + 512, 2048, 3)
        + linear_parameters(512, 2 * 3 * 2048)
        + linear_parameters(2048, 130)
    )
    heads = 2 * linear_parameters(4096, 512)
    assert count(model.decoder) == decoder
    assert model.num_parameters == count(model.encoder.lstm) + heads + decoder


def test_the_papers_hierarchical_model_has_the_papers_size():
    config = ModelConfig(decoder=DecoderKind.hierarchical)
    with torch.device("meta"):
        decoder = MusicVAE(config, bars=16).decoder
    assert count(decoder.conductor.lstm) == lstm_parameters(1, 1024, 2)
    assert count(decoder.bar.lstm) == lstm_parameters(130 + 512, 1024, 2)
    # Published sizes by arithmetic: conductor about 13 M, bar decoder about 16 M.
    assert 12.5e6 < count(decoder.conductor.lstm) < 13e6
    assert 15e6 < count(decoder.bar.lstm) < 16.5e6


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int64])
def test_a_pass_gives_logits_for_every_step(make_model, kind, dtype, tokens):
    output = make_model(kind, torch.float32)(tokens.to(dtype))
    assert output.logits.shape == (4, 48, NUM_TOKENS)
    assert output.mu.shape == output.sigma.shape == output.z.shape == (4, 5)
    assert (output.sigma > 0).all()


@pytest.mark.parametrize("probability", [0.0, 0.5])
def test_the_same_generator_state_gives_the_same_pass(make_model, kind, probability, tokens):
    model = make_model(kind)
    first, again, other = (
        model(
            tokens,
            sampling_probability=probability,
            generator=torch.Generator().manual_seed(seed),
        ).logits
        for seed in (3, 3, 4)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_a_generator_leaves_torchs_global_randomness_alone(make_model, kind, tokens):
    model = make_model(kind)
    before = torch.get_rng_state()
    generator = torch.Generator().manual_seed(0)
    output = model(tokens, sampling_probability=0.5, generator=generator)
    model.generate(output.z.detach(), generator=generator)
    assert torch.equal(torch.get_rng_state(), before)


def test_generated_melodies_are_tokens_that_the_model_can_encode(make_model, kind):
    model = make_model(kind, torch.float32)
    written = model.generate(model.sample_prior(3))
    assert written.shape == (3, 48)
    assert 0 <= written.min() <= written.max() < NUM_TOKENS
    model.encode(written)


def test_one_code_is_written_alike_alone_and_in_a_batch(make_model, kind):
    model = make_model(kind)
    z = torch.randn(4, 5, dtype=torch.float64)
    together = model.generate(z, temperature=0)
    assert torch.equal(model.generate(z[2:3], temperature=0)[0], together[2])


def test_no_token_is_written_before_its_time():
    tokens = torch.tensor([[5, 6, 7]], dtype=torch.uint8)
    assert shift(tokens).tolist() == [[NO_TOKEN, 5, 6]]


def test_gradients_reach_every_parameter(make_model, kind, tokens):
    model = make_model(kind)
    model(tokens, sampling_probability=0.5).logits.square().mean().backward()
    silent = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    # The conductor reads zeros, so its input weights get none.
    assert silent == (["decoder.conductor.lstm.weight_ih_l0"] if kind != "flat" else [])


def test_melodies_of_another_length_are_refused(make_model, kind):
    with pytest.raises(ValueError, match=r"reads \[batch, 48\] \(3 bars\)"):
        make_model(kind).encode(torch.zeros(2, 32, dtype=torch.long))
