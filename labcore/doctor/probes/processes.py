"""Several processes: workers that load data, and groups that add up numbers."""

import importlib
import os
import tempfile
from pathlib import Path
from typing import Any

from labcore.doctor.probes.outcome import Skipped, WrongResult, need

__all__ = ["load_in_workers", "reduce_on_cpu", "reduce_on_gpus"]

_NUM_ITEMS = 32
_ITEM = 128 * 1024
"""Numbers in an item: half a MiB, so that a batch of four goes through 2 MiB of shared memory."""


class _Counted:
    """A dataset whose item ``n`` is full of ``n``."""

    def __len__(self) -> int:
        return _NUM_ITEMS

    def __getitem__(self, number: int) -> Any:
        import torch

        return torch.full((_ITEM,), float(number))


def load_in_workers() -> dict[str, Any]:
    """Loads a dataset with two workers and adds it up."""
    need("torch")
    loading = importlib.import_module("torch.utils.data")
    batches = loading.DataLoader(_Counted(), batch_size=4, num_workers=2)
    total = sum(float(batch[:, 0].sum()) for batch in batches)
    if total != sum(range(_NUM_ITEMS)):
        raise WrongResult(f"the items add up to {total:g}, not {sum(range(_NUM_ITEMS))}")
    return {"workers": 2, "mib": _NUM_ITEMS * _ITEM * 4 / 2**20}


def reduce_on_cpu() -> dict[str, Any]:
    """Adds up the ranks of two processes over Gloo."""
    (torch,) = need("torch")
    if not torch.distributed.is_available():
        raise Skipped("this PyTorch was built without torch.distributed")
    return _reduce("gloo")


def reduce_on_gpus() -> dict[str, Any]:
    """Adds up the ranks of two processes, a GPU each, over NCCL."""
    (torch,) = need("torch")
    if torch.cuda.device_count() < 2:
        raise Skipped(f"needs two GPUs, PyTorch sees {torch.cuda.device_count()}")
    if not (torch.distributed.is_available() and torch.distributed.is_nccl_available()):
        raise Skipped("this PyTorch was built without NCCL")
    return _reduce("nccl")


def _reduce(backend: str) -> dict[str, Any]:
    processes = importlib.import_module("torch.multiprocessing")
    with tempfile.TemporaryDirectory() as folder:
        processes.spawn(_rank, args=(backend, folder), nprocs=2)
        sums = [(Path(folder) / f"sum-{rank}").read_text() for rank in range(2)]
    if sums != ["3", "3"]:
        raise WrongResult(f"1 + 2 over {backend} gave {' and '.join(sums)}")
    return {"backend": backend, "processes": 2}


def _rank(rank: int, backend: str, folder: str) -> None:
    import torch
    from torch import distributed

    # Another launcher's rendezvous must not be joined.
    for name in ("MASTER_ADDR", "MASTER_PORT", "RANK", "WORLD_SIZE", "LOCAL_RANK"):
        os.environ.pop(name, None)
    meeting = Path(folder, "meeting").as_uri()
    device = torch.device("cuda", rank) if backend == "nccl" else torch.device("cpu")
    if device.type == "cuda":
        torch.cuda.set_device(device)
    distributed.init_process_group(backend, init_method=meeting, rank=rank, world_size=2)
    number = torch.tensor([rank + 1.0], device=device)
    distributed.all_reduce(number)
    Path(folder, f"sum-{rank}").write_text(f"{number.item():g}")
    distributed.destroy_process_group()
