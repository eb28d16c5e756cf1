"""The token-reading layer of an LSTM over a whole sequence as a single autograd node, for CPUs.

D directions, T steps, B rows, H units, V token classes, C context features, 4H = the gates in
torch's order: input, forget, cell, output.

A one-hot token picks a column of the input weights and a context is the same at every step, so the
layer that reads them needs no input product at all: it gathers rows of a table. ``nn.LSTM``
multiplies them out at every step. Both directions walk together, and the backward pass keeps the
gate gradients of all the steps and makes one product for each weight.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

__all__ = ["token_layer", "token_table"]

_sigmoid_backward = torch.ops.aten.sigmoid_backward.grad_input
_tanh_backward = torch.ops.aten.tanh_backward.grad_input


def token_table(weight_ih: Tensor, num_classes: int) -> Tensor:
    """Rows of gate input by token [V + 1, 4H]; the last row is zero and stands for "no token"."""
    columns = weight_ih[:, :num_classes]
    return torch.cat([columns.t(), columns.new_zeros(1, columns.shape[0])])


def token_layer(
    tokens: Tensor,
    context: Tensor | None,
    weights: Sequence[tuple[Tensor, Tensor, Tensor]],
    state: tuple[Tensor, Tensor],
) -> tuple[Tensor, Tensor, Tensor]:
    """Runs one LSTM layer over tokens, in one direction or in two.

    Args:
        tokens: Indices [T, B] int64; the index V stands for an all-zero input.
        context: Features [B, C] that follow the one-hot token at every step, or None.
        weights: For each direction, forward first: input weights [4H, V + C], recurrent weights
            [4H, H] and the sum of torch's two biases [4H].
        state: Initial hidden and cell states, [D, B, H] each.

    Returns:
        Hidden states [T, B, D * H] in the order of the tokens, and the final hidden and cell states
        [D, B, H]. The backward direction's final state is that of step 0.
    """
    flat = [tensor for direction in weights for tensor in direction]
    hidden, h_n, c_n = _TokenLayer.apply(tokens, context, *state, *flat)
    if len(weights) == 1:
        return hidden[0], h_n, c_n
    return torch.cat([hidden[0], hidden[1].flip(0)], dim=-1), h_n, c_n


class _TokenLayer(Function):
    """Everything inside is in the order of each direction's walk: hidden is [D, T, B, H]."""

    @staticmethod
    def forward(
        ctx: Any,
        tokens: Tensor,
        context: Tensor | None,
        h_0: Tensor,
        c_0: Tensor,
        *flat: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        num_directions, num_rows, size = h_0.shape
        num_steps = len(tokens)
        gates = h_0.new_empty(num_directions, num_steps, num_rows, 4 * size)
        cells = h_0.new_empty(num_directions, num_steps, num_rows, size)
        squashed_cells = torch.empty_like(cells)  # their tanh
        hidden = torch.empty_like(cells)

        walks = []
        for d, (weight_ih, weight_hh, bias) in enumerate(_by_direction(flat)):
            table, constant = _input_of(weight_ih, bias, context)
            walked = _in_order(tokens, d).unbind()
            walks.append((gates[d].unbind(), walked, table, constant, weight_hh.t()))
        input_forget_at = gates[..., : 2 * size].unbind(1)
        input_at, forget_at, new_at, output_at = (g.unbind(1) for g in gates.chunk(4, dim=-1))
        cell_at, squashed_at, hidden_at = (x.unbind(1) for x in (cells, squashed_cells, hidden))

        h, c = h_0, c_0
        for t in range(num_steps):
            for walk, h_d in zip(walks, h.unbind(), strict=True):
                gate_at, token_at, table, constant, recurrent = walk
                gate = gate_at[t]
                torch.index_select(table, 0, token_at[t], out=gate)
                if constant is not None:
                    gate += constant
                gate.addmm_(h_d, recurrent)
            input_forget_at[t].sigmoid_()
            _tanh_(new_at[t])
            output_at[t].sigmoid_()
            c = torch.mul(forget_at[t], c, out=cell_at[t]).addcmul_(input_at[t], new_at[t])
            squashed = _tanh_(squashed_at[t].copy_(c))
            h = torch.mul(output_at[t], squashed, out=hidden_at[t])

        ctx.save_for_backward(
            tokens, context, h_0, c_0, gates, cells, squashed_cells, hidden, *flat
        )
        ctx.set_materialize_grads(False)
        return hidden, h.clone(), c.clone()

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, d_hidden: Tensor | None, d_h: Tensor | None, d_c: Tensor | None
    ) -> tuple[Tensor | None, ...]:
        tokens, context, h_0, c_0, gates, cells, squashed_cells, hidden, *flat = ctx.saved_tensors
        weights = _by_direction(flat)
        d_h = torch.zeros_like(h_0) if d_h is None else d_h.clone()
        d_c = torch.zeros_like(c_0) if d_c is None else d_c.clone()
        recurrent = [weight_hh for _, weight_hh, _ in weights]
        d_gates = _walk_back(d_hidden, d_h, d_c, gates, cells, squashed_cells, c_0, recurrent)

        d_context = None if context is None else torch.zeros_like(context)
        d_flat: list[Tensor] = []
        for d, (weight_ih, _, _) in enumerate(weights):
            num_classes = _num_classes(weight_ih, context)
            by_token = d_gates.new_zeros(num_classes + 1, weight_ih.shape[0])
            by_token.index_add_(0, _in_order(tokens, d).flatten(), d_gates[d].flatten(0, 1))
            d_weight_ih = torch.empty_like(weight_ih)
            d_weight_ih[:, :num_classes] = by_token[:num_classes].t()
            d_rows = d_gates[d].sum(dim=0)
            if context is not None:
                d_weight_ih[:, num_classes:] = d_rows.t() @ context
                d_context.addmm_(d_rows, weight_ih[:, num_classes:])
            d_weight_hh = d_gates[d, 1:].flatten(0, 1).t() @ hidden[d, :-1].flatten(0, 1)
            d_weight_hh.addmm_(d_gates[d, 0].t(), h_0[d])
            d_flat += [d_weight_ih, d_weight_hh, d_rows.sum(dim=0)]
        return None, d_context, d_h, d_c, *d_flat


def _walk_back(
    d_hidden: Tensor | None,
    d_h: Tensor,
    d_c: Tensor,
    gates: Tensor,
    cells: Tensor,
    squashed_cells: Tensor,
    c_0: Tensor,
    recurrent: list[Tensor],
) -> Tensor:
    """Gradients of the gates before their sigmoid or tanh [D, T, B, 4H], from the last step on.

    ``d_h`` and ``d_c`` come in as the final state's gradients and go out as the initial state's.
    """
    d_gates = torch.empty_like(gates)
    d_gate_at = [d_gates[d].unbind() for d in range(len(recurrent))]
    d_input_at, d_forget_at, d_new_at, d_output_at = (g.unbind(1) for g in d_gates.chunk(4, dim=-1))
    input_at, forget_at, new_at, output_at = (g.unbind(1) for g in gates.chunk(4, dim=-1))
    cell_before = (c_0, *cells.unbind(1)[:-1])
    squashed_at = squashed_cells.unbind(1)
    d_hidden_at = None if d_hidden is None else d_hidden.unbind(1)
    d_h_of = d_h.unbind()
    work = torch.empty_like(d_h)
    for t in range(gates.shape[1] - 1, -1, -1):
        if d_hidden_at is not None:
            d_h += d_hidden_at[t]
        torch.mul(d_h, squashed_at[t], out=work)
        _sigmoid_backward(work, output_at[t], grad_input=d_output_at[t])
        torch.mul(d_h, output_at[t], out=work)
        d_c += _tanh_backward(work, squashed_at[t], grad_input=work)
        torch.mul(d_c, new_at[t], out=work)
        _sigmoid_backward(work, input_at[t], grad_input=d_input_at[t])
        torch.mul(d_c, cell_before[t], out=work)
        _sigmoid_backward(work, forget_at[t], grad_input=d_forget_at[t])
        torch.mul(d_c, input_at[t], out=work)
        _tanh_backward(work, new_at[t], grad_input=d_new_at[t])
        d_c *= forget_at[t]
        for d_gate, weight_hh, d_h_d in zip(d_gate_at, recurrent, d_h_of, strict=True):
            torch.mm(d_gate[t], weight_hh, out=d_h_d)
    return d_gates


def _by_direction(flat: Sequence[Tensor]) -> list[tuple[Tensor, ...]]:
    return [tuple(flat[start : start + 3]) for start in range(0, len(flat), 3)]


def _in_order(steps: Tensor, direction: int) -> Tensor:
    """A sequence [T, ...] in the order in which a direction walks it."""
    return steps.flip(0) if direction == 1 else steps


def _num_classes(weight_ih: Tensor, context: Tensor | None) -> int:
    return weight_ih.shape[1] - (0 if context is None else context.shape[1])


def _input_of(
    weight_ih: Tensor, bias: Tensor, context: Tensor | None
) -> tuple[Tensor, Tensor | None]:
    """The table of gate inputs by token [V + 1, 4H], and what every step adds to it [B, 4H]."""
    num_classes = _num_classes(weight_ih, context)
    table = token_table(weight_ih, num_classes)
    if context is None:
        return table.add_(bias), None
    return table, torch.addmm(bias, context, weight_ih[:, num_classes:].t())


def _tanh_(x: Tensor) -> Tensor:
    """tanh(x) = 2 * sigmoid(2x) - 1 in place, to an absolute error of one rounding.

    torch's sigmoid takes a third of the time of its tanh on a CPU.
    """
    return x.mul_(2).sigmoid_().mul_(2).sub_(1)
