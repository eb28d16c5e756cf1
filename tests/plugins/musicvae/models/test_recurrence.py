"""The token layer's autograd node against torch's own LSTM and against numerical gradients."""

import pytest
import torch

from plugins.musicvae.models.recurrence import token_layer, token_table

NUM_ROWS, SIZE, NUM_CLASSES = 3, 4, 6
TOKENS = torch.tensor([[0, 5, 6], [3, 3, 3], [6, 2, 0], [1, 6, 4], [5, 5, 2]])


@pytest.fixture
def random():
    """Makes leaves that want gradients."""
    generator = torch.Generator().manual_seed(0)

    def make(*shape):
        tensor = torch.randn(*shape, generator=generator, dtype=torch.float64) * 0.5
        return tensor.requires_grad_()

    return make


def make_arguments(random, num_directions, num_context):
    """Context, weights of each direction, and initial state."""
    context = random(NUM_ROWS, num_context) if num_context else None
    weights = [
        (random(4 * SIZE, NUM_CLASSES + num_context), random(4 * SIZE, SIZE), random(4 * SIZE))
        for _ in range(num_directions)
    ]
    shape = num_directions, NUM_ROWS, SIZE
    return context, weights, (random(*shape), random(*shape))


def torchs_layer(tokens, context, weights, state):
    """The same layer by torch, fed one-hot vectors."""
    features = torch.eye(NUM_CLASSES + 1, NUM_CLASSES, dtype=torch.float64)[tokens]
    if context is not None:
        features = torch.cat([features, context.expand(len(tokens), -1, -1)], dim=-1)
    flat = [w for w_ih, w_hh, bias in weights for w in (w_ih, w_hh, bias, torch.zeros_like(bias))]
    return torch.lstm(features, state, flat, True, 1, 0.0, False, len(weights) == 2, False)


def weighted_sum(parts):
    """A scalar in which every number of the outputs counts differently."""
    flat = torch.cat([part.flatten() for part in parts])
    return (flat * torch.linspace(-1, 1, len(flat), dtype=flat.dtype)).sum()


@pytest.mark.parametrize("num_directions", [1, 2])
@pytest.mark.parametrize("num_context", [0, 2])
def test_tokens_give_what_torch_gives_for_their_one_hot_vectors(
    random, num_directions, num_context
):
    context, weights, state = make_arguments(random, num_directions, num_context)
    leaves = [w for direction in weights for w in direction] + list(state)
    leaves += [] if context is None else [context]
    ours = token_layer(TOKENS, context, weights, state)
    theirs = torchs_layer(TOKENS, context, weights, state)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-14)
    torch.testing.assert_close(
        torch.autograd.grad(weighted_sum(ours), leaves),
        torch.autograd.grad(weighted_sum(theirs), leaves),
        rtol=0,
        atol=1e-13,
    )


@pytest.mark.parametrize("used", [[0], [1], [2], [1, 2]])
def test_gradients_are_numerically_right_when_only_some_outputs_are_used(random, used):
    context, weights, state = make_arguments(random, 2, 1)

    def layer(context, h, c, *flat):
        by_direction = [flat[:3], flat[3:]]
        outputs = token_layer(TOKENS[:3], context, by_direction, (h, c))
        return tuple(outputs[index] for index in used)

    flat = [w for direction in weights for w in direction]
    assert torch.autograd.gradcheck(layer, (context, *state, *flat))


def test_a_graph_that_is_kept_can_be_run_backward_twice(random):
    context, weights, state = make_arguments(random, 2, 2)
    total = weighted_sum(token_layer(TOKENS, context, weights, state))
    leaves = [context, *state, *weights[0]]
    first = torch.autograd.grad(total, leaves, retain_graph=True)
    second = torch.autograd.grad(total, leaves)
    torch.testing.assert_close(first, second, rtol=0, atol=0)


def test_the_row_for_no_token_is_zero():
    weight = torch.randn(8, 5)
    table = token_table(weight, 3)
    assert torch.equal(table[:3], weight[:, :3].t())
    assert not table[3].any()
