"""The layer's one autograd node against torch's own LSTM and against numerical gradients."""

import pytest
import torch

from plugins.musicvae.models.recurrence import lstm_layer, token_table

NUM_STEPS, NUM_ROWS, SIZE, NUM_CLASSES, CONTEXT = 5, 3, 4, 6, 2


@pytest.fixture
def weights():
    generator = torch.Generator().manual_seed(0)

    def make(*shape):
        tensor = torch.randn(*shape, generator=generator, dtype=torch.float64) * 0.5
        return tensor.requires_grad_()

    return make


@pytest.fixture
def layer_arguments(weights):
    def make(in_features):
        return (
            weights(4 * SIZE, in_features),
            weights(4 * SIZE, SIZE),
            weights(4 * SIZE),
            (weights(NUM_ROWS, SIZE), weights(NUM_ROWS, SIZE)),
        )

    return make


def torch_layer(features, w_ih, w_hh, bias, state, *, reverse):
    """The same layer by torch, fed features [T, B, I]."""
    if reverse:
        features = features.flip(0)
    hidden, h, c = torch.lstm(
        features,
        [part.unsqueeze(0) for part in state],
        [w_ih, w_hh, bias, torch.zeros_like(bias)],
        True,
        1,
        0.0,
        False,
        False,
        False,
    )
    return (hidden.flip(0) if reverse else hidden), h[0], c[0]


def weighted_sum(parts):
    """A scalar in which every number of the outputs counts differently."""
    flat = torch.cat([part.flatten() for part in parts])
    return (flat * torch.linspace(-1, 1, len(flat), dtype=flat.dtype)).sum()


@pytest.mark.parametrize("reverse", [False, True])
def test_features_give_torchs_outputs_and_gradients(weights, layer_arguments, reverse):
    features = weights(NUM_STEPS, NUM_ROWS, 3)
    w_ih, w_hh, bias, state = layer_arguments(3)
    leaves = [features, w_ih, w_hh, bias, *state]
    ours = lstm_layer(features, None, w_ih, w_hh, bias, state, reverse=reverse)
    theirs = torch_layer(features, w_ih, w_hh, bias, state, reverse=reverse)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-14)
    torch.testing.assert_close(
        torch.autograd.grad(weighted_sum(ours), leaves),
        torch.autograd.grad(weighted_sum(theirs), leaves),
        rtol=0,
        atol=1e-13,
    )


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("num_context", [0, CONTEXT])
def test_tokens_give_what_their_one_hot_vectors_give(
    weights, layer_arguments, reverse, num_context
):
    tokens = torch.tensor([[0, 5, 6], [3, 3, 3], [6, 2, 0], [1, 6, 4], [5, 5, 2]])
    one_hot = torch.eye(NUM_CLASSES + 1, NUM_CLASSES, dtype=torch.float64)[tokens]
    context = weights(NUM_ROWS, num_context) if num_context else None
    w_ih, w_hh, bias, state = layer_arguments(NUM_CLASSES + num_context)
    leaves = [w_ih, w_hh, bias, *state] + ([context] if num_context else [])
    features = one_hot
    if context is not None:
        features = torch.cat([one_hot, context.expand(NUM_STEPS, -1, -1)], dim=-1)
    ours = lstm_layer(tokens, context, w_ih, w_hh, bias, state, reverse=reverse)
    theirs = torch_layer(features, w_ih, w_hh, bias, state, reverse=reverse)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-14)
    torch.testing.assert_close(
        torch.autograd.grad(weighted_sum(ours), leaves),
        torch.autograd.grad(weighted_sum(theirs), leaves),
        rtol=0,
        atol=1e-13,
    )


@pytest.mark.parametrize("used", [[0], [1], [2], [1, 2]])
def test_gradients_are_numerically_right_when_only_some_outputs_are_used(
    weights, layer_arguments, used
):
    features = weights(3, 2, 2)
    w_ih, w_hh, bias = layer_arguments(2)[:3]
    h, c = weights(2, SIZE), weights(2, SIZE)

    def layer(features, w_ih, w_hh, bias, h, c):
        outputs = lstm_layer(features, None, w_ih, w_hh, bias, (h, c))
        return tuple(outputs[index] for index in used)

    assert torch.autograd.gradcheck(layer, (features, w_ih, w_hh, bias, h, c))


def test_a_graph_that_is_kept_can_be_run_backward_twice(weights, layer_arguments):
    features = weights(NUM_STEPS, NUM_ROWS, 3)
    w_ih, w_hh, bias, state = layer_arguments(3)
    total = weighted_sum(lstm_layer(features, None, w_ih, w_hh, bias, state))
    first = torch.autograd.grad(total, [w_ih, *state], retain_graph=True)
    second = torch.autograd.grad(total, [w_ih, *state])
    torch.testing.assert_close(first, second, rtol=0, atol=0)


def test_the_row_for_no_token_is_zero():
    weight = torch.randn(8, 5)
    table = token_table(weight, 3)
    assert torch.equal(table[:3], weight[:, :3].t())
    assert not table[3].any()
