"""``nn.LSTM`` over melody tokens: the same parameters and results, without the one-hot products.

T steps, B rows, C context features, H units, L layers, D directions.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from plugins.musicvae.data.tokens import NUM_TOKENS
from plugins.musicvae.models.recurrence import lstm_layer, token_table

__all__ = ["NO_TOKEN", "State", "TokenLSTM", "one_hot"]

NO_TOKEN = NUM_TOKENS
"""Index fed to a decoder where there is no token yet: an all-zero input."""

State = tuple[Tensor, Tensor]
"""Hidden and cell state, [L * D, B, H] each."""


def one_hot(tokens: Tensor, dtype: torch.dtype) -> Tensor:
    """One-hot vectors [..., NUM_TOKENS] of tokens; zeros at ``NO_TOKEN``."""
    return F.one_hot(tokens, NUM_TOKENS + 1)[..., :NUM_TOKENS].to(dtype)


class TokenLSTM(nn.LSTM):
    """A stacked LSTM whose input is a one-hot token, followed by a context constant in time.

    The parameters are ``nn.LSTM``'s, by name and shape, so cuDNN runs them on a GPU. On a CPU each
    layer is one autograd node (:mod:`plugins.musicvae.models.recurrence`).

    Args:
        hidden_size: Units H of each layer and direction.
        num_layers: Layers L.
        context_size: Features C of the context; 0 for none.
        bidirectional: Reads the tokens both ways.
    """

    def __init__(
        self,
        hidden_size: int,
        num_layers: int,
        *,
        context_size: int = 0,
        bidirectional: bool = False,
    ) -> None:
        super().__init__(
            NUM_TOKENS + context_size, hidden_size, num_layers, bidirectional=bidirectional
        )
        self.context_size = context_size

    def forward(  # type: ignore[override]  # tokens, not features
        self, tokens: Tensor, context: Tensor | None = None, state: State | None = None
    ) -> tuple[Tensor, State]:
        """Runs the whole sequence.

        Args:
            tokens: [T, B] int64, classes or ``NO_TOKEN``.
            context: [B, C], or None when the context size is 0.
            state: Initial state of every layer; zeros when None.

        Returns:
            Hidden states of the last layer [T, B, D * H] and the final state.
        """
        dtype = self.weight_ih_l0.dtype
        if context is not None:
            context = context.to(dtype)
        if state is not None:
            state = state[0].to(dtype), state[1].to(dtype)
        if tokens.device.type == "cpu":
            # Few CPUs have a recurrence in half precision: autocast leaves this one alone.
            with torch.autocast("cpu", enabled=False):
                return self._forward_layers(tokens, context, state)
        return self._forward_features(tokens, context, state)

    def _forward_features(
        self, tokens: Tensor, context: Tensor | None, state: State | None
    ) -> tuple[Tensor, State]:
        features = one_hot(tokens, self.weight_ih_l0.dtype)
        if context is not None:
            features = torch.cat([features, context.expand(len(tokens), -1, -1)], dim=-1)
        return super().forward(features, state)

    def _forward_layers(
        self, tokens: Tensor, context: Tensor | None, state: State | None
    ) -> tuple[Tensor, State]:
        if state is None:
            num_states = self.num_layers * (2 if self.bidirectional else 1)
            zeros = self.weight_hh_l0.new_zeros(num_states, tokens.shape[1], self.hidden_size)
            state = zeros, zeros
        source = tokens
        finals: list[State] = []
        for layer in range(self.num_layers):
            outputs = []
            for suffix in ("", "_reverse") if self.bidirectional else ("",):
                w_ih, w_hh, bias = self._weights(layer, suffix)
                h_0, c_0 = (part[len(finals)] for part in state)
                output, h, c = lstm_layer(
                    source, context, w_ih, w_hh, bias, (h_0, c_0), reverse=suffix == "_reverse"
                )
                outputs.append(output)
                finals.append((h, c))
            source = torch.cat(outputs, dim=-1) if self.bidirectional else outputs[0]
            context = None
        h_n, c_n = (torch.stack(parts) for parts in zip(*finals, strict=True))
        return source, (h_n, c_n)

    def _weights(self, layer: int, suffix: str = "") -> tuple[Tensor, Tensor, Tensor]:
        """Input weights, recurrent weights and the sum of the two biases of a layer."""
        end = f"l{layer}{suffix}"
        bias = getattr(self, f"bias_ih_{end}") + getattr(self, f"bias_hh_{end}")
        return getattr(self, f"weight_ih_{end}"), getattr(self, f"weight_hh_{end}"), bias

    def stepper(self, context: Tensor, state: State) -> "Stepper":
        """Runs the layers a step at a time, without gradients, from ``state`` on."""
        if self.bidirectional:
            raise ValueError("a bidirectional LSTM cannot run a step at a time")
        weights = [self._weights(layer) for layer in range(self.num_layers)]
        return Stepper(weights, context, state)


class Stepper:
    """Free-running form of a one-directional :class:`TokenLSTM`; use it without gradients.

    The context is projected once, a token is a row of a table, and each layer keeps its buffers.
    """

    def __init__(
        self, weights: list[tuple[Tensor, Tensor, Tensor]], context: Tensor, state: State
    ) -> None:
        w_ih, _, bias = weights[0]
        self._table = token_table(w_ih, NUM_TOKENS)
        self._constant = torch.addmm(bias, context, w_ih[:, NUM_TOKENS:].t())
        # One product for a layer: [input or state below, own state] against both weights.
        self._recurrent = [weights[0][1].t()] + [
            torch.cat([w_ih, w_hh], dim=1).t() for w_ih, w_hh, _ in weights[1:]
        ]
        self._biases = [bias for _, _, bias in weights]
        self._hidden = list(state[0].unbind())
        self._cells = [c.clone() for c in state[1].unbind()]

    def __call__(self, tokens: Tensor) -> Tensor:
        """Feeds one token per row [B] and returns the last layer's hidden state [B, H]."""
        below = None
        for layer, (recurrent, c) in enumerate(zip(self._recurrent, self._cells, strict=True)):
            h = self._hidden[layer]
            if below is None:
                gates = self._table.index_select(0, tokens).add_(self._constant)
                gates.addmm_(h, recurrent)
            else:
                gates = torch.addmm(self._biases[layer], torch.cat([below, h], dim=1), recurrent)
            i, f, g, o = gates.chunk(4, dim=1)
            c.mul_(f.sigmoid_()).addcmul_(i.sigmoid_(), g.tanh_())
            below = self._hidden[layer] = o.sigmoid_().mul_(c.tanh())
        return below
