"""A straightforward port of MusicVAE: what the benchmarks of the musicvae plugin compare with.

The encoder is torch's bidirectional ``nn.LSTM`` on one-hot vectors. The hierarchical decoder walks
through bars and steps in Python with an ``nn.LSTMCell`` per layer, fed the one-hot previous token
beside the bar's embedding; scheduled sampling draws with ``torch.multinomial`` as it goes. It is
correct, uses no trick, and takes its parameters from a :class:`MusicVAE`.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from plugins.musicvae.config import STEPS_PER_BAR
from plugins.musicvae.data.tokens import NUM_TOKENS
from plugins.musicvae.models import MusicVAE

__all__ = ["PlainMusicVAE"]


class PlainMusicVAE(nn.Module):
    """The hierarchical model, a step at a time.

    Args:
        model: A hierarchical model; its parameters are copied.
    """

    def __init__(self, model: MusicVAE) -> None:
        super().__init__()
        encoder, conductor, bar = model.encoder, model.decoder.conductor, model.decoder.bar
        self.encoder = nn.LSTM(
            NUM_TOKENS, encoder.lstm.hidden_size, encoder.lstm.num_layers, bidirectional=True
        )
        self.encoder.load_state_dict(encoder.lstm.state_dict())
        self.mu = _copy_linear(encoder.mu)
        self.sigma = _copy_linear(encoder.sigma)
        self.conductor_initial = _copy_linear(conductor.initial.linear)
        self.conductor = _copy_cells(conductor.lstm)
        self.conductor_output = _copy_linear(conductor.output)
        self.bar_initial = _copy_linear(bar.initial.linear)
        self.bar = _copy_cells(bar.lstm)
        self.output = _copy_linear(bar.output)

    def forward(
        self, tokens: Tensor, noise: Tensor, sampling_probability: float = 0.0
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Logits [B, T, V], mu and sigma [B, Z] of tokens [B, T] and normal noise [B, Z]."""
        inputs = F.one_hot(tokens, NUM_TOKENS).float()
        _, (hidden, _) = self.encoder(inputs.transpose(0, 1))
        summary = torch.cat([hidden[-2], hidden[-1]], dim=1)
        mu, sigma = self.mu(summary), F.softplus(self.sigma(summary))
        logits = self.decode(mu + sigma * noise, inputs, sampling_probability)
        return logits, mu, sigma

    def decode(self, z: Tensor, truth: Tensor, sampling_probability: float = 0.0) -> Tensor:
        """Logits [B, T, V] of codes [B, Z] and the one-hot truth [B, T, V]."""
        num_steps = truth.shape[1]
        logits: list[Tensor] = []
        previous = torch.zeros_like(truth[:, 0])
        for t, context, states in self._walk(z, num_steps):
            logits.append(self._step(previous, context, states))
            previous = truth[:, t]
            if sampling_probability > 0:
                drawn = torch.multinomial(logits[-1].detach().softmax(dim=1), 1).squeeze(1)
                own = torch.rand(len(z), 1) < sampling_probability
                previous = torch.where(own, F.one_hot(drawn, NUM_TOKENS).float(), previous)
        return torch.stack(logits, dim=1)

    @torch.no_grad()
    def generate(self, z: Tensor, num_steps: int) -> Tensor:
        """Draws tokens [B, T] from codes [B, Z] at temperature 1."""
        tokens = []
        previous = torch.zeros(len(z), NUM_TOKENS)
        for _, context, states in self._walk(z, num_steps):
            logits = self._step(previous, context, states)
            tokens.append(torch.multinomial(logits.softmax(dim=1), 1).squeeze(1))
            previous = F.one_hot(tokens[-1], NUM_TOKENS).float()
        return torch.stack(tokens, dim=1)

    def _walk(self, z: Tensor, num_steps: int):
        """Yields every step with its bar's embedding and the bar decoder's states."""
        conductor_states = _initial_states(self.conductor_initial, z, len(self.conductor))
        for t in range(num_steps):
            if t % STEPS_PER_BAR == 0:
                below = z.new_zeros(len(z), 1)
                for layer, cell in enumerate(self.conductor):
                    conductor_states[layer] = cell(below, conductor_states[layer])
                    below = conductor_states[layer][0]
                context = self.conductor_output(below)
                states = _initial_states(self.bar_initial, context, len(self.bar))
            yield t, context, states

    def _step(self, previous: Tensor, context: Tensor, states: list) -> Tensor:
        below = torch.cat([previous, context], dim=1)
        for layer, cell in enumerate(self.bar):
            states[layer] = cell(below, states[layer])
            below = states[layer][0]
        return self.output(below)


def _initial_states(linear: nn.Linear, vector: Tensor, num_layers: int) -> list:
    hidden, cell = linear(vector).tanh().chunk(2, dim=1)
    return list(zip(hidden.chunk(num_layers, dim=1), cell.chunk(num_layers, dim=1), strict=True))


def _copy_linear(linear: nn.Linear) -> nn.Linear:
    copy = nn.Linear(linear.in_features, linear.out_features)
    copy.load_state_dict(linear.state_dict())
    return copy


def _copy_cells(lstm: nn.LSTM) -> nn.ModuleList:
    cells = []
    for layer, weights in enumerate(lstm.all_weights):
        cell = nn.LSTMCell(weights[0].shape[1], lstm.hidden_size)
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        cell.load_state_dict({name: getattr(lstm, f"{name}_l{layer}") for name in names})
        cells.append(cell)
    return nn.ModuleList(cells)
