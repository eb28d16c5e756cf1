"""What a user asks for: which device, how many, how large, and how long to wait for it."""

import math
import re
from dataclasses import dataclass
from typing import Literal

from labcore.record.durations import read_duration

__all__ = ["DeviceRequest"]

_NAME = re.compile(
    r"(?P<word>auto|cpu|cuda)|(?:cuda:)?(?P<index>\d+)|(?P<uuid>(?:GPU|MIG)-[\w/-]+)"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class DeviceRequest:
    """A request for devices, made by :meth:`read`."""

    kind: Literal["auto", "cpu", "cuda"] = "auto"
    index: int | None = None
    """Number of the one GPU asked for, among those that are visible."""
    uuid: str = ""
    """UUID, or the start of one, of the one GPU asked for."""
    count: int = 0
    """GPUs; 0 leaves it to the plugin."""
    min_memory_gb: float = 0.0
    """Memory that each must have, in GB."""
    wait_s: float = 0.0
    """How long to wait while GPUs that would do are in use."""
    share: bool = False
    """Whether a GPU that other programs use will do."""
    text: str = "device=auto"
    """As typed, for messages."""

    @classmethod
    def read(
        cls,
        name: str = "auto",
        *,
        count: int = 0,
        min_memory_gb: float = 0.0,
        wait: str = "0",
        share: bool = False,
    ) -> "DeviceRequest":
        """Reads the options ``device.*``.

        Raises:
            ValueError: One of them is wrong; says which and what is right.
        """
        match = _NAME.fullmatch(name.strip())
        if match is None:
            raise ValueError(
                f"device={name} is not a device; use device=auto, device=cpu, device=cuda, one GPU "
                "as device=cuda:0 or device=0, or its UUID (lab devices lists them)"
            )
        if count < 0:
            raise ValueError(
                f"device.count is {count}; it must be 1 or more, or 0 for the plugin's"
            )
        if not 0 <= min_memory_gb < math.inf:
            raise ValueError(f"device.min_memory_gb is {min_memory_gb}; it must be 0 or more GB")
        if count > 1 and match["word"] is None:
            raise ValueError(
                f"device={name} names one GPU and device.count is {count}; use device=cuda for "
                "several, and CUDA_VISIBLE_DEVICES to say among which"
            )
        word = match["word"]
        return cls(
            kind="auto" if word == "auto" else "cpu" if word == "cpu" else "cuda",
            index=None if match["index"] is None else int(match["index"]),
            uuid=match["uuid"] or "",
            count=count,
            min_memory_gb=min_memory_gb,
            wait_s=read_duration(wait, "device.wait"),
            share=share,
            text=f"device={name.strip()}",
        )

    @property
    def names_one(self) -> bool:
        """Whether one certain GPU is asked for."""
        return self.index is not None or bool(self.uuid)
