"""Lightning Fabric for a run: device, precision, and the processes of distributed training."""

import os
from collections.abc import Mapping
from typing import Any, Protocol, Self, cast

import torch
import torch.distributed
from lightning_fabric import Fabric
from torch import Tensor

from labcore.errors import RunFailed
from labcore.run.run import Run
from labcore.training.config import LoopConfig
from labcore.training.feeding.batches import BatchSource, Shardable

__all__ = [
    "Sliceable",
    "average",
    "average_counted",
    "average_values",
    "gather",
    "largest",
    "launch",
    "shard",
]


class Sliceable(Protocol):
    """A list, a range, an array or a tensor."""

    def __getitem__(self, part: slice, /) -> Self:
        """Returns a part of it."""


def launch(run: Run[Any], config: LoopConfig) -> Fabric:
    """Starts Fabric on the run's device; with several devices, starts the other processes.

    Fabric starts a process for each further device with this process's command line, and each does
    what this one did up to here. Under torchrun or Slurm they are there already.
    """
    precision = config.precision
    if precision == "16-mixed" and run.device.kind == "cpu":
        run.say("16-mixed is for GPUs; on the CPU training uses bf16-mixed", "warning")
        precision = "bf16-mixed"
    fabric = Fabric(
        accelerator=run.device.kind,
        devices=config.devices,
        num_nodes=config.nodes,
        strategy=config.strategy,
        precision=precision,  # type: ignore[arg-type]  # LoopConfig checks the text
    )
    if run.device.kind == "cpu":
        # Lightning makes torch ask the NVIDIA driver at every optimiser step whether there is a
        # GPU. Where there is none, that costs 0.15 ms a step; torch's own way costs 0.001 ms.
        os.environ.pop("PYTORCH_NVML_BASED_CUDA_CHECK", None)
    if config.devices * config.nodes > 1:
        fabric.launch()
    return fabric


def shard(data: BatchSource, fabric: Fabric) -> BatchSource:
    """Returns this process's part of the training data.

    Raises:
        RunFailed: There are several processes, and the data cannot be split.
    """
    if fabric.world_size == 1:
        return data
    if not isinstance(data, Shardable):
        raise RunFailed(
            f"{type(data).__name__} cannot be split over {fabric.world_size} processes",
            fix="give it a shard(rank, world_size) method, or use train.devices=1",
        )
    return data.shard(fabric.global_rank, fabric.world_size)


def gather(value: Any, fabric: Fabric) -> list[Any]:
    """Returns ``value`` of every process, by rank."""
    if fabric.world_size == 1:
        return [value]
    values: list[Any] = [None] * fabric.world_size
    torch.distributed.all_gather_object(values, value)
    return values


def average(values: Tensor, fabric: Fabric) -> Tensor:
    """Returns the mean of a tensor over the processes."""
    if fabric.world_size == 1:
        return values
    return cast(Tensor, fabric.all_reduce(values, reduce_op="mean"))


def average_values(values: Mapping[str, float], fabric: Fabric) -> dict[str, float]:
    """Returns the mean of each number over the processes, which must have the same names."""
    numbers = {name: float(value) for name, value in values.items()}
    if fabric.world_size == 1 or not numbers:
        return numbers
    together = torch.tensor(list(numbers.values()), dtype=torch.float64, device=fabric.device)
    return dict(zip(numbers, average(together, fabric).tolist(), strict=True))


def average_counted(values: Mapping[str, float], count: int, fabric: Fabric) -> dict[str, float]:
    """Returns the mean of each number over the processes, weighted by their counts.

    Raises:
        RunFailed: All counts are 0.
    """
    parts = [part for part in gather((dict(values), count), fabric) if part[1]]
    total = sum(number for _, number in parts)
    if not total:
        raise RunFailed("no process has anything to validate", fix="use more validation data")
    names: dict[str, float] = parts[0][0]
    if len(parts) == 1:
        return names
    return {name: sum(each[name] * number for each, number in parts) / total for name in names}


def largest(numbers: tuple[int, ...], fabric: Fabric) -> tuple[int, ...]:
    """Returns the largest of each number over the processes, so that all decide alike."""
    if fabric.world_size == 1:
        return numbers
    together = torch.tensor(numbers, dtype=torch.int64, device=fabric.device)
    return tuple(cast(Tensor, fabric.all_reduce(together, reduce_op="max")).tolist())
