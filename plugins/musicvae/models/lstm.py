"""``nn.LSTM`` over melody tokens: the same parameters and results, without the one-hot products.

T steps, B rows, C context features, H units, L layers, D directions.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from plugins.musicvae.data.tokens import NUM_TOKENS
from plugins.musicvae.models.recurrence import lstm_layer, token_table

__all__ = ["NO_TOKEN", "State", "Stepper", "TokenLSTM", "one_hot"]

NO_TOKEN = NUM_TOKENS
"""Index fed to a decoder where there is no token yet: an all-zero input."""

ROWS_AT_ONCE = 256
"""Rows that run through all the steps together on a CPU: their gates stay in the cache."""

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
                return self._forward_blocks(tokens, context, state)
        return self._forward_features(tokens, context, state)

    def _forward_features(
        self, tokens: Tensor, context: Tensor | None, state: State | None
    ) -> tuple[Tensor, State]:
        features = one_hot(tokens, self.weight_ih_l0.dtype)
        if context is not None:
            features = torch.cat([features, context.expand(len(tokens), -1, -1)], dim=-1)
        return super().forward(features, state)

    def _forward_blocks(
        self, tokens: Tensor, context: Tensor | None, state: State | None
    ) -> tuple[Tensor, State]:
        num_blocks = max(1, tokens.shape[1] // ROWS_AT_ONCE)
        if num_blocks == 1:
            return self._forward_layers(tokens, context, state)
        contexts = [None] * num_blocks if context is None else context.chunk(num_blocks)
        states = (
            [None] * num_blocks
            if state is None
            else zip(*(part.chunk(num_blocks, dim=1) for part in state), strict=True)
        )
        blocks = [
            self._forward_layers(*block)
            for block in zip(tokens.chunk(num_blocks, dim=1), contexts, states, strict=True)
        ]
        outputs = torch.cat([output for output, _ in blocks], dim=1)
        h_n, c_n = (torch.cat(parts, dim=1) for parts in zip(*(s for _, s in blocks), strict=True))
        return outputs, (h_n, c_n)

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

    def stepper(self) -> "Stepper":
        """Prepares to run the layers a step at a time, without gradients."""
        if self.bidirectional:
            raise ValueError("a bidirectional LSTM cannot run a step at a time")
        return Stepper([self._weights(layer) for layer in range(self.num_layers)])


class Stepper:
    """Free-running form of a one-directional :class:`TokenLSTM`; use it without gradients.

    A token is a row of a table, and the context is projected once for a whole sequence.

    Args:
        weights: Input weights, recurrent weights and bias of each layer.
    """

    def __init__(self, weights: list[tuple[Tensor, Tensor, Tensor]]) -> None:
        self._input = [w_ih.t() for w_ih, _, _ in weights]
        self._recurrent = [w_hh.t() for _, w_hh, _ in weights]
        self._biases = [bias for _, _, bias in weights]
        self._table = token_table(weights[0][0], NUM_TOKENS)

    def start(self, context: Tensor, state: State) -> None:
        """Begins a sequence with a context [B, C] and an initial state [L, B, H]."""
        self._constant = torch.addmm(self._biases[0], context, self._input[0][NUM_TOKENS:])
        self._hidden = list(state[0].unbind())
        self._cells = [c.clone() for c in state[1].unbind()]

    def __call__(self, tokens: Tensor) -> Tensor:
        """Feeds one token per row [B] and returns the last layer's hidden state [B, H]."""
        gates = self._table.index_select(0, tokens).add_(self._constant)
        for layer, c in enumerate(self._cells):
            if layer > 0:
                gates = torch.addmm(
                    self._biases[layer], self._hidden[layer - 1], self._input[layer]
                )
            gates.addmm_(self._hidden[layer], self._recurrent[layer])
            i, f, g, o = gates.chunk(4, dim=1)
            c.mul_(f.sigmoid_()).addcmul_(i.sigmoid_(), g.tanh_())
            self._hidden[layer] = o.sigmoid_() * c.tanh()
        return self._hidden[-1]
