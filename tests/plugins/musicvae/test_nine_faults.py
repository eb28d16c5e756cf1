"""Nine faults that public ports of MusicVAE have, each observed from outside.

Every fault has a check that this plugin passes. A second test breaks the model in that very way and
makes sure that the check notices: a check that no fault can fail proves nothing.
"""

import inspect
import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from plugins.musicvae import losses, schedules
from plugins.musicvae.config import DecoderKind, LossConfig, ModelConfig
from plugins.musicvae.data import tokens as encoding
from plugins.musicvae.models import MusicVAE, Posterior, sampling, vae

NUM_TOKENS = encoding.NUM_TOKENS
KINDS = ["flat", "hierarchical"]


def build(kind="hierarchical", bars=2, encoder_layers=2):
    torch.manual_seed(0)
    config = ModelConfig(
        decoder=DecoderKind[kind],
        latent_size=5,
        encoder_size=6,
        encoder_layers=encoder_layers,
        decoder_size=8,
        decoder_layers=2,
        conductor_size=6,
        conductor_output=7,
        bar_decoder_size=8,
        bar_decoder_layers=2,
    )
    model = MusicVAE(config, bars).double()
    writer = token_decoder(model)
    with torch.no_grad():  # spread the logits, so that inputs and draws make a difference
        writer.output.weight.mul_(10)
        writer.lstm.weight_ih_l0.mul_(3)
    return model


def token_decoder(model):
    decoder = model.decoder
    return decoder.tokens if hasattr(decoder, "tokens") else decoder.bar


def melodies(num_rows=4, bars=2):
    generator = torch.Generator().manual_seed(1)
    return torch.randint(0, NUM_TOKENS, (num_rows, 16 * bars), generator=generator)


def codes(num_rows=4):
    generator = torch.Generator().manual_seed(2)
    return torch.randn(num_rows, 5, generator=generator, dtype=torch.float64)


# 1. Random initial states of the bar decoder


def check_a_code_alone_decides_the_logits(model):
    z, tokens = codes(), melodies()
    results = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        results.append(model.decode(z, tokens))
    assert torch.equal(*results)
    assert not torch.allclose(model.decode(z + 1, tokens)[:, 0], results[0][:, 0])


class RandomInitialState(nn.Module):
    def __init__(self, like):
        super().__init__()
        self.like = like

    def forward(self, vector):
        return tuple(torch.randn_like(part) for part in self.like(vector))


@pytest.mark.parametrize("kind", KINDS)
def test_the_decoders_initial_state_comes_from_the_code(kind):
    check_a_code_alone_decides_the_logits(build(kind))


def test_random_initial_states_of_the_bar_decoder_are_noticed():
    model = build()
    model.decoder.bar.initial = RandomInitialState(model.decoder.bar.initial)
    with pytest.raises(AssertionError):
        check_a_code_alone_decides_the_logits(model)


# 2. Unshifted teacher input


def check_no_step_sees_its_own_token(model):
    z, tokens = codes(), melodies()
    logits = model.decode(z, tokens)
    for t in (0, 1, 14, 15, 16, 30):
        changed = tokens.clone()
        changed[:, t] = (changed[:, t] + 1) % NUM_TOKENS
        other = model.decode(z, changed)
        assert torch.equal(other[:, : t + 1], logits[:, : t + 1])
        assert not torch.isclose(other[:, t + 1], logits[:, t + 1]).all(dim=-1).any()


@pytest.mark.parametrize("kind", KINDS)
def test_the_teachers_input_is_shifted_by_one_step(kind):
    check_no_step_sees_its_own_token(build(kind))


@pytest.mark.parametrize("kind", KINDS)
def test_an_unshifted_teacher_input_is_noticed(kind, monkeypatch):
    monkeypatch.setattr(vae, "shift", lambda tokens: tokens.long())
    with pytest.raises(AssertionError):
        check_no_step_sees_its_own_token(build(kind))


# 3. A mean KL divergence against free bits


def check_free_bits_meet_a_kl_summed_over_the_dimensions(elbo):
    # mu = 1 and sigma = 1 in 512 dimensions: 256 nats, of which 48 bits cost nothing.
    mu = torch.ones(3, 512, dtype=torch.float64)
    logits, tokens = torch.zeros(3, 32, 130, dtype=torch.float64), torch.zeros(3, 32).long()
    parts = elbo(logits, tokens, mu, torch.ones_like(mu), beta=0.2, free_bits=48)
    expected = 32 * math.log(130) + 0.2 * (256 - 48 * math.log(2))
    assert parts["loss"].item() == pytest.approx(expected)


def test_free_bits_are_taken_from_the_kl_of_a_whole_sequence():
    check_free_bits_meet_a_kl_summed_over_the_dimensions(losses.elbo)


def test_a_mean_kl_against_free_bits_is_noticed(monkeypatch):
    summed = losses.kl_to_prior
    monkeypatch.setattr(losses, "kl_to_prior", lambda mu, sigma: summed(mu, sigma) / mu.shape[1])
    with pytest.raises(AssertionError):
        check_free_bits_meet_a_kl_summed_over_the_dimensions(losses.elbo)


# 4. Sigma meaning two things


def check_sigma_is_the_spread_of_the_codes_that_the_kl_is_charged_for(sample, kl_to_prior):
    mu = torch.zeros(20_000, 3, dtype=torch.float64)
    for value in (0.25, 1.0, 2.0):
        sigma = torch.full_like(mu, value)
        z = sample(Posterior(mu, sigma), torch.Generator().manual_seed(0))
        assert z.std().item() == pytest.approx(value, rel=0.02)
        expected = 3 * (0.5 * (value**2 - 1) - math.log(value))
        assert kl_to_prior(mu, sigma)[0].item() == pytest.approx(expected)


def test_sigma_is_a_standard_deviation_wherever_it_is_used():
    check_sigma_is_the_spread_of_the_codes_that_the_kl_is_charged_for(
        Posterior.sample, losses.kl_to_prior
    )


def test_a_sigma_that_is_a_log_variance_in_one_place_is_noticed():
    def as_log_variance(posterior, generator):
        return Posterior(posterior.mu, (posterior.sigma / 2).exp()).sample(generator)

    def kl_of_log_variance(mu, log_variance):
        return losses.kl_to_prior(mu, (log_variance / 2).exp())

    for sample, kl in (
        (as_log_variance, losses.kl_to_prior),
        (Posterior.sample, kl_of_log_variance),
    ):
        with pytest.raises(AssertionError):
            check_sigma_is_the_spread_of_the_codes_that_the_kl_is_charged_for(sample, kl)


# 5. Probabilities fed back instead of a sample


def check_what_is_fed_back_is_a_draw_from_the_softmax(model):
    num_rows = 4000
    z = codes(1).expand(num_rows, -1)
    truth = torch.zeros(num_rows, 32, dtype=torch.long)
    logits = model.decode(
        z, truth, sampling_probability=1.0, generator=torch.Generator().manual_seed(0)
    )
    # What step 1 predicts after each possible token, and which of them was predicted here.
    possible = truth[:NUM_TOKENS].clone()
    possible[:, 0] = torch.arange(NUM_TOKENS)
    after = model.decode(z[:NUM_TOKENS], possible)[:, 1]
    distance = torch.cdist(logits[:, 1], after)
    nearest, fed = distance.min(dim=1)
    assert nearest.max() < 1e-6
    shares = fed.bincount(minlength=NUM_TOKENS) / num_rows
    torch.testing.assert_close(shares.double(), logits[0, 0].softmax(-1), rtol=0, atol=0.03)


class ProbabilitiesFedBack(MusicVAE):
    def decode(self, z, tokens, *, sampling_probability=0.0, generator=None):
        if sampling_probability == 0:
            return super().decode(z, tokens)
        writer = token_decoder(self)
        step = writer.lstm
        hidden, fed, outputs = writer.initial(z), z.new_zeros(len(z), NUM_TOKENS), []
        for _ in range(2):
            features = torch.cat([fed, z], dim=-1).unsqueeze(0)
            output, hidden = nn.LSTM.forward(step, features, hidden)
            outputs.append(writer.output(output[0]))
            fed = outputs[-1].softmax(-1)
        return torch.stack(outputs, dim=1)


@pytest.mark.parametrize("kind", KINDS)
def test_scheduled_sampling_feeds_one_hot_draws(kind):
    with torch.no_grad():
        check_what_is_fed_back_is_a_draw_from_the_softmax(build(kind))


def test_probabilities_fed_back_are_noticed():
    model = build("flat")
    model.__class__ = ProbabilitiesFedBack
    with pytest.raises(AssertionError), torch.no_grad():
        check_what_is_fed_back_is_a_draw_from_the_softmax(model)


def test_an_argmax_fed_back_is_noticed(monkeypatch):
    monkeypatch.setattr(sampling, "draw_tokens", lambda logits, *_: logits.argmax(dim=-1))
    with pytest.raises(AssertionError), torch.no_grad():
        check_what_is_fed_back_is_a_draw_from_the_softmax(build("flat"))


# 6. Normalisation layers on mu


def check_mu_can_be_anywhere_whatever_else_is_in_the_batch(model):
    model.train()
    tokens = melodies()
    mu = model.encode(tokens).mu
    torch.testing.assert_close(model.encode(tokens[:2]).mu, mu[:2])
    with torch.no_grad():
        model.encoder.mu.weight.mul_(3)
        model.encoder.mu.bias.copy_(torch.arange(5.0))
    torch.testing.assert_close(model.encode(tokens).mu, 3 * mu + torch.arange(5.0).double())


@pytest.mark.parametrize("kind", KINDS)
def test_mu_is_not_normalised(kind):
    check_mu_can_be_anywhere_whatever_else_is_in_the_batch(build(kind))


@pytest.mark.parametrize("layer", [nn.BatchNorm1d, nn.LayerNorm])
def test_a_normalisation_layer_on_mu_is_noticed(layer):
    model = build()
    norm = layer(5).double()
    encode = model.encode

    def normalised(tokens):
        mu, sigma = encode(tokens)
        return Posterior(norm(mu), sigma)

    model.encode = normalised
    with pytest.raises(AssertionError):
        check_mu_can_be_anywhere_whatever_else_is_in_the_batch(model)


# 7. Schedules by epoch, or by a coin for the whole batch


def check_a_schedule_moves_at_every_step_and_knows_nothing_else(schedule):
    assert list(inspect.signature(schedule).parameters) == ["step", "config"]
    config = LossConfig(sampling_k=300, beta_rate=0.999)
    values = [schedule(step, config) for step in range(1000, 1010)]
    assert len(set(values)) == len(values)


def check_every_step_of_every_example_has_its_own_coin(model, num_steps=31):
    """Of ``num_steps`` of 32 a step may read a draw: not the first, nor that of a later bar."""
    writer = token_decoder(model)
    with torch.no_grad():  # draws are always 7, and the truth is always 9
        writer.output.bias[7] = 1e4
    truth = torch.full((300, 32), 9)
    fed = {}
    writer.lstm.register_forward_pre_hook(lambda _, inputs: fed.update(tokens=inputs[0]))
    with torch.no_grad():
        model.decode(
            codes(300),
            truth,
            sampling_probability=0.4,
            generator=torch.Generator().manual_seed(0),
        )
    own = fed["tokens"] == 7  # [S, U * B]
    assert own.double().mean().item() == pytest.approx(0.4 * num_steps / 32, abs=0.02)
    by_row = own.unflatten(1, (-1, 300)).double().mean(dim=(0, 1))
    by_step = own.unflatten(1, (-1, 300)).double().mean(dim=2).flatten()
    assert by_row.min() > 0
    assert by_row.max() < 1
    assert by_step.sort().values[32 - num_steps] > 0.2
    assert by_step.max() < 0.6


@pytest.mark.parametrize("schedule", [schedules.beta, schedules.sampling_probability])
def test_schedules_are_functions_of_the_step(schedule):
    check_a_schedule_moves_at_every_step_and_knows_nothing_else(schedule)


def test_a_schedule_by_epoch_is_noticed():
    def by_epoch(step, config):
        return schedules.sampling_probability(step // 500 * 500, config)

    with pytest.raises(AssertionError):
        check_a_schedule_moves_at_every_step_and_knows_nothing_else(by_epoch)


@pytest.mark.parametrize("kind", KINDS)
def test_scheduled_sampling_decides_for_every_token_by_itself(kind):
    num_steps = {"flat": 31, "hierarchical": 30}[kind]
    check_every_step_of_every_example_has_its_own_coin(build(kind), num_steps)


@pytest.mark.parametrize("shape", [(1, 1), (1, 32), (300, 1)], ids=["batch", "step", "example"])
@pytest.mark.parametrize("kind", KINDS)
def test_one_coin_for_many_tokens_is_noticed(kind, shape):
    model = build(kind)

    def shared_coin(num_rows, generator):
        return torch.rand(shape, generator=generator).expand(num_rows, 32).contiguous()

    model._uniforms = shared_coin
    with pytest.raises(AssertionError):
        check_every_step_of_every_example_has_its_own_coin(model)


# 8. Repeated and held notes confused


def check_a_repeated_note_is_not_a_held_one(encode, decode):
    held = [encoding.Note(60, 0, 8)]
    repeated = [encoding.Note(60, 0, 4), encoding.Note(60, 4, 8)]
    assert not np.array_equal(encode(held, 16), encode(repeated, 16))
    assert decode(encode(held, 16)) == held
    assert decode(encode(repeated, 16)) == repeated


def test_repeated_and_held_notes_are_told_apart():
    check_a_repeated_note_is_not_a_held_one(encoding.encode, encoding.decode)


def test_an_encoding_that_writes_the_sounding_pitch_at_every_step_is_noticed():
    def encode_sounding(notes, num_steps):
        return encoding.held_pitch(encoding.encode(notes, num_steps))

    with pytest.raises(AssertionError):
        check_a_repeated_note_is_not_a_held_one(encode_sounding, encoding.decode)


# 9. The cell state or a half-seen output as the summary


def summary_of(model, tokens):
    """What the heads read."""
    seen = {}
    handle = model.encoder.mu.register_forward_hook(lambda _, i, __: seen.update(summary=i[0]))
    with torch.no_grad():
        model.encode(tokens)
    handle.remove()
    return seen["summary"]


def check_both_halves_of_the_summary_have_seen_the_whole_melody(model):
    tokens = melodies(bars=1)
    summary = summary_of(model, tokens)
    for t in (0, 7, 15):
        changed = tokens.clone()
        changed[:, t] = (changed[:, t] + 1) % NUM_TOKENS
        for half, other in zip(
            summary.chunk(2, dim=1), summary_of(model, changed).chunk(2, dim=1), strict=True
        ):
            assert not torch.isclose(half, other, rtol=0, atol=1e-13).all()


def check_the_summary_is_a_hidden_state(model):
    with torch.no_grad():  # gates wide open: the cells count up to T, hidden states stay below 1
        for name, parameter in model.encoder.lstm.named_parameters():
            if name.startswith("bias_ih"):
                parameter.fill_(5.0)
    summary = summary_of(model, melodies(bars=1))
    assert 0.9 < summary.abs().max() <= 1


class WrongSummary(nn.Module):
    """An encoder of the same parts that reads its summary from the wrong place."""

    def __init__(self, encoder, place):
        super().__init__()
        self.lstm, self.mu, self.sigma, self.place = (
            encoder.lstm,
            encoder.mu,
            encoder.sigma,
            place,
        )

    def forward(self, tokens):
        outputs, (_, cell) = self.lstm(tokens.t().long())
        summary = outputs[-1] if self.place == "output" else torch.cat([cell[-2], cell[-1]], -1)
        return Posterior(self.mu(summary), F.softplus(self.sigma(summary)))


def test_both_halves_of_the_summary_have_read_every_token():
    # One layer: in a second one, even a half-seen output hears of everything from below.
    check_both_halves_of_the_summary_have_seen_the_whole_melody(build(bars=1, encoder_layers=1))


def test_the_summary_is_the_hidden_state_and_not_the_cell():
    check_the_summary_is_a_hidden_state(build(bars=1))


def test_the_output_of_the_last_step_as_the_summary_is_noticed():
    model = build(bars=1, encoder_layers=1)
    model.encoder = WrongSummary(model.encoder, "output")
    with pytest.raises(AssertionError):
        check_both_halves_of_the_summary_have_seen_the_whole_melody(model)


def test_the_cell_state_as_the_summary_is_noticed():
    model = build(bars=1)
    model.encoder = WrongSummary(model.encoder, "cell")
    with pytest.raises(AssertionError):
        check_the_summary_is_a_hidden_state(model)
