"""Random generators: seeding them, keeping their states in a checkpoint, borrowing them.

Three libraries draw random numbers during training (Python, NumPy, torch), and torch has one
generator more on each GPU. Everything here treats them together.
"""

import contextlib
import os
import random
from collections.abc import Iterator, Mapping
from typing import Any

import torch

from labcore.training.seeds import mix

try:
    import numpy as np
except ImportError:  # torch works without it
    np = None  # type: ignore[assignment]  # there is no type for an absent module

__all__ = [
    "capture",
    "forked",
    "item_generator",
    "mix",
    "restore",
    "seed_everything",
    "seed_item",
    "use_deterministic_algorithms",
]


def seed_everything(seed: int, rank: int = 0) -> None:
    """Seeds Python, NumPy and torch (every GPU too).

    Args:
        seed: The run's seed.
        rank: Process of a distributed run; each draws its own numbers. Rank 0 uses ``seed`` as it
            is, so ``seed_everything(1)`` and ``torch.manual_seed(1)`` agree.
    """
    own = seed if rank == 0 else mix(seed, rank)
    random.seed(own)
    torch.manual_seed(own)
    if np is not None:
        np.random.seed(own % 2**32)


def seed_item(*key: int) -> None:
    """Seeds the CPU generators by ``mix(*key)``; quick enough to do for every item of a batch."""
    seed = mix(*key)
    random.seed(seed)
    torch.default_generator.manual_seed(seed)
    if np is not None:
        np.random.seed(seed % 2**32)


def item_generator(seed: int, epoch: int, index: int) -> torch.Generator:
    """Returns a generator whose numbers depend on nothing but its arguments.

    For a dataset that augments its items: what item ``index`` looks like in ``epoch`` is the same
    whichever worker makes it and however often the run was resumed.
    """
    return torch.Generator().manual_seed(mix(seed, epoch, index))


def capture() -> dict[str, Any]:
    """Returns the states of all generators as tensors and plain values."""
    version, words, gauss = random.getstate()
    state: dict[str, Any] = {
        "python": (version, torch.tensor(words, dtype=torch.int64), gauss),
        "torch": torch.get_rng_state(),
        "cuda": _cuda_states(),
    }
    if np is not None:
        kind, keys, position, has_gauss, cached = np.random.get_state(legacy=True)
        numbers = torch.from_numpy(np.asarray(keys).astype(np.int64))
        state["numpy"] = (kind, numbers, int(position), int(has_gauss), float(cached))
    return state


def restore(state: Mapping[str, Any]) -> None:
    """Puts all generators back to a state from :func:`capture`.

    A checkpoint from another machine may know fewer or more GPUs; those that both have are set.
    """
    version, words, gauss = state["python"]
    random.setstate((version, tuple(words.tolist()), gauss))
    torch.set_rng_state(state["torch"])
    if torch.cuda.is_available():
        for index, cuda_state in enumerate(state["cuda"][: torch.cuda.device_count()]):
            torch.cuda.set_rng_state(cuda_state, index)
    if np is not None and "numpy" in state:
        kind, numbers, position, has_gauss, cached = state["numpy"]
        np.random.set_state((kind, numbers.numpy().astype(np.uint32), position, has_gauss, cached))


@contextlib.contextmanager
def forked() -> Iterator[None]:
    """Gives the generators back after the block as they were before it."""
    python, cpu = random.getstate(), torch.get_rng_state()
    cuda = _cuda_states()
    numpy = np.random.get_state() if np is not None else None
    try:
        yield
    finally:
        random.setstate(python)
        torch.set_rng_state(cpu)
        if cuda:
            torch.cuda.set_rng_state_all(cuda)
        if numpy is not None:
            np.random.set_state(numpy)


def _cuda_states() -> list[torch.Tensor]:
    is_used: bool = torch.cuda.is_initialized()  # type: ignore[no-untyped-call]
    return torch.cuda.get_rng_state_all() if is_used else []


def use_deterministic_algorithms() -> None:
    """Makes torch refuse operations that may differ from one run to the next on a GPU."""
    # cuBLAS reads this when it is first used; without it, it picks its workspace by timing.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.backends.cudnn.benchmark = False
    torch.use_deterministic_algorithms(True)
