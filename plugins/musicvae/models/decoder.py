"""The token decoder p(x|context) that both kinds of model are built on.

R rows, S steps, C context features, H units, L layers, V token classes.
"""

import torch
from torch import Tensor, nn

from plugins.musicvae.data.tokens import NUM_TOKENS
from plugins.musicvae.models.lstm import State, Stepper, TokenLSTM, one_hot
from plugins.musicvae.models.sampling import roll_out

__all__ = ["InitialState", "TokenDecoder"]


class InitialState(nn.Module):
    """Makes the initial state of every layer of an LSTM: one tanh(linear(.)), split.

    Args:
        in_features: Features of the vector that the state is made from.
        size: Units H.
        num_layers: Layers L.
    """

    def __init__(self, in_features: int, size: int, num_layers: int) -> None:
        super().__init__()
        self.num_layers = num_layers
        self.linear = nn.Linear(in_features, 2 * num_layers * size)

    def forward(self, vector: Tensor) -> State:
        """Turns vectors [R, C] into hidden and cell states [L, R, H] each."""
        pieces = self.linear(vector).tanh().unflatten(-1, (2, self.num_layers, -1))
        hidden, cell = pieces.permute(1, 2, 0, 3).contiguous()
        return hidden, cell


class TokenDecoder(nn.Module):
    """Writes tokens from a context vector: it sets the initial state and is read at every step.

    Args:
        context_size: Features C of the context.
        size: Units H per layer.
        num_layers: Layers L.
        dropout: Share of the last layer's hidden states dropped in training before the logits.
            :meth:`draw` drops none: what the model reads of its own is what it would write.
    """

    def __init__(
        self, context_size: int, size: int, num_layers: int, *, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.initial = InitialState(context_size, size, num_layers)
        self.lstm = TokenLSTM(size, num_layers, context_size=context_size)
        self.output = nn.Linear(size, NUM_TOKENS)

    def forward(self, context: Tensor, inputs: Tensor) -> Tensor:
        """Predicts the token of every step in one pass, the inputs being known.

        Args:
            context: [R, C].
            inputs: Token that each step reads [S, R], ``NO_TOKEN`` for none.

        Returns:
            Logits [S, R, V].
        """
        hidden, _ = self.lstm(inputs, context, self.initial(context))
        return self.output(self.dropout(hidden))

    def forward_by_step(self, context: Tensor, inputs: Tensor) -> Tensor:
        """Does what :meth:`forward` does with plain torch cells: the form to check others against.

        Also differentiable, and several times slower.
        """
        hidden, cell = (list(part) for part in self.initial(context))
        outputs = []
        for fed in one_hot(inputs, context.dtype):
            below = torch.cat([fed, context], dim=-1)
            for layer in range(self.lstm.num_layers):
                weights = self.lstm.all_weights[layer]
                state = hidden[layer], cell[layer]
                hidden[layer], cell[layer] = torch.lstm_cell(below, state, *weights)
                below = hidden[layer]
            outputs.append(self.output(self.dropout(below)))
        return torch.stack(outputs)

    @torch.no_grad()
    def draw(
        self,
        context: Tensor,
        inputs: Tensor,
        own: Tensor | None,
        uniforms: Tensor,
        temperature: float = 1.0,
        stepper: Stepper | None = None,
    ) -> Tensor:
        """Draws the token of every step, feeding own draws where ``own`` says so.

        Args:
            context: [R, C].
            inputs: Tokens to feed where they are not own draws [S, R]; [1, R] is enough when
                ``own`` is None.
            own: [S, R] bool, or None for every step but the first.
            uniforms: [S, R] in [0, 1); one number decides one token.
            temperature: Softmax temperature; 0 takes the most probable token.
            stepper: ``self.lstm.stepper()``, for callers that draw many times.

        Returns:
            Drawn tokens [S, R] int64.
        """
        stepper = stepper or self.lstm.stepper()
        stepper.start(context, self.initial(context))
        weight, bias = self.output.weight.t(), self.output.bias
        return roll_out(
            lambda fed: torch.addmm(bias, stepper(fed), weight), inputs, own, uniforms, temperature
        )
