"""The encoder against nn.LSTM and the distributions it must give."""

import torch
from torch import nn
from torch.nn import functional as F

from plugins.musicvae.data.tokens import NUM_TOKENS
from plugins.musicvae.models.encoder import Encoder, Posterior


def test_the_posterior_comes_from_the_final_hidden_states_of_both_directions():
    torch.manual_seed(0)
    encoder = Encoder(6, 2, 3).double()
    nn.init.normal_(encoder.mu.weight)
    nn.init.normal_(encoder.sigma.weight)
    tokens = torch.randint(0, NUM_TOKENS, (4, 16), dtype=torch.uint8)
    plain = nn.LSTM(NUM_TOKENS, 6, 2, bidirectional=True).double()
    plain.load_state_dict(encoder.lstm.state_dict())
    outputs, _ = plain(F.one_hot(tokens.t().long(), NUM_TOKENS).double())
    # The forward half has read everything at the last step, the backward half at the first.
    summary = torch.cat([outputs[-1, :, :6], outputs[0, :, 6:]], dim=1)
    posterior = encoder(tokens)
    torch.testing.assert_close(posterior.mu, encoder.mu(summary))
    torch.testing.assert_close(posterior.sigma, encoder.sigma(summary).exp().add(1).log())


def test_the_heads_start_tiny_so_that_every_posterior_starts_alike():
    torch.manual_seed(0)
    encoder = Encoder(64, 1, 128)
    for head in (encoder.mu, encoder.sigma):
        assert abs(head.weight.std().item() - 0.001) < 5e-5
        assert not head.bias.any()
    mu, sigma = encoder(torch.randint(0, NUM_TOKENS, (8, 32)))
    assert mu.abs().max() < 0.05
    torch.testing.assert_close(sigma, torch.full_like(sigma, 2.0).log(), rtol=0, atol=0.05)


def test_a_code_is_mu_plus_sigma_times_standard_normal_noise():
    posterior = Posterior(torch.tensor([[1.0, -2.0]]), torch.tensor([[0.5, 3.0]]))
    noise = torch.randn(1, 2, generator=torch.Generator().manual_seed(3))
    z = posterior.sample(torch.Generator().manual_seed(3))
    torch.testing.assert_close(z, posterior.mu + posterior.sigma * noise)
