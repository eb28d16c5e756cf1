"""The objective: a beta-VAE with free bits (paper, section 2.1.1).

B rows, T steps, V token classes, Z latent dimensions. ``sigma`` is a standard deviation.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["elbo", "kl_to_prior", "reconstruction"]


def kl_to_prior(mu: Tensor, sigma: Tensor) -> Tensor:
    """KL(N(mu, sigma^2) || N(0, I)) in nats, summed over the dimensions: [B, Z] to [B]."""
    variance = sigma.square()
    return 0.5 * (mu.square() + variance - variance.log() - 1).sum(dim=-1)


def reconstruction(logits: Tensor, tokens: Tensor) -> Tensor:
    """-log p(x|z) in nats per sequence: summed over the T steps, averaged over the batch.

    Args:
        logits: [B, T, V].
        tokens: [B, T], the classes to predict.
    """
    # Decoders write a step after the other: in that order this is a view of their memory.
    by_step = logits.transpose(0, 1).flatten(0, 1)
    nats = F.cross_entropy(by_step, tokens.t().flatten().long(), reduction="sum")
    return nats / len(tokens)


def elbo(
    logits: Tensor, tokens: Tensor, mu: Tensor, sigma: Tensor, *, beta: float, free_bits: float
) -> dict[str, Tensor]:
    """The loss of a batch and its parts.

    loss = reconstruction + beta * mean over the batch of max(KL - tau, 0). The KL divergence is
    that of a whole sequence, summed over the latent dimensions; tau = ``free_bits`` * ln 2 nats
    is taken from each sequence before the mean over the batch.

    Args:
        logits: [B, T, V].
        tokens: [B, T], the classes to predict.
        mu: Posterior means [B, Z].
        sigma: Posterior standard deviations [B, Z].
        beta: Weight of the KL term.
        free_bits: tau in bits per sequence.

    Returns:
        Scalars: ``loss`` (to be minimised), ``reconstruction`` (nats per sequence), ``kl_bits``
        (bits per sequence) and ``elbo`` (nats per sequence; the true bound, without beta and tau).
    """
    nats = reconstruction(logits, tokens)
    kl = kl_to_prior(mu, sigma)
    beyond_free = (kl - free_bits * math.log(2)).clamp(min=0).mean()
    with torch.no_grad():
        mean_kl = kl.mean()
        bound = -(nats + mean_kl)
    return {
        "loss": nats + beta * beyond_free,
        "reconstruction": nats.detach(),
        "kl_bits": mean_kl / math.log(2),
        "elbo": bound,
    }
