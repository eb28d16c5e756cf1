"""Options of the RGB-D dataset that ``task=rgbd`` makes."""

from dataclasses import dataclass

__all__ = ["RgbdConfig"]

SIZES = ("tiny", "small", "full")


@dataclass(kw_only=True, slots=True)
class RgbdConfig:
    """The scenes, their pictures and where they go. 0 stands for the number that size has."""

    size: str = "small"
    """tiny (seconds), small (minutes on two cores) or full (hours; for a GPU or many cores)."""
    out: str = ""
    """Folder for the dataset; the folder data of the run when left out. What a stopped run left
    there is completed."""
    scenes: int = 0
    """Scenes: rooms and corridors by turns, every other pair of them with things that move."""
    frames: int = 0
    """Pictures in the sequence of a scene."""
    height: int = 0
    """Height of the pictures in pixels."""
    width: int = 0
    """Width of the pictures in pixels."""
    samples: int = 0
    """Samples a pixel in each direction for the colours: 1 aliases, 2 is good, 4 is as good as
    it gets."""
    workers: int = 0
    """Processes that render scenes; 0 takes one for each core on a CPU, one on a GPU. The data
    do not depend on it."""

    def __post_init__(self) -> None:
        if self.size not in SIZES:
            raise ValueError(f"rgbd.size is {self.size!r}; use one of {', '.join(SIZES)}")
        limits = {
            "scenes": (3, 100_000, "train, val and test need one each"),
            "frames": (2, 10_000, "flow needs two pictures"),
            "height": (16, 4096, "less shows nothing"),
            "width": (16, 4096, "less shows nothing"),
            "samples": (1, 8, "more costs time and shows nothing"),
            "workers": (1, 1024, "a process needs a core"),
        }
        for name, (least, most, reason) in limits.items():
            value = getattr(self, name)
            if value != 0 and not least <= value <= most:
                raise ValueError(
                    f"rgbd.{name} is {value}; use {least} to {most} ({reason}), or 0 for the "
                    "default"
                )
