"""NaN, memory, disk, damaged checkpoints, signals: what the user is told and what is kept."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from labcore.errors import Interrupted, RunFailed
from labcore.record import checkpoints as checkpoint_module
from labcore.training import FitResult, TensorBatches, fit, load_weights
from labcore.training.divergence import NotFiniteError

NewRun = Callable[..., Any]


def train(
    toy: ModuleType, run: Any, step: Any = None, model: Any = None, lr: float = 0.05
) -> FitResult:
    model = model or toy.make_model()
    data = toy.Noisy()
    return fit(
        run,
        model=model,
        optimizer=torch.optim.SGD(model.parameters(), lr=lr),
        data=TensorBatches(data.x, data.y, batch_size=11, seed=0),
        training_step=step or toy.regression_step,
    )


def test_a_nan_loss_stops_names_the_step_and_keeps_the_last_good_checkpoint(
    toy: ModuleType, new_run: NewRun
) -> None:
    def step(model: nn.Module, batch: Any, loop: Any) -> Any:
        values = toy.regression_step(model, batch, loop)
        return {"loss": values["loss"] * (float("nan") if loop.step == 6 else 1.0)}

    run = new_run(max_steps=20, checkpoint_every=4, log_every=2)
    with pytest.raises(RunFailed, match="loss is not a finite number at step 7") as caught:
        train(toy, run, step)
    assert "loss=" in caught.value.message
    assert "kept step-00000004.pt" in caught.value.message
    assert "learning rate" in str(caught.value.fix)
    assert "train.clip_norm=1" in str(caught.value.fix)
    assert run.recorder.reason == "error"
    weights = load_weights(run.checkpoints)
    assert weights is not None
    assert all(bool(value.isfinite().all()) for value in weights.values())


def test_weights_that_are_not_finite_are_never_saved(toy: ModuleType, new_run: NewRun) -> None:
    class Spoiler:
        @toy.hookimpl
        def backward_ended(self, loop: Any) -> None:
            if loop.step == 7:
                next(loop.model.parameters()).grad.fill_(float("inf"))

    run = new_run(max_steps=20, checkpoint_every=4)
    run.hooks.register("spoiler", Spoiler())
    with pytest.raises(RunFailed, match="a weight of the model is not a finite number at step 8"):
        train(toy, run)
    assert [path.name for path in checkpoint_module.stored_in(run.checkpoints)] == [
        "step-00000004.pt"
    ]


def test_a_gradient_that_is_not_finite_is_traced_to_its_step(
    toy: ModuleType, new_run: NewRun
) -> None:
    class Spoiler:
        @toy.hookimpl
        def backward_ended(self, loop: Any) -> None:
            if loop.step == 3:
                next(loop.model.parameters()).grad.fill_(float("nan"))

    run = new_run(max_steps=20, clip_norm=1.0, log_every=4)
    run.hooks.register("spoiler", Spoiler())
    with pytest.raises(RunFailed, match="the gradient is not a finite number at step 4") as caught:
        train(toy, run)
    assert "lower train.clip_norm=1" in str(caught.value.fix)


def test_where_looking_is_dear_the_step_is_found_afterwards(
    toy: ModuleType, new_run: NewRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a GPU the losses are looked at with each record; here a CPU plays the GPU."""
    from labcore.training.checkpoints.guard import Guard

    monkeypatch.setattr(Guard, "check_loss", lambda self, loss, step: None)

    def step(model: nn.Module, batch: Any, loop: Any) -> Any:
        values = toy.regression_step(model, batch, loop)
        return {"loss": values["loss"] * (float("nan") if loop.step == 6 else 1.0)}

    run = new_run(max_steps=20, checkpoint_every=4, log_every=10, accumulate=2)
    with pytest.raises(RunFailed, match="loss is not a finite number at step 7"):
        train(toy, run, step)


def test_not_finite_says_what_and_when() -> None:
    assert str(NotFiniteError("the loss", 3)) == "the loss is not a finite number at step 3"


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.\nmore"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried 8 EB"),
        MemoryError(),
    ],
    ids=["cuda", "cpu", "python"],
)
def test_out_of_memory_says_what_to_lower(
    toy: ModuleType, new_run: NewRun, error: Exception
) -> None:
    def step(model: nn.Module, batch: Any, loop: Any) -> Any:
        raise error

    with pytest.raises(RunFailed, match=r"^out of memory") as caught:
        train(toy, new_run(), step)
    for remedy in ("batch_size", "train.accumulate=2", "train.precision=bf16-mixed"):
        assert remedy in str(caught.value.fix)
    assert "\n" not in caught.value.message


def test_a_real_allocation_that_is_too_large_is_explained(toy: ModuleType, new_run: NewRun) -> None:
    def step(model: nn.Module, batch: Any, loop: Any) -> Any:
        return {"loss": torch.empty(2**60).sum()}

    with pytest.raises(RunFailed, match=r"^out of memory"):
        train(toy, new_run(), step)


def test_other_runtime_errors_stay_what_they_are(toy: ModuleType, new_run: NewRun) -> None:
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        train(toy, new_run(), model=nn.Linear(5, 1))


def test_a_full_disk_keeps_the_older_checkpoints_and_says_how_much_is_missing(
    toy: ModuleType, new_run: NewRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = new_run(max_steps=8, checkpoint_every=4)

    class Full:
        @toy.hookimpl
        def checkpoint_saved(self, loop: Any) -> None:
            monkeypatch.setattr(torch, "save", refuse)
            monkeypatch.setattr(checkpoint_module.shutil, "disk_usage", lambda path: usage)

    usage = SimpleNamespace(free=0)

    def refuse(state: Any, stream: Any) -> None:
        stream.write(b"half")
        raise RuntimeError("PytorchStreamWriter failed writing file data/0: file write failed")

    run.hooks.register("full", Full())
    with pytest.raises(RunFailed, match=r"checkpoint of step 8 needs [\d.]+ MiB") as caught:
        train(toy, run)
    assert "MiB free" in caught.value.message
    assert "lab resume" in str(caught.value.fix)
    names = sorted(path.name for path in run.checkpoints.iterdir())
    assert names == ["step-00000004.pt", "step-00000004.pt.sha256"]
    assert load_weights(run.checkpoints) is not None


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system with 256 KiB."""
    mount = shutil.which("mount")
    folder = tmp_path / "disk"
    folder.mkdir()
    command = [str(mount), "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)]
    if mount is None or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("mounting a tmpfs takes root; run the tests as root in a container")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_is_really_full(toy: ModuleType, tiny_disk: Path) -> None:
    run = toy.make_run(tiny_disk / "run", max_steps=8, checkpoint_every=4)
    model = nn.Sequential(nn.Linear(6, 5000), nn.Linear(5000, 1))
    ballast = tiny_disk / "ballast"

    class Filler:
        @toy.hookimpl
        def checkpoint_saved(self, loop: Any) -> None:
            ballast.write_bytes(b"x" * 40_000)

    run.hooks.register("filler", Filler())
    with pytest.raises(RunFailed, match=r"the checkpoint of step 8 needs 0\.2 MiB"):
        train(toy, run, model=model, lr=1e-6)
    assert [path.name for path in checkpoint_module.stored_in(run.checkpoints)] == [
        "step-00000004.pt"
    ]
    assert not list(run.checkpoints.glob(".*"))
    ballast.unlink()
    assert load_weights(run.checkpoints) is not None


def test_the_newest_checkpoint_is_damaged_so_training_goes_on_from_the_one_before(
    toy: ModuleType, new_run: NewRun
) -> None:
    train(toy, new_run(max_steps=8, checkpoint_every=4))
    run = new_run(max_steps=12, checkpoint_every=4)
    damage(run.checkpoints / "step-00000008.pt")
    assert train(toy, run).step == 12
    assert ("checkpoint_loaded", 4) in run.recorder.moments
    ((level, text),) = run.recorder.messages
    assert level == "warning"
    assert "step-00000008.pt is damaged" in text
    assert "going back" in text
    assert (run.checkpoints / "step-00000008.pt.damaged").exists()


def test_when_all_checkpoints_are_damaged_nothing_is_trained_over_them(
    toy: ModuleType, new_run: NewRun
) -> None:
    train(toy, new_run(max_steps=8, checkpoint_every=4))
    run = new_run(max_steps=12)
    for path in checkpoint_module.stored_in(run.checkpoints):
        damage(path)
    with pytest.raises(RunFailed, match="none of the 2 checkpoints") as caught:
        train(toy, run)
    assert caught.value.fix
    assert not run.recorder.records


def test_a_checkpoint_of_another_model_says_so(toy: ModuleType, new_run: NewRun) -> None:
    train(toy, new_run(max_steps=2))
    with pytest.raises(RunFailed, match=r"the model in checkpoint step-00000002\.pt does not"):
        train(toy, new_run(max_steps=4), model=nn.Linear(6, 1))


def test_other_data_than_the_checkpoint_was_written_with_says_so(
    toy: ModuleType, new_run: NewRun
) -> None:
    train(toy, new_run(max_steps=2))
    model, data = toy.make_model(), toy.Noisy()
    with pytest.raises(RunFailed, match="4 batches in an epoch, and now there are 11"):
        fit(
            new_run(max_steps=4),
            model=model,
            optimizer=torch.optim.SGD(model.parameters(), lr=0.05),
            data=TensorBatches(data.x, data.y, batch_size=4, seed=0),
            training_step=toy.regression_step,
        )


def test_switching_averaging_on_for_a_resume_says_what_is_missing(
    toy: ModuleType, new_run: NewRun
) -> None:
    train(toy, new_run(max_steps=2))
    with pytest.raises(RunFailed, match="has no ema"):
        train(toy, new_run(max_steps=4, ema=0.9))


def test_a_signal_before_the_first_step_stops_at_once(toy: ModuleType, new_run: NewRun) -> None:
    run = new_run(max_steps=5)
    run.stop.number = 2
    with pytest.raises(Interrupted) as caught:
        train(toy, run)
    assert caught.value.exit_code == 130
    assert run.recorder.reason == "signal"
    assert ("step_started", 0) not in run.recorder.moments


def damage(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(bytes(data))
