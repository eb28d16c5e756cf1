"""The encoder q(z|x): a bidirectional LSTM and two heads (paper, section 3.1).

B rows, T steps, H units per direction, Z latent dimensions.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from plugins.musicvae.models.lstm import TokenLSTM

__all__ = ["Encoder", "Posterior"]

HEAD_STD = 0.001
"""Standard deviation of the heads' initial weights: every posterior starts near the same normal."""


class Posterior(NamedTuple):
    """A diagonal normal distribution over codes."""

    mu: Tensor
    """Means [B, Z]."""
    sigma: Tensor
    """Standard deviations [B, Z]: neither variances nor their logarithms."""

    def sample(self, generator: torch.Generator | None = None) -> Tensor:
        """Draws z = mu + sigma * eps (paper, equation 2), differentiable in both parameters."""
        noise = torch.randn(
            self.mu.shape, generator=generator, device=self.mu.device, dtype=self.mu.dtype
        )
        return self.mu + self.sigma * noise


class Encoder(nn.Module):
    """Reads a melody both ways and says which codes could have written it.

    The summary of a melody is the last layer's final hidden states: the forward direction's after
    the last step and the backward direction's after step 0, so that each has read every token.

    Args:
        size: Units H per direction and layer.
        num_layers: Layers.
        latent_size: Dimensions Z of the code.
        dropout: Share of the summary that is dropped in training.
    """

    def __init__(
        self, size: int, num_layers: int, latent_size: int, *, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.lstm = TokenLSTM(size, num_layers, bidirectional=True)
        self.mu = nn.Linear(2 * size, latent_size)
        self.sigma = nn.Linear(2 * size, latent_size)
        for head in (self.mu, self.sigma):
            nn.init.normal_(head.weight, std=HEAD_STD)
            nn.init.zeros_(head.bias)

    def forward(self, tokens: Tensor) -> Posterior:
        """Encodes tokens [B, T] to a posterior (paper, equations 6 and 7)."""
        _, (hidden, _) = self.lstm(tokens.t().long())
        summary = self.dropout(torch.cat([hidden[-2], hidden[-1]], dim=-1))
        return Posterior(self.mu(summary), F.softplus(self.sigma(summary)))
