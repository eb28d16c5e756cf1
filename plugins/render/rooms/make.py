"""Making the declared datasets: what ``lab data prepare render/rooms`` calls."""

from pathlib import Path

from labcore.plugin import Dataset
from plugins.render.rooms.generate import Progress, generate
from plugins.render.rooms.spec import SIZES

__all__ = ["prepare_small", "prepare_tiny"]


def prepare_small(
    dataset: Dataset, raw: Path, out: Path, progress: Progress = lambda done, total: None
) -> None:
    """Makes the default dataset, ``rooms``, on all cores.

    Args:
        dataset: The declaration.
        raw: Empty: nothing is downloaded.
        out: Folder that gets shards, manifest and licence.
        progress: Told about frames done and to do.
    """
    generate(SIZES["small"], out, progress=progress)


def prepare_tiny(
    dataset: Dataset, raw: Path, out: Path, progress: Progress = lambda done, total: None
) -> None:
    """Makes ``rooms_tiny``, for tests.

    Args:
        dataset: The declaration.
        raw: Empty: nothing is downloaded.
        out: Folder that gets shards, manifest and licence.
        progress: Told about frames done and to do.
    """
    generate(SIZES["tiny"], out, progress=progress)
