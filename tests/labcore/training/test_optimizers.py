"""Optimisers of a recipe: the rule of each, and which parameters get which settings."""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from labcore import Plugin, Task
from labcore.config import compose
from labcore.discovery import FoundPlugin
from labcore.errors import Interrupted, UsageError
from labcore.training import ScheduleConfig, TensorBatches, fit
from labcore.training.optimizers import RMSpropTF, build_optimizer
from labcore.training.recipes import OptimizerConfig, OptimizerName, ScheduleName


class Depth(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
        self.decoder = nn.Linear(4, 1)


def settings(model: nn.Module, config: OptimizerConfig) -> dict[str, tuple[float, float]]:
    """Learning rate and weight decay of each parameter that the optimiser has."""
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    return {
        names[id(parameter)]: (group["lr"], group["weight_decay"])
        for group in build_optimizer(model, config).param_groups
        for parameter in group["params"]
    }


def test_patterns_set_what_they_say_and_the_later_one_counts() -> None:
    groups = {
        "encoder.*": {"lr_scale": 0.1, "weight_decay": 0.3},
        "*.bias": {"weight_decay": 0.0},
    }
    assert settings(Depth(), OptimizerConfig(lr=0.01, weight_decay=0.2, groups=groups)) == {
        "encoder.0.weight": (0.001, 0.3),
        "encoder.0.bias": (0.001, 0.0),
        "encoder.1.weight": (0.001, 0.3),
        "encoder.1.bias": (0.001, 0.0),
        "decoder.weight": (0.01, 0.2),
        "decoder.bias": (0.01, 0.0),
    }


def test_biases_and_norms_go_without_weight_decay_by_one_option() -> None:
    found = settings(Depth(), OptimizerConfig(weight_decay=0.2, decay_all=False))
    assert {name for name, (_, decay) in found.items() if decay} == {
        "encoder.0.weight",
        "decoder.weight",
    }
    norm = {"encoder.1.weight": {"weight_decay": 0.1}}
    found = settings(Depth(), OptimizerConfig(weight_decay=0.2, decay_all=False, groups=norm))
    assert found["encoder.1.weight"][1] == 0.1


def test_the_recorded_learning_rate_is_the_one_that_was_asked_for() -> None:
    config = OptimizerConfig(lr=0.5, groups={"encoder.*": {"lr_scale": 0.1}})
    assert build_optimizer(Depth(), config).param_groups[0]["lr"] == 0.5


def test_a_pattern_that_matches_nothing_names_the_nearest_parameters() -> None:
    config = OptimizerConfig(groups={"encodr.0.*": {"lr_scale": 0.1}, "*": {}})
    with pytest.raises(UsageError) as caught:
        build_optimizer(Depth(), config)
    (problem,) = caught.value.problems
    assert problem.startswith("'encodr.0.*' matches none; the nearest are encoder.0.")


def test_frozen_parameters_are_left_out_and_tied_ones_have_both_names() -> None:
    model = Depth()
    model.encoder.requires_grad_(False)
    model.tied = model.decoder
    tied = {"tied.weight": {"lr_scale": 0.5}, "encoder.*": {"lr_scale": 0.1}}
    assert settings(model, OptimizerConfig(lr=1.0, groups=tied)) == {
        "decoder.weight": (0.5, 0.0),
        "decoder.bias": (1.0, 0.0),
    }
    model.requires_grad_(False)
    with pytest.raises(UsageError, match="no parameter to train"):
        build_optimizer(model, OptimizerConfig())


OPTIONS = {"lr": 0.05, "weight_decay": 0.1}
SAME = [
    (OptimizerName.adam, {"eps": 1e-3}, lambda p: torch.optim.Adam(p, eps=1e-3, **OPTIONS)),
    (
        OptimizerName.adamw,
        {"betas": [0.5, 0.9]},
        lambda p: torch.optim.AdamW(p, betas=(0.5, 0.9), **OPTIONS),
    ),
    (
        OptimizerName.sgd,
        {"momentum": 0.9, "nesterov": True},
        lambda p: torch.optim.SGD(p, momentum=0.9, nesterov=True, **OPTIONS),
    ),
    (
        OptimizerName.rmsprop,
        {"momentum": 0.9, "alpha": 0.9, "eps": 0.1},
        lambda p: torch.optim.RMSprop(p, momentum=0.9, alpha=0.9, eps=0.1, **OPTIONS),
    ),
]


@pytest.mark.parametrize(("name", "more", "make"), SAME, ids=[each[0].name for each in SAME])
def test_the_steps_are_those_of_torch(name: OptimizerName, more: dict, make: object) -> None:
    torch.manual_seed(0)
    ours = nn.Linear(5, 3)
    theirs = copy.deepcopy(ours)
    optimizers = (
        build_optimizer(ours, OptimizerConfig(name=name, **OPTIONS, **more)),
        make(theirs.parameters()),
    )
    for step in range(5):
        x = torch.randn(7, 5, generator=torch.Generator().manual_seed(step))
        for model, optimizer in zip((ours, theirs), optimizers, strict=True):
            optimizer.zero_grad()
            model(x).square().mean().backward()
            optimizer.step()
    torch.testing.assert_close(ours.weight, theirs.weight, rtol=1e-5, atol=1e-7)
    torch.testing.assert_close(ours.bias, theirs.bias, rtol=1e-5, atol=1e-7)


def test_rmsprop_tf_is_the_formula_of_tensorflow() -> None:
    numbers = np.random.default_rng(0)
    weight = numbers.normal(size=6)
    gradients = numbers.normal(size=(8, 6))
    parameter = nn.Parameter(torch.tensor(weight, dtype=torch.float64))
    optimizer = RMSpropTF(
        [parameter], lr=0.045, alpha=0.9, momentum=0.9, eps=1.0, weight_decay=4e-5
    )
    square, velocity = np.ones(6), np.zeros(6)
    for step, gradient in enumerate(gradients):
        rate = 0.045 * 0.98**step
        optimizer.param_groups[0]["lr"] = rate
        parameter.grad = torch.tensor(gradient)
        optimizer.step()
        whole = gradient + 4e-5 * weight
        square = 0.9 * square + 0.1 * whole**2
        velocity = 0.9 * velocity + rate * whole / np.sqrt(square + 1.0)
        weight = weight - velocity
    np.testing.assert_allclose(parameter.detach().numpy(), weight, rtol=1e-12)


def test_rmsprop_tf_skips_parameters_without_gradient_and_calls_a_closure() -> None:
    used, unused = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(2))
    optimizer = RMSpropTF([used, unused], lr=0.1)

    def closure() -> torch.Tensor:
        loss = used.sum()
        loss.backward()
        return loss

    assert optimizer.step(closure) == 2.0
    assert (used < 1).all()
    assert (unused == 1).all()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"lr": 0.0}, "optimizer.lr"),
        ({"betas": [0.9]}, "two numbers"),
        ({"betas": [0.9, 1.0]}, r"optimizer.betas\[1\]"),
        ({"weight_decay": -1.0}, "optimizer.weight_decay"),
        ({"eps": -1.0}, "optimizer.eps"),
        ({"momentum": 1.0}, "optimizer.momentum"),
        ({"groups": {"a.*": {"lr_scal": 1.0}}}, "'lr_scal' .* did you mean lr_scale"),
        ({"groups": {"a.*": {"lr_scale": -1.0}}}, "lr_scale of 'a.*' is -1.0"),
        ({"groups": {"a.*": {"weight_decay": "no"}}}, "weight_decay of 'a.*' is 'no'"),
        ({"nesterov": True}, "optimizer.nesterov needs optimizer.momentum"),
    ],
)
def test_an_impossible_option_is_named(options: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        OptimizerConfig(**options)


@pytest.mark.parametrize("name", OptimizerName, ids=lambda name: name.name)
def test_a_recipe_goes_on_exactly_where_it_stopped(
    toy: ModuleType, new_run: Callable[..., Any], name: OptimizerName
) -> None:
    groups = {"0.*": {"lr_scale": 0.1}, "*.bias": {"weight_decay": 0.0}}
    config = OptimizerConfig(name=name, momentum=0.5, weight_decay=0.1, groups=groups)

    def train(folder: str, stop_at: int = -1) -> nn.Module:
        run, model, data = new_run(folder, max_steps=12), toy.make_model(), toy.Noisy()

        def step(model: nn.Module, batch: Any, loop: Any) -> Any:
            if loop.step == stop_at:
                run.stop.number = 15
            return toy.noisy_step(model, batch, loop)

        fit(
            run,
            model=model,
            optimizer=build_optimizer(model, config),
            data=TensorBatches(data.x, data.y, batch_size=11, seed=0),
            training_step=step,
            scheduler=ScheduleConfig(name=ScheduleName.cosine, warmup_steps=3),
        )
        return model

    whole = train("whole")
    with pytest.raises(Interrupted):
        train("parts", stop_at=6)
    for ours, theirs in zip(train("parts").parameters(), whole.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_groups_are_typed_on_the_command_line_with_whole_numbers_too() -> None:
    @dataclass
    class Config:
        """Options."""

        optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)

    task = Task(name="train", summary="train", run="toy:train")
    toy = Plugin(name="toy", summary="toy", tasks=(task,), config=Config)
    typed = 'optimizer.groups={"encoder.*": {lr_scale: 0.1}, "*.bias": {weight_decay: 0}}'
    composed = compose(FoundPlugin(name="toy", origin="", plugin=toy), [typed])
    found = settings(Depth(), composed.config.optimizer)
    assert found["encoder.0.bias"] == (pytest.approx(1e-4), 0.0)
