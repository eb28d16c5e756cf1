"""Accumulation, clipping, dropped steps, precision: against plain torch."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins import MixedPrecision
from torch import nn
from torch.nn import functional as F

from labcore.training import TensorBatches, fit, fitting

NewRun = Callable[..., Any]


def linear() -> nn.Module:
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 1))


def train(
    toy: ModuleType, run: Any, *, batch_size: int, step: Any = None, lr: float = 0.05, **more: Any
) -> nn.Module:
    model, data = linear(), toy.Noisy(48)
    fit(
        run,
        model=model,
        optimizer=torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9, **more),
        data=TensorBatches(data.x, data.y, batch_size=batch_size, seed=0),
        training_step=step or toy.regression_step,
    )
    return model


def plain_steps(toy: ModuleType, num_steps: int, clip: float | None = None) -> nn.Module:
    """A loop of a few lines on the same batches."""
    model, data = linear(), toy.Noisy(48)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    source = TensorBatches(data.x, data.y, batch_size=12, seed=0)
    batches = [batch for epoch in range(3) for batch in source.batches(epoch)]
    for x, y in batches[:num_steps]:
        optimizer.zero_grad()
        F.mse_loss(model(x), y).backward()
        if clip is not None:
            norm = torch.stack([p.grad.double().norm() for p in model.parameters()]).norm()
            for p in model.parameters():
                p.grad *= min(1.0, clip / float(norm))
        optimizer.step()
    return model


def assert_close(one: nn.Module, other: nn.Module, tolerance: float = 1e-6) -> None:
    for left, right in zip(one.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(left, right, rtol=tolerance, atol=tolerance)


def test_the_loop_takes_the_same_steps_as_plain_torch(toy: ModuleType, new_run: NewRun) -> None:
    model = train(toy, new_run(max_steps=9), batch_size=12)
    assert all(map(torch.equal, model.parameters(), plain_steps(toy, 9).parameters()))


def test_clipping_scales_the_gradient_to_the_norm(toy: ModuleType, new_run: NewRun) -> None:
    run = new_run(max_steps=9, clip_norm=0.1, log_every=1)
    model = train(toy, run, batch_size=12)
    assert_close(model, plain_steps(toy, 9, clip=0.1), 1e-5)
    assert all(values["grad_norm"] > 0.1 for _, values in run.recorder.of("train"))


def test_accumulated_small_batches_equal_one_large_batch(toy: ModuleType, new_run: NewRun) -> None:
    small = train(toy, new_run("small", max_steps=8, accumulate=3), batch_size=4)
    large = train(toy, new_run("large", max_steps=8), batch_size=12)
    assert_close(small, large)


def test_a_step_with_a_larger_gradient_than_allowed_is_dropped_and_counted(
    toy: ModuleType, new_run: NewRun
) -> None:
    weights: list[torch.Tensor] = []

    class Spoiler:
        @toy.hookimpl
        def backward_ended(self, loop: Any) -> None:
            weight = next(loop.model.parameters())
            weights.append(weight.detach().clone())
            weight.grad *= {2: 1e6, 4: float("nan")}.get(loop.step, 1.0)

    run = new_run(max_steps=6, skip_norm=1e3, log_every=6, ema=0.5)
    run.hooks.register("spoiler", Spoiler())
    train(toy, run, batch_size=12)
    changed = [not torch.equal(weights[i], weights[i + 1]) for i in range(5)]
    assert changed == [True, True, False, True, False]
    assert run.recorder.of("train")[0][1]["dropped_steps"] == 2.0


@pytest.mark.parametrize("precision", ["bf16-mixed", "16-mixed", "bf16-true", "64-true"])
def test_every_precision_trains(toy: ModuleType, new_run: NewRun, precision: str) -> None:
    run = new_run(
        max_steps=12, precision=precision, clip_norm=1.0, log_every=3, ema=0.9, accumulate=2
    )

    def step(model: nn.Module, batch: Any, loop: Any) -> Any:
        x, y = batch
        return {"loss": F.mse_loss(model(x).float(), y)}

    train(toy, run, batch_size=12, step=step)
    losses = [values["loss"] for _, values in run.recorder.of("train")]
    assert losses[-1] < losses[0]
    warnings = [text for level, text in run.recorder.messages if level == "warning"]
    assert bool(warnings) == (precision == "16-mixed")


@pytest.fixture
def half_precision_on_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fabric with the gradient scaler of a GPU, which torch also has for the CPU."""

    def launch(run: Any, config: Any) -> Fabric:
        return Fabric(accelerator="cpu", plugins=[MixedPrecision("16-mixed", device="cpu")])

    monkeypatch.setattr(fitting, "launch", launch)


@pytest.mark.usefixtures("half_precision_on_cpu")
@pytest.mark.parametrize("fused", [False, True])
def test_half_precision_resumes_with_its_gradient_scale(
    toy: ModuleType, new_run: NewRun, fused: bool
) -> None:
    options = {"precision": "16-mixed", "clip_norm": 1.0, "log_every": 1}
    whole = new_run("whole", max_steps=8, **options)
    expected = train(toy, whole, batch_size=12, fused=fused)
    train(toy, new_run("parts", max_steps=4, **options), batch_size=12, fused=fused)
    rest = new_run("parts", max_steps=8, **options)
    model = train(toy, rest, batch_size=12, fused=fused)
    assert all(map(torch.equal, model.parameters(), expected.parameters()))
    assert rest.recorder.of("train") == whole.recorder.of("train")[4:]
    state = torch.load(rest.checkpoints / "step-00000008.pt", weights_only=True)
    assert state["precision"]["scale"] > 0


@pytest.mark.usefixtures("half_precision_on_cpu")
def test_half_precision_gets_over_an_overflowing_gradient(toy: ModuleType, new_run: NewRun) -> None:
    scales: list[float] = []

    class Spoiler:
        @toy.hookimpl
        def backward_ended(self, loop: Any) -> None:
            scales.append(loop.fabric.strategy.precision.scaler.get_scale())
            if loop.step == 2:
                next(loop.model.parameters()).grad.fill_(float("inf"))

    run = new_run(max_steps=6, precision="16-mixed", clip_norm=1.0)
    run.hooks.register("spoiler", Spoiler())
    model = train(toy, run, batch_size=12)
    assert all(bool(p.isfinite().all()) for p in model.parameters())
    assert scales[3] == scales[2] / 2
