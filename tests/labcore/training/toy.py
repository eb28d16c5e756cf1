"""A small training with whatever exact resume could lose.

Dropout, normalisation, augmentation, noise from three libraries, a schedule, averaged weights,
accumulation and a hook with state.
"""

import multiprocessing
import os
import random
import signal
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
import torch.distributed
from torch import Tensor, nn
from torch.nn import functional as F

from labcore.errors import LabError
from labcore.hooks import HookSet, hookimpl
from labcore.hooks.jsonl import MetricsFile
from labcore.plugin import Plugin, Task
from labcore.record.status import Status
from labcore.run.run import Run
from labcore.run.signals import StopSignal
from labcore.training import (
    FitResult,
    LoopConfig,
    TensorBatches,
    fit,
    loader,
    seed_everything,
)
from labcore.training.checkpoints import checkpoint as checkpoint_module

TASK = Task(name="train", summary="toy", run="toy:train", trains=True)


@dataclass(kw_only=True, slots=True)
class Config:
    seed: int = 3
    train: LoopConfig = field(default_factory=LoopConfig)


PLUGIN = Plugin(name="toy", summary="toy", tasks=(TASK,), config=Config)


class Recorder:
    """Remembers every moment and every number."""

    def __init__(self) -> None:
        self.moments: list[tuple[str, int]] = []
        self.records: list[tuple[int, str, dict[str, float]]] = []
        self.messages: list[tuple[str, str]] = []
        self.reason: str | None = None

    @hookimpl
    def metrics(self, values: Any, step: int, phase: str) -> None:
        self.records.append((step, phase, dict(values)))

    @hookimpl
    def message(self, text: str, level: str) -> None:
        self.messages.append((level, text))

    @hookimpl
    def fit_started(self, loop: Any) -> None:
        self.moments.append(("fit_started", loop.step))

    @hookimpl
    def checkpoint_loaded(self, loop: Any) -> None:
        self.moments.append(("checkpoint_loaded", loop.step))

    @hookimpl
    def epoch_started(self, loop: Any) -> None:
        self.moments.append(("epoch_started", loop.step))

    @hookimpl
    def step_started(self, loop: Any) -> None:
        self.moments.append(("step_started", loop.step))

    @hookimpl
    def backward_ended(self, loop: Any) -> None:
        self.moments.append(("backward_ended", loop.step))

    @hookimpl
    def step_ended(self, loop: Any) -> None:
        self.moments.append(("step_ended", loop.step))

    @hookimpl
    def validation_started(self, loop: Any) -> None:
        self.moments.append(("validation_started", loop.step))

    @hookimpl
    def validation_ended(self, loop: Any) -> None:
        self.moments.append(("validation_ended", loop.step))

    @hookimpl
    def checkpoint_saved(self, loop: Any) -> None:
        self.moments.append(("checkpoint_saved", loop.step))

    @hookimpl
    def epoch_ended(self, loop: Any) -> None:
        self.moments.append(("epoch_ended", loop.step))

    @hookimpl
    def fit_ended(self, loop: Any, reason: str) -> None:
        self.moments.append(("fit_ended", loop.step))
        self.reason = reason

    def of(self, phase: str) -> list[tuple[int, dict[str, float]]]:
        return [(step, values) for step, kind, values in self.records if kind == phase]


class Drift:
    """A hook with state: logs how many steps it saw and the sum of the losses that it saw."""

    def __init__(self) -> None:
        self.seen = 0
        self.total = torch.zeros(())

    @hookimpl
    def step_ended(self, run: Any, loop: Any) -> None:
        self.seen += 1
        self.total += next(loop.model.parameters()).detach().sum()
        if self.seen % 4 == 0:
            values = {"seen": self.seen, "total": float(self.total)}
            run.log_metrics(values, step=loop.step, phase="taps")

    def state_dict(self) -> dict[str, Any]:
        return {"seen": self.seen, "total": self.total.clone()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.seen, self.total = state["seen"], state["total"].clone()


class Killer:
    """Sends this process a signal at a moment of the training."""

    essential = True

    def __init__(self, moment: str, step: int, number: int) -> None:
        self.at = (moment, step)
        self.number = number

    def _look(self, moment: str, step: int) -> None:
        if self.at == (moment, step):
            os.kill(os.getpid(), self.number)

    @hookimpl
    def step_started(self, loop: Any) -> None:
        self._look("step_started", loop.step)

    @hookimpl
    def backward_ended(self, loop: Any) -> None:
        self._look("backward_ended", loop.step)

    @hookimpl
    def step_ended(self, loop: Any) -> None:
        self._look("step_ended", loop.step)

    @hookimpl
    def validation_started(self, loop: Any) -> None:
        self._look("validation_started", loop.step)

    @hookimpl
    def checkpoint_saved(self, loop: Any) -> None:
        self._look("checkpoint_saved", loop.step)


class Noisy:
    """A dataset whose items are augmented by all three libraries."""

    def __init__(self, num_items: int = 44) -> None:
        generator = torch.Generator().manual_seed(0)
        self.x = torch.randn(num_items, 6, generator=generator)
        self.y = self.x.sin().sum(1, keepdim=True)

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        scale = 1.0 + 0.1 * random.random() + 0.1 * float(np.random.rand())
        return self.x[index] * scale + 0.05 * torch.randn(6), self.y[index]


def make_model(seed: int = 3) -> nn.Module:
    seed_everything(seed)
    return nn.Sequential(
        nn.Linear(6, 16), nn.BatchNorm1d(16), nn.Tanh(), nn.Dropout(0.3), nn.Linear(16, 1)
    )


def make_run(folder: Path, *, is_main: bool = True, **options: Any) -> Run[Any]:
    folder.mkdir(parents=True, exist_ok=True)
    status = Status(run=f"toy/{folder.name}", plugin="toy", task="train", preset="")
    run = Run(
        plugin=PLUGIN,
        task=TASK,
        config=Config(train=LoopConfig(**options)),
        folder=folder,
        device=SimpleNamespace(kind="cpu", index=None),
        hooks=HookSet(),
        status=status,
        stop=StopSignal(),
        is_main=is_main,
        resuming=(folder / "started").exists(),
    )
    if is_main:
        (folder / "started").touch()
    run.recorder = Recorder()
    run.hooks.register("recorder", run.recorder)
    return run


def regression_step(model: nn.Module, batch: tuple[Tensor, Tensor], loop: Any) -> dict[str, Tensor]:
    x, y = batch
    loss = F.mse_loss(model(x), y)
    return {"loss": loss, "target": y.mean()}


def noisy_step(model: nn.Module, batch: tuple[Tensor, Tensor], loop: Any) -> dict[str, Tensor]:
    x, y = batch
    x = x + 0.1 * torch.randn_like(x) + 0.1 * random.random() + 0.1 * float(np.random.rand())
    return {"loss": F.mse_loss(model(x), y), "noise": x.std()}


def noisy_validation(model: nn.Module, loop: Any) -> dict[str, float]:
    data = Noisy(16)
    x = data.x + 0.1 * torch.randn(16, 6) + float(np.random.rand()) + random.random()
    return {"loss": float(F.mse_loss(model(x), data.y))}


OPTIONS = {
    "max_steps": 24,
    "accumulate": 2,
    "ema": 0.9,
    "clip_norm": 1.0,
    "skip_norm": 8.0,
    "log_every": 3,
    "validate_every": 4,
    "checkpoint_every": 5,
}


def train(
    *,
    folder: str,
    kill: tuple[str, int] | None = None,
    number: int = signal.SIGKILL,
    kill_while_writing: int | None = None,
    kill_in_test: bool = False,
    num_workers: int = 0,
    **options: Any,
) -> FitResult:
    """Trains in ``folder``, or goes on there; leaves ``final.pt`` with the last weights."""
    torch.set_num_threads(1)
    run = make_run(Path(folder), **{**OPTIONS, **options})
    run.hooks.register("jsonl", MetricsFile())
    run.hooks.register("drift", Drift())
    if kill is not None:
        run.hooks.register("killer", Killer(*kill, number))
    if kill_while_writing is not None:
        _kill_at_save(kill_while_writing)
    model = make_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    with run.stop.installed():
        run.hooks.call("run_started", run=run)
        result = fit(
            run,
            model=model,
            optimizer=optimizer,
            data=loader(Noisy(), batch_size=4, seed=3, num_workers=num_workers),
            training_step=noisy_step,
            validate=noisy_validation,
            scheduler=torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.02, total_steps=40),
        )
    for number in range(2):
        run.log_metrics({f"score_{number}": 1.0}, step=run.status.step or 0, phase="test")
        if kill_in_test:
            os.kill(os.getpid(), signal.SIGKILL)
    torch.save({"model": model.state_dict()}, run.folder / "final.pt")
    return result


def _kill_at_save(count: int) -> None:
    """Kills this process after the first bytes of the ``count``-th checkpoint are written."""
    save, left = torch.save, [count]

    def write_and_die(state: Any, stream: Any) -> None:
        save(state, stream)
        left[0] -= 1
        if left[0] == 0:
            stream.truncate(stream.tell() // 2)
            os.kill(os.getpid(), signal.SIGKILL)

    checkpoint_module.torch.save = write_and_die


def train_plainly(
    *,
    folder: str,
    batch_size: int,
    devices: int = 1,
    is_noisy: bool = False,
    stop_rank: int = -1,
    stop_at: int = -1,
    nan_rank: int = -1,
    nan_at: int = -1,
) -> None:
    """Trains without random numbers, unless asked to; one of several processes, perhaps."""
    torch.set_num_threads(1)
    rank = int(os.environ.get("RANK", "0"))
    run = make_run(
        Path(folder),
        is_main=rank == 0,
        max_steps=10,
        devices=devices,
        accumulate=2,
        ema=0.9,
        clip_norm=1.0,
        log_every=2,
        validate_every=5,
        checkpoint_every=4,
    )
    if run.is_main:
        run.hooks.register("jsonl", MetricsFile())
    torch.manual_seed(rank)  # the weights of rank 0 must win
    model = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Dropout(0.5 * is_noisy), nn.Linear(8, 1))
    data = Noisy(80)

    def step(model: nn.Module, batch: tuple[Tensor, Tensor], loop: Any) -> dict[str, Tensor]:
        values = regression_step(model, batch, loop)
        if (rank, loop.step) == (stop_rank, stop_at) and run.stop.number is None:
            os.kill(os.getpid(), signal.SIGTERM)
        if (rank, loop.step) == (nan_rank, nan_at):
            values["loss"] = values["loss"] * float("nan")
        return values

    def validate(model: nn.Module, loop: Any) -> dict[str, float]:
        x, y = (
            loop.part(data.x[:7]),
            loop.part(data.y[:7]),
        )  # four rows for one, three for the other
        return loop.average({"loss": float(F.mse_loss(model(x), y))}, count=len(x))

    try:
        with run.stop.installed():
            fit(
                run,
                model=model,
                optimizer=torch.optim.Adam(model.parameters(), lr=0.02),
                data=TensorBatches(data.x, data.y, batch_size=batch_size, seed=1),
                training_step=step,
                validate=validate,
            )
    except LabError as error:
        (run.folder / f"error-{rank}").write_text(f"rank {rank}: {error}")
        raise
    finally:
        wrote = any(name == "checkpoint_saved" for name, _ in run.recorder.moments)
        (run.folder / f"rank-{rank}-{'wrote' if wrote else 'idle'}").touch()
        if torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()


if __name__ == "__toy__":
    # A child of the fork server would start its workers by pickling, and this is no real module.
    multiprocessing.set_start_method("fork", force=True)
    function, environment, arguments = ORDER  # noqa: F821  # runpy puts it here
    os.environ.update(environment)
    try:
        globals()[function](**arguments)
    except LabError as error:
        raise SystemExit(error.exit_code) from error
