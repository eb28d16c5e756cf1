"""The options ``device.*`` of every run."""

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass

from labcore.config.shorthand import expand_override
from labcore.devices import DeviceRequest

__all__ = ["DeviceConfig", "peek_request"]


@dataclass(kw_only=True, slots=True)
class DeviceConfig:
    """Where a run computes. The word alone, ``device=cuda``, is its name."""

    name: str = "auto"
    """Where to compute: auto, cpu, cuda, or one GPU as 1, cuda:1, or its UUID or the start of it;
    device=cuda says the same in short."""
    count: int = 0
    """GPUs to take; 0 takes what the plugin declares and train.devices asks for."""
    min_memory_gb: float = 0.0
    """Memory that each GPU must have, in GB."""
    wait: str = "0s"
    """How long to wait while every GPU that would do is in use: 90s, 10m, 1h30m, 2d, 1:30:00."""
    share: bool = False
    """Whether to take a GPU that other programs use too; never one that another run has leased."""

    def __post_init__(self) -> None:
        self.request()

    def request(self) -> DeviceRequest:
        """Returns the options as a request.

        Raises:
            ValueError: One of them is wrong.
        """
        return DeviceRequest.read(
            self.name,
            count=self.count,
            min_memory_gb=self.min_memory_gb,
            wait=self.wait,
            share=self.share,
        )


def peek_request(overrides: Iterable[str]) -> DeviceRequest:
    """Returns what overrides ask for, before anything is composed; what is wrong is left out."""
    full = (expand_override(text).lstrip("+").partition("=") for text in overrides)
    typed = {key: value.strip("'\"") for key, _, value in full}
    with contextlib.suppress(ValueError):
        return DeviceRequest.read(
            typed.get("device.name", "auto"),
            count=int(typed.get("device.count", 0)),
            min_memory_gb=float(typed.get("device.min_memory_gb", 0)),
        )
    return DeviceRequest()
