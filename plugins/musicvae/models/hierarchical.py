"""The hierarchical decoder p(x|z): a conductor over bars and a decoder within them (section 3.2).

B rows, U bars, S = 16 steps a bar, T = U * S, Z latent dimensions, E features of a bar's embedding
c_u, V token classes.

The bar decoder's state starts anew from c_u at every bar, but the token it reads does not: the
first step of a bar reads the last token of the bar before.
"""

import torch
from torch import Tensor, nn

from plugins.musicvae.config import STEPS_PER_BAR
from plugins.musicvae.models.decoder import InitialState, TokenDecoder

__all__ = ["Conductor", "HierarchicalDecoder"]


class Conductor(nn.Module):
    """Writes one embedding per bar from z, with nothing to read on the way.

    Args:
        latent_size: Dimensions Z of the code.
        size: Units per layer.
        num_layers: Layers.
        output_size: Features E of an embedding.
    """

    def __init__(self, latent_size: int, size: int, num_layers: int, output_size: int) -> None:
        super().__init__()
        self.initial = InitialState(latent_size, size, num_layers)
        self.lstm = nn.LSTM(1, size, num_layers)
        self.output = nn.Linear(size, output_size)

    def forward(self, z: Tensor, num_bars: int) -> Tensor:
        """Embeddings [U, B, E] of codes [B, Z]."""
        silence = z.new_zeros(num_bars, len(z), 1)
        hidden, _ = self.lstm(silence, self.initial(z))
        return self.output(hidden)


class HierarchicalDecoder(nn.Module):
    """A conductor that plans bars and a bar decoder that writes each from its embedding alone.

    Args:
        latent_size: Dimensions Z of the code.
        conductor_size: Units per layer of the conductor.
        conductor_layers: Layers of the conductor.
        embedding_size: Features E of a bar's embedding.
        size: Units per layer of the bar decoder.
        num_layers: Layers of the bar decoder.
        dropout: Share of the bar decoder's hidden states dropped in training before the logits.
    """

    def __init__(
        self,
        latent_size: int,
        *,
        conductor_size: int,
        conductor_layers: int,
        embedding_size: int,
        size: int,
        num_layers: int,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.conductor = Conductor(latent_size, conductor_size, conductor_layers, embedding_size)
        self.bar = TokenDecoder(embedding_size, size, num_layers, dropout=dropout)

    def forward(self, z: Tensor, inputs: Tensor) -> Tensor:
        """Logits [B, T, V] of codes [B, Z] and the token that each step reads [B, T].

        All the bars are rows of one pass of S steps. That is exact: a bar takes nothing from the
        bar before but the token it reads first, and the inputs are known.
        """
        embeddings = self.conductor(z, inputs.shape[1] // STEPS_PER_BAR)
        logits = self.bar(embeddings.flatten(0, 1), _fold(inputs))
        return _unfold(logits, len(z))

    def forward_by_bar(self, z: Tensor, inputs: Tensor) -> Tensor:
        """Does what :meth:`forward` does a bar at a time."""
        bars = inputs.split(STEPS_PER_BAR, dim=1)
        embeddings = self.conductor(z, len(bars))
        logits = [self.bar(c_u, bar.t()) for c_u, bar in zip(embeddings, bars, strict=True)]
        return torch.cat(logits).transpose(0, 1)

    def forward_by_step(self, z: Tensor, inputs: Tensor) -> Tensor:
        """Does what :meth:`forward` does a step at a time, with plain torch cells."""
        bars = inputs.split(STEPS_PER_BAR, dim=1)
        embeddings = self.conductor(z, len(bars))
        logits = [
            self.bar.forward_by_step(c_u, bar.t())
            for c_u, bar in zip(embeddings, bars, strict=True)
        ]
        return torch.cat(logits).transpose(0, 1)

    @torch.no_grad()
    def resolve(self, z: Tensor, inputs: Tensor, own: Tensor, uniforms: Tensor) -> Tensor:
        """Puts the model's own draws into the inputs where ``own`` says so.

        Exact, like the flat decoder's. The first step of a bar always reads the token before it in
        ``inputs``, as in the published code, so that all the bars run together.

        Args:
            z: [B, Z].
            inputs: True token that each step reads [B, T].
            own: Whether a step reads the model's draw instead [B, T] bool; the first of a bar never
                does.
            uniforms: [B, T] in [0, 1), one for each token drawn.

        Returns:
            Inputs [B, T] int64.
        """
        num_rows, num_bars = len(z), inputs.shape[1] // STEPS_PER_BAR
        fed, mask = _fold(inputs).clone(), _fold(own)
        bars = mask[1:].any(dim=0).nonzero().squeeze(1)
        if len(bars) == 0:
            return inputs
        embeddings = self.conductor(z, num_bars).flatten(0, 1)[bars]
        now, here = fed[:, bars], mask[:, bars]
        drawn = self.bar.draw(embeddings, now, here, _fold(uniforms)[:, bars])
        now[1:] = torch.where(here[1:], drawn[:-1], now[1:])
        fed[:, bars] = now
        return _unfold(fed, num_rows)

    @torch.no_grad()
    def generate(self, z: Tensor, first: Tensor, uniforms: Tensor, temperature: float) -> Tensor:
        """Writes melodies [B, T] from codes [B, Z].

        Args:
            z: [B, Z].
            first: Token that step 0 reads [B].
            uniforms: [B, T] in [0, 1), one for each token.
            temperature: Softmax temperature; 0 takes the most probable token.
        """
        bars = uniforms.split(STEPS_PER_BAR, dim=1)
        stepper = self.bar.lstm.stepper()
        written = []
        for c_u, noise in zip(self.conductor(z, len(bars)), bars, strict=True):
            inputs = first.unsqueeze(0)
            drawn = self.bar.draw(c_u, inputs, None, noise.t(), temperature, stepper)
            written.append(drawn)
            first = drawn[-1]
        return torch.cat(written).t().contiguous()


def _fold(steps: Tensor) -> Tensor:
    """Lays bars side by side: [B, U * S] to [S, U * B], the bars of a row B apart."""
    return steps.unflatten(1, (-1, STEPS_PER_BAR)).permute(2, 1, 0).flatten(1)


def _unfold(steps: Tensor, num_rows: int) -> Tensor:
    """Undoes :func:`_fold`: [S, U * B, ...] to [B, U * S, ...]."""
    bars = steps.unflatten(1, (-1, num_rows)).transpose(0, 1)
    return bars.flatten(0, 1).transpose(0, 1)
