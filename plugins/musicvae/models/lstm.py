"""``nn.LSTM`` over melody tokens: the same parameters and results, without the one-hot products.

T steps, B rows, C context features, H units, L layers, D directions.
"""

import itertools

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from plugins.musicvae.data.tokens import NUM_TOKENS
from plugins.musicvae.models.recurrence import token_layer, token_table

__all__ = ["NO_TOKEN", "State", "Stepper", "TokenLSTM", "one_hot"]

NO_TOKEN = NUM_TOKENS
"""Index fed to a decoder where there is no token yet: an all-zero input."""

ROWS_AT_ONCE = 256
"""Rows that run through all the steps together on a CPU: their gates stay in the cache."""

UNITS_PER_THREAD = 4096
"""Hidden units of a step, over all its rows, from which the token layer's own node is the faster.

Below it Python takes longer between products than they do, and ``nn.LSTM`` wins. Threads shorten
the products alone.
"""

State = tuple[Tensor, Tensor]
"""Hidden and cell state, [L * D, B, H] each."""


def one_hot(tokens: Tensor, dtype: torch.dtype) -> Tensor:
    """One-hot vectors [..., NUM_TOKENS] of tokens; zeros at ``NO_TOKEN``."""
    return F.one_hot(tokens, NUM_TOKENS + 1)[..., :NUM_TOKENS].to(dtype)


class TokenLSTM(nn.LSTM):
    """A stacked LSTM whose input is a one-hot token, followed by a context constant in time.

    The parameters are ``nn.LSTM``'s, by name and shape, so cuDNN runs them on a GPU. On a CPU the
    layer that reads the tokens is an autograd node of our own when there is enough for it to do
    (:mod:`plugins.musicvae.models.recurrence`); the layers above it are torch's.

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
        if tokens.device.type != "cpu":
            return self._forward_features(tokens, context, state)
        # Few CPUs have a recurrence in half precision: autocast leaves this one alone.
        with torch.autocast("cpu", enabled=False):
            return self._forward_blocks(tokens, context, state)

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
        num_rows = tokens.shape[1]
        if num_rows * self.hidden_size < UNITS_PER_THREAD * torch.get_num_threads():
            return self._forward_features(tokens, context, state)
        num_directions = 2 if self.bidirectional else 1
        if state is None:
            shape = self.num_layers * num_directions, num_rows, self.hidden_size
            state = (self.weight_hh_l0.new_zeros(shape),) * 2
        blocks = [
            self._forward_block(
                tokens[:, rows],
                None if context is None else context[rows],
                (state[0][:, rows], state[1][:, rows]),
            )
            for rows in _blocks(num_rows)
        ]
        if len(blocks) == 1:
            return blocks[0]
        outputs = torch.cat([output for output, _ in blocks], dim=1)
        h_n, c_n = (torch.cat(parts, dim=1) for parts in zip(*(s for _, s in blocks), strict=True))
        return outputs, (h_n, c_n)

    def _forward_block(
        self, tokens: Tensor, context: Tensor | None, state: State
    ) -> tuple[Tensor, State]:
        suffixes = ("", "_reverse") if self.bidirectional else ("",)
        first = [self._weights(0, suffix) for suffix in suffixes]
        h_0, c_0 = (part[: len(suffixes)] for part in state)
        output, h_n, c_n = token_layer(tokens, context, first, (h_0, c_0))
        if self.num_layers > 1:
            upper = [weight for layer in self.all_weights[len(suffixes) :] for weight in layer]
            output, h_upper, c_upper = torch.lstm(
                output,
                tuple(part[len(suffixes) :].contiguous() for part in state),
                upper,
                has_biases=True,
                num_layers=self.num_layers - 1,
                dropout=0.0,
                train=self.training,
                bidirectional=self.bidirectional,
                batch_first=False,
            )
            h_n, c_n = torch.cat([h_n, h_upper]), torch.cat([c_n, c_upper])
        return output, (h_n, c_n)

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


def _blocks(num_rows: int) -> list[slice]:
    """Cuts rows into blocks of about ``ROWS_AT_ONCE``, none of them small."""
    num_blocks = max(1, num_rows // ROWS_AT_ONCE)
    ends = [num_rows * block // num_blocks for block in range(num_blocks + 1)]
    return [slice(*pair) for pair in itertools.pairwise(ends)]


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
