"""One LSTM layer over a whole sequence as a single autograd node, for CPUs.

T steps, B rows, H units, I input features, V token classes, C context features, 4H = the gates
in torch's order: input, forget, cell, output.

A one-hot token picks a column of the input weights and a context is the same at every step, so a
layer driven by tokens needs no input product at all: it gathers rows of a table. ``nn.LSTM``
multiplies them out at every step. The backward pass stores the gate gradients of all the steps and
makes one product for each weight.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

__all__ = ["lstm_layer", "token_table"]

_sigmoid_backward = torch.ops.aten.sigmoid_backward.grad_input
_tanh_backward = torch.ops.aten.tanh_backward.grad_input


def token_table(weight_ih: Tensor, num_classes: int) -> Tensor:
    """Rows of gate input by token [V + 1, 4H]; the last row is zero and stands for "no token"."""
    columns = weight_ih[:, :num_classes]
    return torch.cat([columns.t(), columns.new_zeros(1, columns.shape[0])])


def lstm_layer(
    source: Tensor,
    context: Tensor | None,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias: Tensor,
    state: tuple[Tensor, Tensor],
    *,
    reverse: bool = False,
) -> tuple[Tensor, Tensor, Tensor]:
    """Runs one direction of one LSTM layer.

    Args:
        source: Input features [T, B, I], or token indices [T, B] of an integer type, where the
            index V = ``weight_ih.shape[1] - C`` stands for an all-zero input.
        context: Features [B, C] added to the input of every step of a token source, or None.
        weight_ih: Input weights [4H, I], or [4H, V + C] for tokens.
        weight_hh: Recurrent weights [4H, H].
        bias: Sum of torch's two biases [4H].
        state: Initial hidden and cell state, [B, H] each.
        reverse: Reads the sequence from its end.

    Returns:
        Hidden states [T, B, H] in the order of the source, and the final hidden and cell state
        [B, H]; final is step 0 when ``reverse``.
    """
    return _Layer.apply(source, context, weight_ih, weight_hh, bias, *state, reverse)


class _Layer(Function):
    @staticmethod
    def forward(
        ctx: Any,
        source: Tensor,
        context: Tensor | None,
        weight_ih: Tensor,
        weight_hh: Tensor,
        bias: Tensor,
        h_0: Tensor,
        c_0: Tensor,
        reverse: bool,
    ) -> tuple[Tensor, Tensor, Tensor]:
        num_steps, num_rows = source.shape[:2]
        size = weight_hh.shape[1]
        by_token = not source.is_floating_point()
        if by_token:
            num_classes = weight_ih.shape[1] - (0 if context is None else context.shape[1])
            table = token_table(weight_ih, num_classes)
            if context is None:
                table += bias
                constant = None
            else:
                constant = torch.addmm(bias, context, weight_ih[:, num_classes:].t())
            gates = weight_hh.new_empty(num_steps, num_rows, 4 * size)
        else:
            gates = torch.addmm(bias, source.flatten(0, 1), weight_ih.t())
            gates = gates.view(num_steps, num_rows, 4 * size)

        cells = weight_hh.new_empty(num_steps, num_rows, size)
        squashed_cells = torch.empty_like(cells)  # their tanh
        hidden = torch.empty_like(cells)
        gate_at = gates.unbind()
        input_forget_at = gates[..., : 2 * size].unbind()
        input_at, forget_at, new_at, output_at = (g.unbind() for g in gates.chunk(4, dim=-1))
        cell_at, squashed_at, hidden_at = cells.unbind(), squashed_cells.unbind(), hidden.unbind()
        recurrent = weight_hh.t()

        h, c = h_0, c_0
        for t in _order(num_steps, reverse):
            gate = gate_at[t]
            if by_token:
                torch.index_select(table, 0, source[t], out=gate)
                if constant is not None:
                    gate += constant
            gate.addmm_(h, recurrent)
            input_forget_at[t].sigmoid_()
            _tanh_(new_at[t])
            output_at[t].sigmoid_()
            c = torch.mul(forget_at[t], c, out=cell_at[t]).addcmul_(input_at[t], new_at[t])
            squashed = _tanh_(squashed_at[t].copy_(c))
            h = torch.mul(output_at[t], squashed, out=hidden_at[t])

        ctx.save_for_backward(
            source, context, weight_ih, weight_hh, h_0, c_0, gates, cells, squashed_cells, hidden
        )
        ctx.reverse = reverse
        ctx.by_token = by_token
        ctx.set_materialize_grads(False)
        return hidden, h.clone(), c.clone()

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, d_hidden: Tensor | None, d_h: Tensor | None, d_c: Tensor | None
    ) -> tuple[Tensor | None, ...]:
        (source, context, weight_ih, weight_hh, h_0, c_0, gates, cells, squashed, hidden) = (
            ctx.saved_tensors
        )
        num_steps = len(hidden)
        order = list(_order(num_steps, ctx.reverse))
        d_gates = torch.empty_like(gates)
        d_gate_at = d_gates.unbind()
        d_input_at, d_forget_at, d_new_at, d_output_at = (
            g.unbind() for g in d_gates.chunk(4, dim=-1)
        )
        input_at, forget_at, new_at, output_at = (g.unbind() for g in gates.chunk(4, dim=-1))
        cell_at, squashed_at = cells.unbind(), squashed.unbind()
        d_hidden_at = None if d_hidden is None else d_hidden.unbind()

        d_h = torch.zeros_like(h_0) if d_h is None else d_h.clone()
        d_c = torch.zeros_like(c_0) if d_c is None else d_c.clone()
        work = torch.empty_like(d_h)
        for place in range(num_steps - 1, -1, -1):
            t = order[place]
            c_before = cell_at[order[place - 1]] if place else c_0
            if d_hidden_at is not None:
                d_h += d_hidden_at[t]
            torch.mul(d_h, squashed_at[t], out=work)
            _sigmoid_backward(work, output_at[t], grad_input=d_output_at[t])
            torch.mul(d_h, output_at[t], out=work)
            d_c += _tanh_backward(work, squashed_at[t], grad_input=work)
            torch.mul(d_c, new_at[t], out=work)
            _sigmoid_backward(work, input_at[t], grad_input=d_input_at[t])
            torch.mul(d_c, c_before, out=work)
            _sigmoid_backward(work, forget_at[t], grad_input=d_forget_at[t])
            torch.mul(d_c, input_at[t], out=work)
            _tanh_backward(work, new_at[t], grad_input=d_new_at[t])
            d_c *= forget_at[t]
            torch.mm(d_gate_at[t], weight_hh, out=d_h)

        flat = d_gates.flatten(0, 1)
        d_source = d_context = None
        if ctx.by_token:
            num_classes = weight_ih.shape[1] - (0 if context is None else context.shape[1])
            d_weight_ih = torch.empty_like(weight_ih)
            d_weight_ih[:, :num_classes] = _sum_by_token(flat, source.flatten(), num_classes).t()
            d_rows = d_gates.sum(dim=0)
            d_bias = d_rows.sum(dim=0)
            if context is not None:
                d_weight_ih[:, num_classes:] = d_rows.t() @ context
                d_context = d_rows @ weight_ih[:, num_classes:]
        else:
            d_weight_ih = flat.t() @ source.flatten(0, 1)
            d_bias = flat.sum(dim=0)
            if ctx.needs_input_grad[0]:
                d_source = (flat @ weight_ih).view_as(source)
        if ctx.reverse:
            d_weight_hh = d_gates[:-1].flatten(0, 1).t() @ hidden[1:].flatten(0, 1)
            d_weight_hh.addmm_(d_gates[-1].t(), h_0)
        else:
            d_weight_hh = d_gates[1:].flatten(0, 1).t() @ hidden[:-1].flatten(0, 1)
            d_weight_hh.addmm_(d_gates[0].t(), h_0)
        return d_source, d_context, d_weight_ih, d_weight_hh, d_bias, d_h, d_c, None


def _tanh_(x: Tensor) -> Tensor:
    """tanh(x) = 2 * sigmoid(2x) - 1 in place, to an absolute error of one rounding.

    torch's sigmoid takes a third of the time of its tanh on a CPU.
    """
    return x.mul_(2).sigmoid_().mul_(2).sub_(1)


def _order(num_steps: int, reverse: bool) -> range:
    return range(num_steps - 1, -1, -1) if reverse else range(num_steps)


def _sum_by_token(rows: Tensor, tokens: Tensor, num_classes: int) -> Tensor:
    """Sums the rows [N, K] of each class [V, K]; the class V, "no token", is left out."""
    sums = rows.new_zeros(num_classes + 1, rows.shape[1])
    return sums.index_add_(0, tokens, rows)[:num_classes]
