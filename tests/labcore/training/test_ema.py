"""Averaged weights against a float64 reference, and swapping them in and out."""

import pytest
import torch
from torch import nn

from labcore.training.ema import WeightAverage


def step(model: nn.Module, generator: torch.Generator) -> None:
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.1 * torch.randn(parameter.shape, generator=generator).to(parameter)


@pytest.mark.parametrize("decay", [0.5, 0.99])
def test_the_average_follows_the_formula(decay: float) -> None:
    torch.manual_seed(0)
    model = nn.Linear(5, 3)
    average = WeightAverage(model, decay)
    reference = [p.detach().double().clone() for p in model.parameters()]
    generator = torch.Generator().manual_seed(0)
    for number in range(1, 201):
        step(model, generator)
        average.update()
        d = min(decay, number / (number + 9))
        for index, p in enumerate(model.parameters()):
            reference[index] = d * reference[index] + (1 - d) * p.detach().double()
    for ours, theirs in zip(average.weights().values(), reference, strict=True):
        torch.testing.assert_close(ours.double(), theirs, rtol=1e-5, atol=1e-6)


def test_half_precision_weights_are_averaged_in_float32() -> None:
    model = nn.Linear(4, 4).to(torch.bfloat16)
    average = WeightAverage(model, 0.999)
    with torch.no_grad():
        model.weight.fill_(1.0)
    for _ in range(3000):
        average.update()
    # Steps of 0.001 vanish in bfloat16, which has 8 bits.
    assert torch.allclose(average.weights()["weight"], torch.ones(4, 4), atol=0.1)
    with average.applied():
        assert model.weight.dtype == torch.bfloat16


def test_the_model_gets_its_own_bits_back_even_when_the_block_raises() -> None:
    model = nn.Linear(4, 4)
    average = WeightAverage(model, 0.9)
    step(model, torch.Generator().manual_seed(1))
    own = [p.detach().clone() for p in model.parameters()]
    places = [p.data_ptr() for p in model.parameters()]

    def fail_in_the_block() -> None:
        with average.applied():
            assert not torch.equal(model.weight, own[0])
            raise ValueError("oops")

    with pytest.raises(ValueError, match="oops"):
        fail_in_the_block()
    assert all(map(torch.equal, own, model.parameters()))
    assert [p.data_ptr() for p in model.parameters()] == places


def test_tied_weights_have_one_average_under_both_names() -> None:
    model = nn.ModuleDict({"embed": nn.Embedding(7, 4), "out": nn.Linear(4, 7, bias=False)})
    model["out"].weight = model["embed"].weight
    average = WeightAverage(model, 0.9)
    step(model, torch.Generator().manual_seed(2))
    average.update()
    weights = average.weights()
    assert set(weights) == {"embed.weight", "out.weight"}
    assert weights["embed.weight"] is weights["out.weight"]


def test_the_state_goes_on_where_it_was() -> None:
    model = nn.Linear(3, 3)
    one, generator = WeightAverage(model, 0.9), torch.Generator().manual_seed(3)
    for _ in range(4):
        step(model, generator)
        one.update()
    other = WeightAverage(nn.Linear(3, 3), 0.9)
    other.load_state_dict(one.state_dict())
    other._parameters = one._parameters
    for average in (one, other):
        average.update()
    assert torch.equal(one.weights()["weight"], other.weights()["weight"])
