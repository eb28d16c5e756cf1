"""What the loop does and when: moments, records, validation, reasons to stop."""

import functools
import os
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import nn

from labcore.errors import Interrupted, RunFailed, UsageError
from labcore.record.checkpoints import CheckpointStore
from labcore.training import FitResult, TensorBatches, fit, load_weights
from labcore.training import base_loop as loop_module

NewRun = Callable[..., Any]


def train(
    toy: ModuleType, run: Any, *, validate: Any = None, model: nn.Module | None = None, **more: Any
) -> FitResult:
    model = model or toy.make_model()
    data = toy.Noisy()
    return fit(
        run,
        model=model,
        optimizer=torch.optim.SGD(model.parameters(), lr=0.05),
        data=TensorBatches(data.x, data.y, batch_size=11, seed=0),
        training_step=more.pop("training_step", toy.regression_step),
        validate=validate,
        **more,
    )


def scripted(values: list[float]) -> Callable[[Any, Any], dict[str, float]]:
    """A validation that gives one value after another."""
    remaining = iter(values)
    return lambda model, loop: {"loss": next(remaining)}


def test_moments_come_in_the_documented_order(toy: ModuleType, new_run: NewRun) -> None:
    run = new_run(max_steps=4, validate_every=4)
    train(toy, run, validate=scripted([1.0]))
    step = ["step_started", "backward_ended", "step_ended"]
    assert [name for name, _ in run.recorder.moments] == [
        "fit_started",
        "epoch_started",
        *step * 4,
        "epoch_ended",
        "validation_started",
        "validation_ended",
        "checkpoint_saved",
        "fit_ended",
    ]
    assert [at for name, at in run.recorder.moments if name == "step_started"] == [0, 1, 2, 3]
    assert [at for name, at in run.recorder.moments if name == "step_ended"] == [1, 2, 3, 4]


def test_training_records_are_means_over_the_steps_since_the_last(
    toy: ModuleType, new_run: NewRun
) -> None:
    losses: list[float] = []

    def step(model: nn.Module, batch: Any, loop: Any) -> Any:
        values = toy.regression_step(model, batch, loop)
        losses.append(values["loss"].item())
        return values

    run = new_run(max_steps=6, log_every=3)
    train(toy, run, training_step=step)
    (first, one), (second, two) = run.recorder.of("train")
    assert (first, second) == (3, 6)
    assert one["loss"] == pytest.approx(sum(losses[:3]) / 3)
    assert two["loss"] == pytest.approx(sum(losses[3:]) / 3)
    assert one["lr"] == 0.05
    assert set(one) == {"loss", "target", "lr"}


def test_the_learning_rate_recorded_is_the_one_that_the_step_used(
    toy: ModuleType, new_run: NewRun
) -> None:
    model = toy.make_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    run = new_run(max_steps=3, log_every=1)
    fit(
        run,
        model=model,
        optimizer=optimizer,
        data=TensorBatches(toy.Noisy().x, toy.Noisy().y, batch_size=11, seed=0),
        training_step=toy.regression_step,
        scheduler=torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.1),
    )
    rates = [values["lr"] for _, values in run.recorder.of("train")]
    assert rates == pytest.approx([1.0, 0.1, 0.01])


def test_validation_comes_at_its_cadence_and_always_at_the_end(
    toy: ModuleType, new_run: NewRun
) -> None:
    run = new_run(max_steps=7, validate_every=3)
    result = train(toy, run, validate=scripted([3.0, 1.0, 2.0]))
    assert run.recorder.of("val") == [(3, {"loss": 3.0}), (6, {"loss": 1.0}), (7, {"loss": 2.0})]
    assert result.reason == "max_steps"
    assert result.metrics == {"loss": 2.0}
    assert (result.best_value, result.best_step) == (1.0, 6)
    assert result.checkpoint == run.checkpoints / "step-00000006.pt"


def test_validate_every_zero_validates_only_at_the_end(toy: ModuleType, new_run: NewRun) -> None:
    run = new_run(max_steps=7, validate_every=0)
    train(toy, run, validate=scripted([3.0]))
    assert [step for step, _ in run.recorder.of("val")] == [7]


def test_how_often_a_run_validates_does_not_change_what_it_learns(
    toy: ModuleType, new_run: NewRun
) -> None:
    weights = []
    for name, every in (("rare", 12), ("often", 1)):
        model = toy.make_model()
        run = new_run(name, max_steps=12, validate_every=every, ema=0.9)
        train(
            toy,
            run,
            model=model,
            validate=toy.noisy_validation,
            training_step=toy.noisy_step,
        )
        weights.append({k: v.clone() for k, v in model.state_dict().items()})
    rare, often = weights
    assert all(torch.equal(rare[name], often[name]) for name in rare)


def test_validation_sees_eval_mode_and_every_layer_gets_its_mode_back(
    toy: ModuleType, new_run: NewRun
) -> None:
    model = toy.make_model()
    seen: list[bool] = []

    def validate(model: nn.Module, loop: Any) -> dict[str, float]:
        seen.append(model.training or torch.is_grad_enabled())
        model[3].train()  # a validation that leaves things in disorder
        return {"loss": 1.0}

    def step(model: nn.Module, batch: Any, loop: Any) -> Any:
        assert model.training
        assert loop.model[3].training
        loop.model[1].eval()  # a layer that the plugin has frozen
        return toy.regression_step(model, batch, loop)

    run = new_run(max_steps=4, validate_every=2)
    train(toy, run, model=model, validate=validate, training_step=step)
    assert seen == [False, False]
    assert [module.training for module in model] == [True, False, True, True, True]


def test_training_goes_on_with_its_own_weights_when_validation_raises(
    toy: ModuleType, new_run: NewRun
) -> None:
    model = toy.make_model()
    before: list[torch.Tensor] = []

    def validate(model: nn.Module, loop: Any) -> dict[str, float]:
        raise ValueError("no")

    run = new_run(max_steps=4, ema=0.5)

    class Copy:
        @toy.hookimpl
        def step_ended(self, loop: Any) -> None:
            before[:] = [p.detach().clone() for p in loop.model.parameters()]

    run.hooks.register("copy", Copy())
    with pytest.raises(ValueError, match="no"):
        train(toy, run, model=model, validate=validate)
    assert all(map(torch.equal, before, model.parameters()))
    assert run.recorder.reason == "error"


def test_early_stop_waits_for_patience(toy: ModuleType, new_run: NewRun) -> None:
    run = new_run(max_steps=100, validate_every=2, patience=2)
    result = train(toy, run, validate=scripted([3.0, 1.0, 2.0, 1.5, 9.0]))
    assert result.reason == run.recorder.reason == "early_stop"
    assert result.step == 8
    assert result.best_step == 4
    assert len(run.recorder.of("val")) == 4


def test_a_run_that_has_ended_does_nothing_more_when_resumed(
    toy: ModuleType, new_run: NewRun
) -> None:
    options = {"max_steps": 100, "validate_every": 2, "patience": 1}
    first = train(toy, new_run(**options), validate=scripted([1.0, 2.0]))
    run = new_run(**options)
    assert train(toy, run, validate=scripted([])) == first
    assert not run.recorder.records


def test_a_finished_run_goes_on_when_it_may_take_more_steps(
    toy: ModuleType, new_run: NewRun
) -> None:
    train(toy, new_run(max_steps=5))
    run = new_run(max_steps=9)
    assert train(toy, run).step == 9
    assert ("checkpoint_loaded", 5) in run.recorder.moments
    assert run.recorder.moments[0] == ("fit_started", 5)


def test_a_training_that_was_over_when_it_was_killed_still_says_its_last_step(
    toy: ModuleType, new_run: NewRun
) -> None:
    first, second = new_run(max_steps=5), new_run(max_steps=5)
    for run in (first, second):
        train(toy, run, validate=None)
        assert run.status.step == 5  # what is measured after training is recorded there
    assert second.recorder.of("train") == []


class Killed(BaseException):
    """Stands for SIGKILL: nothing of the training runs after it."""


@pytest.mark.parametrize(("moment", "step"), [("mark_best", 4), ("prune", 12)])
def test_what_a_kill_left_undone_after_a_checkpoint_is_done_when_training_goes_on(
    toy: ModuleType, new_run: NewRun, monkeypatch: pytest.MonkeyPatch, moment: str, step: int
) -> None:
    options = {"max_steps": 12, "validate_every": 4, "checkpoint_every": 2, "keep_last": 1}

    def killed(*_: Any, **__: Any) -> None:
        raise Killed

    def worse_and_worse(model: nn.Module, loop: Any) -> dict[str, float]:
        if loop.step == step and not run.resuming:
            monkeypatch.setattr(CheckpointStore, moment, killed)
        return {"loss": float(loop.step)}

    run = new_run(**options)
    with pytest.raises(Killed):
        train(toy, run, validate=worse_and_worse)
    monkeypatch.undo()
    run = new_run(**options)
    result = train(toy, run, validate=worse_and_worse)
    assert result.checkpoint == run.checkpoints / "step-00000004.pt"
    kept = sorted(path.name for path in run.checkpoints.glob("*.pt"))
    assert kept == ["step-00000004.pt", "step-00000012.pt"]


def test_max_time_counts_the_time_of_earlier_processes(
    toy: ModuleType, new_run: NewRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = {"s": 1000.0}
    monkeypatch.setattr(loop_module, "monotonic", lambda: clock["s"])

    def step(model: nn.Module, batch: Any, loop: Any) -> Any:
        clock["s"] += 10.0
        if loop.step == 3 and not run.resuming:
            run.stop.number = 15
        return toy.regression_step(model, batch, loop)

    run = new_run(max_time="95s")
    with pytest.raises(Interrupted):
        train(toy, run, training_step=step)
    clock["s"] += 5000.0  # the time between two processes does not count
    run = new_run(max_time="95s")
    result = train(toy, run, training_step=step)
    assert (result.step, result.reason) == (10, "max_time")


def test_max_epochs_ends_with_the_last_batch_of_the_last_epoch_also_after_a_resume(
    toy: ModuleType, new_run: NewRun
) -> None:
    def step(model: nn.Module, batch: Any, loop: Any) -> Any:
        if loop.step == 5 and not run.resuming:
            run.stop.number = 15
        return toy.regression_step(model, batch, loop)

    options = {"max_steps": 0, "max_epochs": 3, "validate_every": 0}
    run = new_run(**options)
    with pytest.raises(Interrupted):
        train(toy, run, training_step=step)
    run = new_run(**options)
    result = train(toy, run, training_step=step, validate=scripted([1.0]))
    assert (result.step, result.reason) == (12, "max_epochs")  # 44 rows are 4 batches of 11
    assert result.metrics == {"loss": 1.0}
    assert [at for name, at in run.recorder.moments if name == "epoch_ended"] == [8, 12]
    assert run.status.total_steps == 12
    assert train(toy, new_run(**options)) == result


def test_max_steps_may_come_before_max_epochs(toy: ModuleType, new_run: NewRun) -> None:
    result = train(toy, new_run(max_steps=7, max_epochs=3))
    assert (result.step, result.reason) == (7, "max_steps")


def test_a_missing_monitored_metric_names_those_that_there_are(
    toy: ModuleType, new_run: NewRun
) -> None:
    run = new_run(max_steps=2, monitor="acuracy")
    with pytest.raises(UsageError, match=r"no metric 'acuracy'.*accuracy") as caught:
        train(toy, run, validate=lambda model, loop: {"accuracy": 1.0, "loss": 0.0})
    assert caught.value.fix == "choose one of them: train.monitor=accuracy"


def test_a_training_step_must_return_a_scalar_loss(toy: ModuleType, new_run: NewRun) -> None:
    with pytest.raises(TypeError, match="scalar"):
        train(toy, new_run(), training_step=lambda m, b, loop: {"loss": b[0]})


def test_a_source_that_ends_early_is_named_as_the_culprit(toy: ModuleType, new_run: NewRun) -> None:
    class Short:
        def __len__(self) -> int:
            return 3

        def batches(self, epoch: int, start: int) -> Any:
            data = toy.Noisy()
            yield data.x, data.y

    model = toy.make_model()
    with pytest.raises(RunFailed, match="after 1 of 3 batches in epoch 0"):
        fit(
            new_run(),
            model=model,
            optimizer=torch.optim.SGD(model.parameters()),
            data=Short(),
            training_step=toy.regression_step,
        )


def test_a_second_training_in_one_run_needs_a_name(toy: ModuleType, new_run: NewRun) -> None:
    run = new_run(max_steps=2)
    train(toy, run)
    with pytest.raises(RunFailed, match="another training"):
        train(toy, run)
    train(toy, run, name="student")
    assert load_weights(run.checkpoints / "student") is not None
    assert (run.folder / "weights" / "student.safetensors").exists()


def test_the_weights_left_behind_are_the_averaged_ones_of_the_best_step(
    toy: ModuleType, new_run: NewRun
) -> None:
    from safetensors.torch import load_file

    averaged: dict[int, dict[str, torch.Tensor]] = {}

    def validate(model: nn.Module, loop: Any) -> dict[str, float]:
        averaged[loop.step] = {name: p.detach().clone() for name, p in model.named_parameters()}
        return {"loss": abs(loop.step - 4.0)}

    run = new_run(max_steps=8, validate_every=2, keep_last=1, ema=0.8)
    train(toy, run, validate=validate)
    loaded = load_weights(run.checkpoints)
    assert loaded is not None
    exported = load_file(run.folder / "weights" / "model.safetensors")
    for name, value in averaged[4].items():
        assert torch.equal(loaded[name], value)
        assert torch.equal(exported[name], value)
    assert set(exported) == set(loaded) == set(toy.make_model().state_dict())
    assert [artifact.kind for artifact in run.artifacts()] == ["model"]


def test_a_schedule_that_watches_the_plateau_follows_validation(
    toy: ModuleType, new_run: NewRun
) -> None:
    model = toy.make_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    run = new_run(max_steps=8, validate_every=2, log_every=1)
    fit(
        run,
        model=model,
        optimizer=optimizer,
        data=TensorBatches(toy.Noisy().x, toy.Noisy().y, batch_size=11, seed=0),
        training_step=toy.regression_step,
        validate=scripted([1.0, 2.0, 3.0, 4.0]),
        scheduler=torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.1, patience=0),
    )
    rates = [values["lr"] for _, values in run.recorder.of("train")]
    assert rates == pytest.approx([1e-3] * 4 + [1e-4] * 2 + [1e-5] * 2)


def test_on_a_cpu_no_step_asks_the_nvidia_driver(
    toy: ModuleType, new_run: NewRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Importing Lightning makes every optimiser step do so, at the price of 0.15 ms."""
    monkeypatch.setenv("PYTORCH_NVML_BASED_CUDA_CHECK", "1")
    train(toy, new_run(max_steps=1))
    assert "PYTORCH_NVML_BASED_CUDA_CHECK" not in os.environ


@pytest.mark.parametrize("options", [{"compile": True}, {"channels_last": True}])
def test_compiled_or_in_another_memory_order_it_learns_the_same_and_resumes(
    toy: ModuleType, new_run: NewRun, monkeypatch: pytest.MonkeyPatch, options: dict[str, bool]
) -> None:
    # The compiler itself takes long and is torch's; its front end is what the loop meets.
    monkeypatch.setattr(torch, "compile", functools.partial(torch.compile, backend="eager"))

    def convolutions() -> nn.Module:
        torch.manual_seed(0)
        layers = nn.Unflatten(1, (2, 3, 1)), nn.Conv2d(2, 4, (2, 1)), nn.ReLU(), nn.Flatten()
        return nn.Sequential(*layers, nn.Linear(8, 1))

    plain, other = convolutions(), convolutions()
    train(toy, new_run("plain", max_steps=6), model=plain)
    train(toy, new_run("other", max_steps=3, **options), model=other)
    assert set(load_weights(new_run("other").checkpoints)) == set(plain.state_dict())
    other = convolutions()
    run = new_run("other", max_steps=6, **options)
    train(toy, run, model=other)
    assert ("checkpoint_loaded", 3) in run.recorder.moments
    for ours, theirs in zip(other.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs)
    order = other[1].weight.is_contiguous(memory_format=torch.channels_last)
    assert order is options.get("channels_last", False)
