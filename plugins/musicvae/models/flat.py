"""The flat decoder p(x|z): one LSTM over all the steps (paper, section 3.2).

B rows, T steps, Z latent dimensions, V token classes.
"""

import torch
from torch import Tensor, nn

from plugins.musicvae.models.decoder import TokenDecoder

__all__ = ["FlatDecoder"]


class FlatDecoder(nn.Module):
    """One stacked LSTM over the whole melody, reading z and the previous token at every step.

    Args:
        latent_size: Dimensions Z of the code.
        size: Units per layer.
        num_layers: Layers.
        dropout: Share of the hidden states dropped in training before the logits.
    """

    def __init__(
        self, latent_size: int, size: int, num_layers: int, *, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.tokens = TokenDecoder(latent_size, size, num_layers, dropout=dropout)

    def forward(self, z: Tensor, inputs: Tensor) -> Tensor:
        """Logits [B, T, V] of a code [B, Z] and the token that each step reads [B, T]."""
        return self.tokens(z, inputs.t()).transpose(0, 1)

    def forward_by_step(self, z: Tensor, inputs: Tensor) -> Tensor:
        """Does what :meth:`forward` does a step at a time, with plain torch cells."""
        return self.tokens.forward_by_step(z, inputs.t()).transpose(0, 1)

    @torch.no_grad()
    def resolve(self, z: Tensor, inputs: Tensor, own: Tensor, uniforms: Tensor) -> Tensor:
        """Puts the model's own draws into the inputs where ``own`` says so.

        The draws are constants: no gradient flows through them. Feeding the result to
        :meth:`forward` gives exactly the logits of a decoder that drew as it went.

        Args:
            z: [B, Z].
            inputs: True token that each step reads [B, T].
            own: Whether a step reads the model's draw instead [B, T] bool; step 0 never does.
            uniforms: [B, T] in [0, 1), one for each token drawn.

        Returns:
            Inputs [B, T] int64.
        """
        # A row runs only if it reads a draw, and only until the last step that does.
        rows = own[:, 1:].any(dim=1).nonzero().squeeze(1)
        if len(rows) == 0:
            return inputs
        mixed = inputs[rows]
        mask = own[rows]
        end = int(mask.any(dim=0).nonzero().max())
        drawn = self.tokens.draw(
            z[rows], mixed[:, :end].t(), mask[:, :end].t(), uniforms[rows, :end].t()
        ).t()
        mixed[:, 1 : end + 1] = torch.where(mask[:, 1 : end + 1], drawn, mixed[:, 1 : end + 1])
        return inputs.index_copy(0, rows, mixed)

    @torch.no_grad()
    def generate(self, z: Tensor, first: Tensor, uniforms: Tensor, temperature: float) -> Tensor:
        """Writes melodies [B, T] from codes [B, Z].

        Args:
            z: [B, Z].
            first: Token that step 0 reads [B].
            uniforms: [B, T] in [0, 1), one for each token.
            temperature: Softmax temperature; 0 takes the most probable token.
        """
        drawn = self.tokens.draw(z, first.unsqueeze(0), None, uniforms.t(), temperature)
        return drawn.t().contiguous()
