"""``model.dropout``: nothing by default, unbiased in training, gone in evaluation."""

import dataclasses

import pytest
import torch

from plugins.musicvae.config import DecoderKind, ModelConfig
from plugins.musicvae.data.tokens import NUM_TOKENS
from plugins.musicvae.models import MusicVAE
from plugins.musicvae.models.decoder import TokenDecoder
from plugins.musicvae.models.encoder import Encoder

SMALL = ModelConfig(
    latent_size=5,
    encoder_size=7,
    encoder_layers=1,
    decoder_size=9,
    decoder_layers=1,
    bar_decoder_size=9,
    bar_decoder_layers=1,
    conductor_size=6,
    conductor_layers=1,
    conductor_output=8,
)


def build(kind, dropout):
    torch.manual_seed(0)
    config = dataclasses.replace(SMALL, decoder=DecoderKind[kind], dropout=dropout)
    return MusicVAE(config, bars=2)


@pytest.fixture
def tokens():
    return torch.randint(0, NUM_TOKENS, (3, 32), generator=torch.Generator().manual_seed(1))


def test_without_dropout_training_and_evaluation_are_one(kind, tokens):
    """Also: no random number is drawn for it, so that runs repeat as they always did."""
    model = build(kind, 0.0)
    z = torch.randn(3, 5)
    before = torch.get_rng_state()
    in_training = model.decode(z, tokens)
    posterior = model.encode(tokens)
    assert torch.equal(torch.get_rng_state(), before)
    model.eval()
    assert torch.equal(model.decode(z, tokens), in_training)
    assert torch.equal(model.encode(tokens).mu, posterior.mu)


def test_dropout_adds_no_weights_and_changes_no_initial_one(kind):
    plain, dropping = build(kind, 0.0).state_dict(), build(kind, 0.5).state_dict()
    assert plain.keys() == dropping.keys()
    assert all(torch.equal(plain[name], dropping[name]) for name in plain)


def test_evaluation_drops_nothing(kind, tokens):
    plain, dropping = build(kind, 0.0).eval(), build(kind, 0.5).eval()
    z = torch.randn(3, 5)
    assert torch.equal(plain.decode(z, tokens), dropping.decode(z, tokens))
    assert torch.equal(plain.encode(tokens).sigma, dropping.encode(tokens).sigma)


def test_training_with_dropout_repeats_from_the_same_random_state(kind, tokens):
    model = build(kind, 0.5)
    states = torch.get_rng_state()
    first = model(tokens, sampling_probability=0.5).logits
    other = model(tokens, sampling_probability=0.5).logits
    torch.set_rng_state(states)
    assert torch.equal(model(tokens, sampling_probability=0.5).logits, first)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("by_step", [False, True])
def test_logits_under_dropout_have_the_undropped_mean_and_bernoullis_spread(by_step):
    share, repeats = 0.3, 4000
    torch.manual_seed(2)
    decoder = TokenDecoder(4, 6, 1, dropout=share)
    context = torch.randn(1, 4).expand(repeats, -1)
    inputs = torch.tensor([[3], [60], [7]]).expand(-1, repeats)
    run = decoder.forward_by_step if by_step else decoder
    with torch.no_grad():
        dropped = run(context, inputs).double()
        hidden, _ = decoder.lstm(inputs[:, :1], context[:1], decoder.initial(context[:1]))
        expected = decoder.eval()(context[:1], inputs[:, :1]).double()[:, 0]
        # Each h_i is kept with probability 1 - p and divided by it: its variance is h_i^2 p/(1-p).
        weights = decoder.output.weight.double().square()
        spread = (hidden[:, 0].double().square() @ weights.t() * share / (1 - share)).sqrt()
    error = (dropped.mean(dim=1) - expected).abs() / (spread / repeats**0.5)
    assert error.max() < 5
    assert torch.allclose(dropped.std(dim=1), spread, rtol=0.1)


def test_the_summary_of_the_encoder_is_dropped_by_the_share(tokens):
    torch.manual_seed(3)
    encoder = Encoder(8, 1, 4, dropout=0.25)
    seen = []
    encoder.mu.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0]))
    with torch.no_grad():
        for _ in range(200):
            encoder(tokens)
        whole = torch.cat(seen)
        encoder.eval()(tokens)
    assert (whole == 0).double().mean().item() == pytest.approx(0.25, abs=0.02)
    kept = whole != 0
    assert torch.allclose(whole[kept], (seen[-1].repeat(200, 1) / 0.75)[kept])


def test_what_a_model_reads_of_its_own_is_drawn_without_dropout(kind, tokens):
    model = build(kind, 0.5)
    z = torch.randn(3, 5)
    written = [
        model.generate(z, temperature=0, generator=torch.Generator().manual_seed(0))
        for model in (model, model.eval())
    ]
    assert torch.equal(*written)


@pytest.mark.parametrize("dropout", [-0.1, 1.0])
def test_a_share_that_leaves_nothing_is_refused(dropout):
    with pytest.raises(ValueError, match=r"model\.dropout is .*; use 0 to just below 1"):
        ModelConfig(dropout=dropout)
