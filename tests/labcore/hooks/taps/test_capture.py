"""``with tap(...)``: what was seen is what went through."""

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

from labcore.errors import UsageError
from labcore.hooks.taps import tap
from labcore.hooks.taps.leaves import iterate_leaves


@pytest.fixture
def model():
    return nn.Sequential(nn.Linear(3, 5), nn.ReLU(inplace=True), nn.Linear(5, 2))


def test_input_and_output_are_those_of_the_layer(model):
    x = torch.randn(4, 3)
    with tap(model, "2", "0") as seen:
        y = model(x)
    assert list(seen) == ["2", "0"]
    torch.testing.assert_close(seen["2"].output, y.detach())
    torch.testing.assert_close(seen["0"].input, x)
    torch.testing.assert_close(seen["0"].output, nn.functional.linear(x, *model[0].parameters()))
    assert not seen["2"].output.requires_grad


def test_a_later_layer_that_works_in_place_changes_nothing(model):
    with tap(model, "0") as seen:
        model(torch.randn(50, 3))
    assert (seen["0"].output < 0).any()


def test_gradients_equal_those_of_autograd(model):
    x = torch.randn(4, 3)
    hidden = model[1](model[0](x))
    output = model[2](hidden)
    expected = torch.autograd.grad(output.square().mean(), [output, hidden])
    with tap(model, "2", "1") as seen:
        model(x).square().mean().backward()
    torch.testing.assert_close(seen["2"].grad, expected[0])
    torch.testing.assert_close(seen["1"].grad, expected[1])


def test_gradients_come_even_when_backward_runs_after_the_block(model):
    with tap(model, "2") as seen:
        loss = model(torch.randn(4, 3)).sum()
    assert seen["2"].grad == {}
    loss.backward()
    torch.testing.assert_close(seen["2"].grad, torch.ones(4, 2))


def test_an_lstm_has_three_named_outputs_and_their_gradients():
    lstm = nn.LSTM(3, 5, batch_first=True)
    x = torch.randn(2, 7, 3)
    out, (h, c) = lstm(x)
    expected = torch.autograd.grad(out.sum() + (h * c).sum(), [out, h, c])
    with tap(lstm, ".") as seen:
        again, (h, c) = lstm(x)
        (again.sum() + (h * c).sum()).backward()
    assert list(seen["."].output) == ["0", "1.0", "1.1"]
    torch.testing.assert_close(seen["."].output["0"], out.detach())
    torch.testing.assert_close(seen["."].output["1.1"], c.detach())
    # Gradients by `out` and `h` are those that come from outside the layer.
    torch.testing.assert_close(seen["."].grad["0"], torch.ones_like(out))
    torch.testing.assert_close(seen["."].grad["1.0"], expected[1])
    torch.testing.assert_close(seen["."].grad["1.1"], expected[2])


def test_every_call_is_kept_with_its_own_gradient():
    layer = nn.Linear(2, 2)
    model = nn.Sequential(layer)
    with tap(model, "[0]") as seen:
        first, second = model(torch.ones(1, 2)), model(torch.zeros(1, 2))
        (first.sum() + 3 * second.sum()).backward()
    assert seen["0"].calls == 2
    torch.testing.assert_close(seen["0"].outputs[1], layer.bias.detach()[None])
    torch.testing.assert_close(seen["0"].grads[0], torch.ones(1, 2))
    torch.testing.assert_close(seen["0"].grad, torch.full((1, 2), 3.0))


def test_a_layer_is_found_by_the_path_as_it_was_asked_for(model):
    with tap(model, "[-1]") as seen:
        model(torch.randn(1, 3))
    assert seen["[-1]"] is seen["2"]
    assert len(seen) == 1


def test_only_the_kinds_asked_for_are_kept(model):
    with tap(model, "0", kinds=["output"]) as seen:
        model(torch.randn(1, 3)).sum().backward()
    assert len(seen["0"].outputs) == 1
    assert seen["0"].inputs == []
    assert seen["0"].grads == []


def test_hooks_are_removed_whatever_happens(model):
    with pytest.raises(RuntimeError), tap(model, "*"):
        model(torch.randn(1, 99))
    assert not any(layer._forward_hooks for layer in model.modules())


def test_wrong_paths_and_kinds_are_refused_before_anything_is_hooked(model):
    with pytest.raises(UsageError, match="no such layers"):
        tap(model, "0", "encoder")
    with pytest.raises(ValueError, match="no kind 'outputs'"):
        tap(model, "0", kinds=["outputs"])
    assert not any(layer._forward_hooks for layer in model.modules())


def test_packed_sequences_mappings_and_named_tuples_are_looked_into():
    from collections import namedtuple

    pair = namedtuple("pair", "left right")
    packed = pack_padded_sequence(torch.ones(2, 3, 1), torch.tensor([3, 1]), batch_first=True)
    value = {"a": [packed, None, "text"], "b": pair(torch.zeros(1), 5)}
    leaves = dict(iterate_leaves(value))
    assert {name: tuple(leaf.shape) for name, leaf in leaves.items()} == {
        "a.0.data": (4, 1),
        "b.left": (1,),
    }
