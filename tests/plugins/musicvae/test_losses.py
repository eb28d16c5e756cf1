"""The objective against torch.distributions, Monte Carlo and arithmetic."""

import math

import pytest
import torch
from torch.distributions import Categorical, Normal, kl_divergence

from plugins.musicvae.losses import elbo, kl_to_prior, reconstruction


@pytest.fixture
def batch():
    """Logits [B, T, V], tokens [B, T], mu and sigma [B, Z]."""
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(3, 8, 130, generator=generator, dtype=torch.float64)
    tokens = torch.randint(0, 130, (3, 8), generator=generator)
    mu = torch.randn(3, 4, generator=generator, dtype=torch.float64)
    sigma = torch.rand(3, 4, generator=generator, dtype=torch.float64) + 0.1
    return logits, tokens, mu, sigma


def test_the_kl_divergence_is_torchs_summed_over_the_dimensions(batch):
    _, _, mu, sigma = batch
    expected = kl_divergence(Normal(mu, sigma), Normal(0.0, 1.0)).sum(dim=1)
    torch.testing.assert_close(kl_to_prior(mu, sigma), expected)


def test_the_kl_divergence_is_the_mean_log_ratio_of_its_own_samples(batch):
    _, _, mu, sigma = batch
    torch.manual_seed(0)
    posterior, prior = Normal(mu, sigma), Normal(torch.zeros_like(mu), torch.ones_like(sigma))
    z = posterior.sample((100_000,))
    estimate = (posterior.log_prob(z) - prior.log_prob(z)).sum(-1).mean(0)
    torch.testing.assert_close(kl_to_prior(mu, sigma), estimate, rtol=0.01, atol=0.02)


def test_reconstruction_is_summed_over_steps_and_averaged_over_the_batch(batch):
    logits, tokens, _, _ = batch
    expected = -Categorical(logits=logits).log_prob(tokens).sum(dim=1).mean()
    torch.testing.assert_close(reconstruction(logits, tokens), expected)


def test_bytes_are_accepted_as_targets(batch):
    logits, tokens, _, _ = batch
    small = reconstruction(logits, tokens.to(torch.uint8))
    torch.testing.assert_close(small, reconstruction(logits, tokens))


def test_logits_in_the_memory_order_of_a_decoder_give_the_same_loss(batch):
    logits, tokens, _, _ = batch
    by_step = logits.transpose(0, 1).contiguous().transpose(0, 1)
    torch.testing.assert_close(reconstruction(by_step, tokens), reconstruction(logits, tokens))


def test_free_bits_are_taken_from_each_sequence_before_the_mean():
    # One posterior at the prior (0 nats) and one 8 nats away, with 4 nats free: (0 + 4) / 2.
    mu = torch.tensor([[0.0], [4.0]], dtype=torch.float64)
    parts = elbo(
        torch.zeros(2, 1, 130, dtype=torch.float64),
        torch.zeros(2, 1, dtype=torch.long),
        mu,
        torch.ones_like(mu),
        beta=0.5,
        free_bits=4 / math.log(2),
    )
    assert parts["loss"].item() == pytest.approx(math.log(130) + 0.5 * 2)
    assert parts["kl_bits"].item() == pytest.approx(4 / math.log(2))


def test_the_bound_ignores_beta_and_free_bits(batch):
    bounds = [elbo(*batch, beta=beta, free_bits=bits)["elbo"] for beta, bits in ((1, 0), (0.2, 48))]
    plain = elbo(*batch, beta=1, free_bits=0)
    torch.testing.assert_close(bounds[0], bounds[1])
    torch.testing.assert_close(plain["elbo"], -plain["loss"].detach())


def test_within_the_free_bits_the_posterior_gets_no_gradient_from_the_kl_term(batch):
    logits, tokens, mu, sigma = batch
    mu.requires_grad_()
    elbo(logits, tokens, mu, sigma, beta=1.0, free_bits=1e4)["loss"].backward()
    assert not mu.grad.any()


def test_only_the_loss_carries_gradients(batch):
    logits, tokens, mu, sigma = batch
    parts = elbo(logits.requires_grad_(), tokens, mu.requires_grad_(), sigma, beta=1, free_bits=0)
    assert {name for name, value in parts.items() if value.requires_grad} == {"loss"}
