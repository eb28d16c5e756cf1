"""MusicVAE: an encoder, a code, and a flat or hierarchical decoder.

B rows, T = 16 * bars steps, Z latent dimensions, V = 130 token classes.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from plugins.musicvae.config import STEPS_PER_BAR, DecoderKind, ModelConfig
from plugins.musicvae.models.encoder import Encoder, Posterior
from plugins.musicvae.models.flat import FlatDecoder
from plugins.musicvae.models.hierarchical import HierarchicalDecoder
from plugins.musicvae.models.lstm import NO_TOKEN

__all__ = ["MusicVAE", "Output", "shift"]


class Output(NamedTuple):
    """What a pass over a batch gives."""

    logits: Tensor
    """Unnormalised log-probabilities of each step's token [B, T, V]."""
    mu: Tensor
    """Means of the posteriors [B, Z]."""
    sigma: Tensor
    """Standard deviations of the posteriors [B, Z]."""
    z: Tensor
    """Codes drawn from the posteriors [B, Z]."""


def shift(tokens: Tensor) -> Tensor:
    """Inputs of a decoder that is to write ``tokens`` [B, T]: each step reads the token before.

    Step 0 reads ``NO_TOKEN``, an all-zero vector.
    """
    inputs = tokens.new_empty(tokens.shape, dtype=torch.long)
    inputs[:, 0] = NO_TOKEN
    inputs[:, 1:] = tokens[:, :-1]
    return inputs


class MusicVAE(nn.Module):
    """A variational autoencoder of melodies (Roberts et al., 2018).

    Args:
        config: Sizes of the networks and kind of decoder.
        bars: Bars of 16 steps in a melody.
    """

    def __init__(self, config: ModelConfig, bars: int) -> None:
        super().__init__()
        self.num_steps = bars * STEPS_PER_BAR
        self.latent_size = config.latent_size
        self.encoder = Encoder(
            config.encoder_size,
            config.encoder_layers,
            config.latent_size,
            dropout=config.dropout,
        )
        self.decoder: FlatDecoder | HierarchicalDecoder
        if config.decoder is DecoderKind.flat:
            self.decoder = FlatDecoder(
                config.latent_size,
                config.decoder_size,
                config.decoder_layers,
                dropout=config.dropout,
            )
        else:
            self.decoder = HierarchicalDecoder(
                config.latent_size,
                conductor_size=config.conductor_size,
                conductor_layers=config.conductor_layers,
                embedding_size=config.conductor_output,
                size=config.bar_decoder_size,
                num_layers=config.bar_decoder_layers,
                dropout=config.dropout,
            )

    @property
    def num_parameters(self) -> int:
        """Numbers that training adjusts."""
        return sum(parameter.numel() for parameter in self.parameters())

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return self.encoder.mu.weight.device

    def encode(self, tokens: Tensor) -> Posterior:
        """Posterior over codes of tokens [B, T]."""
        self._check_steps(tokens)
        return self.encoder(tokens)

    def forward(
        self,
        tokens: Tensor,
        *,
        sampling_probability: float = 0.0,
        generator: torch.Generator | None = None,
    ) -> Output:
        """Encodes tokens [B, T], draws codes and predicts every token from those before it.

        Args:
            tokens: [B, T], classes 0 to 129.
            sampling_probability: Chance that a step reads the model's own draw at the step before
                instead of the truth, decided for every step and example by itself.
            generator: Source of randomness on the model's device; torch's own when None. Dropout
                always takes torch's own.
        """
        mu, sigma = posterior = self.encode(tokens)
        z = posterior.sample(generator)
        logits = self.decode(
            z, tokens, sampling_probability=sampling_probability, generator=generator
        )
        return Output(logits, mu, sigma, z)

    def decode(
        self,
        z: Tensor,
        tokens: Tensor,
        *,
        sampling_probability: float = 0.0,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Logits [B, T, V] of codes [B, Z], each step reading the token before it in ``tokens``.

        ``sampling_probability`` and ``generator`` are as in :meth:`forward`. Own draws come from
        the softmax at temperature 1 and are constants to the gradient.
        """
        self._check_steps(tokens)
        inputs = shift(tokens)
        if sampling_probability > 0:
            own = self._uniforms(len(z), generator) < sampling_probability
            uniforms = self._uniforms(len(z), generator)
            inputs = self.decoder.resolve(z.detach(), inputs, own, uniforms)
        return self.decoder(z, inputs)

    def generate(
        self, z: Tensor, *, temperature: float = 1.0, generator: torch.Generator | None = None
    ) -> Tensor:
        """Writes melodies from codes, each step reading what the model wrote before it.

        Args:
            z: Codes [B, Z].
            temperature: Divides the logits; 0 takes the most probable token.
            generator: Source of randomness on the model's device; torch's own when None.

        Returns:
            Tokens [B, T] int64.
        """
        with torch.inference_mode():
            first = torch.full((len(z),), NO_TOKEN, device=z.device)
            uniforms = self._uniforms(len(z), generator)
            tokens = self.decoder.generate(z, first, uniforms, temperature)
        return tokens.clone()  # an ordinary tensor, which can be encoded with gradients

    def sample_prior(self, num_codes: int, generator: torch.Generator | None = None) -> Tensor:
        """Draws codes [num_codes, Z] from the prior N(0, I)."""
        return torch.randn(num_codes, self.latent_size, generator=generator, device=self.device)

    def _uniforms(self, num_rows: int, generator: torch.Generator | None) -> Tensor:
        # Always float32: the same stream of draws whatever the precision of the model.
        return torch.rand(num_rows, self.num_steps, generator=generator, device=self.device)

    def _check_steps(self, tokens: Tensor) -> None:
        if tokens.dim() != 2 or tokens.shape[1] != self.num_steps:
            raise ValueError(
                f"tokens have shape {tuple(tokens.shape)}; this model reads "
                f"[batch, {self.num_steps}] ({self.num_steps // STEPS_PER_BAR} bars)"
            )
