"""What the training loop costs a step, against a bare torch loop on the same batches.

    python benchmarks/loop_overhead.py [--threads 1] [--repeats 5]

Two models: a tiny one, where the loop's own work shows, and a realistic one (two LSTM layers of 256
units on 32 steps, batch 64). Three loops: a bare one of eight lines; ``fit`` with nothing watching;
``fit`` with the default hooks (console, metrics.jsonl, timing, telemetry, TensorBoard). All clip
the gradient, step Adam and look at the loss. They take turns, and the median of the repeats counts;
time is what the processor spent on this process, its threads included, so other processes count
little. Ratios are fit / bare.
"""

import argparse
import contextlib
import io
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn
from torch.nn import functional as F

from labcore.hooks import HookSet, build_hooks
from labcore.plugin import Plugin, Task
from labcore.record.status import Status
from labcore.run.run import Run
from labcore.run.signals import StopSignal
from labcore.training import LoopConfig, TensorBatches, fit

DEFAULT_HOOKS = ("console", "jsonl", "timing", "telemetry", "tensorboard")
WARM_UP = 10
NEVER = 10**9


@dataclass(kw_only=True, slots=True)
class Config:
    """What a run must have."""

    seed: int = 0
    train: LoopConfig = field(default_factory=LoopConfig)


TASK = Task(name="train", summary="benchmark", run="benchmarks:none", trains=True)
PLUGIN = Plugin(name="benchmark", summary="benchmark", tasks=(TASK,), config=Config)


class Recurrent(nn.Module):
    """Two LSTM layers and a classifier on every step."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(32, 256, num_layers=2, batch_first=True)
        self.head = nn.Linear(256, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Maps ``(B, T, 32)`` to ``(B, 1)``."""
        return self.head(self.lstm(x)[0]).mean(dim=1)


def tiny_model() -> nn.Module:
    return nn.Sequential(nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 1))


def tiny_data() -> tuple[Tensor, Tensor]:
    return torch.randn(4096, 32), torch.randn(4096, 1)


def recurrent_data() -> tuple[Tensor, Tensor]:
    return torch.randn(1024, 32, 32), torch.randn(1024, 1)


def bare(model: nn.Module, data: TensorBatches, num_steps: int) -> float:
    """Returns microseconds of a step."""
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    step, start = 0, 0.0
    while step < num_steps:
        for x, y in data.batches(step):
            if step == WARM_UP:
                start = time.process_time()
            loss = F.mse_loss(model(x), y)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
            loss.item()
            step += 1
            if step == num_steps:
                break
    return (time.process_time() - start) / (num_steps - WARM_UP) * 1e6


def fitted(model: nn.Module, data: TensorBatches, num_steps: int, hooks: HookSet) -> float:
    """Returns microseconds of a step; records are written, checkpoints are not counted."""
    marks: dict[int, float] = {}

    def step(model: nn.Module, batch: tuple[Tensor, Tensor], loop: Any) -> dict[str, Tensor]:
        if loop.step in (WARM_UP, num_steps):
            marks[loop.step] = time.process_time()
        x, y = batch
        return {"loss": F.mse_loss(model(x), y)}

    with TemporaryDirectory() as name, contextlib.ExitStack() as quiet:
        quiet.enter_context(contextlib.redirect_stdout(io.StringIO()))
        quiet.enter_context(contextlib.redirect_stderr(io.StringIO()))
        options = LoopConfig(
            max_steps=num_steps + 1, clip_norm=1.0, checkpoint_every=NEVER, validate_every=0
        )
        run: Run[Any] = Run(
            plugin=PLUGIN,
            task=TASK,
            config=Config(train=options),
            folder=Path(name),
            device=SimpleNamespace(kind="cpu", name="CPU", threads=1),  # type: ignore[arg-type]
            hooks=hooks,
            status=Status(run="benchmark", plugin="benchmark", task="train", preset=""),
            stop=StopSignal(),
        )
        hooks.call("run_started", run=run)
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
        fit(run, model=model, optimizer=optimizer, data=data, training_step=step)
        hooks.call("run_ended", run=run, state="finished")
    return (marks[num_steps] - marks[WARM_UP]) / (num_steps - WARM_UP) * 1e6


def measure(
    make_model: Callable[[], nn.Module], tensors: tuple[Tensor, ...], num_steps: int, repeats: int
) -> list[float]:
    """Returns the median microseconds of a step: bare, no hooks, default hooks."""
    data = TensorBatches(*tensors, batch_size=64, seed=0)
    loops: list[Callable[[nn.Module], float]] = [
        lambda model: bare(model, data, num_steps),
        lambda model: fitted(model, data, num_steps, HookSet()),
        lambda model: fitted(
            model, data, num_steps, build_hooks(PLUGIN, {name: {} for name in DEFAULT_HOOKS})
        ),
    ]
    times: list[list[float]] = [[] for _ in loops]
    for _ in range(repeats):
        for taken, loop in zip(times, loops, strict=True):
            torch.manual_seed(0)
            taken.append(loop(make_model()))
    return [statistics.median(taken) for taken in times]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    # Importing Lightning sets this, and it slows every optimiser step on a machine with no GPU;
    # the bare loop would not have it.
    os.environ.pop("PYTORCH_NVML_BASED_CUDA_CHECK", None)
    table = Table(title=f"A training step, {arguments.threads} thread(s), medians of CPU time")
    for column in ("model", "loop", "microseconds", "over bare", "ratio"):
        table.add_column(column, justify="left" if column in ("model", "loop") else "right")
    for name, make_model, tensors, num_steps in (
        ("tiny", tiny_model, tiny_data(), 1000),
        ("two LSTMs", Recurrent, recurrent_data(), 30),
    ):
        times = measure(make_model, tensors, num_steps, arguments.repeats)
        for loop, taken in zip(("bare", "fit, no hooks", "fit, default"), times, strict=True):
            extra, ratio = taken - times[0], taken / times[0]
            table.add_row(name, loop, f"{taken:,.0f}", f"{extra:+,.0f}", f"{ratio:.3f}")
        table.add_section()
    Console(width=88).print(table)


if __name__ == "__main__":
    main()
