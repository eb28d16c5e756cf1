"""NVIDIA's management library (NVML): opened for a short while, its failures told apart."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

__all__ = ["LIBRARY_NOT_FOUND", "NvmlFailure", "NvmlProblem", "ask", "opened"]

T = TypeVar("T")

LIBRARY_NOT_FOUND = 12
_TEXTS = {
    4: "this user may not ask NVIDIA's driver",
    9: "NVIDIA's driver is not loaded",
    LIBRARY_NOT_FOUND: "NVIDIA's management library (libnvidia-ml.so.1) is not installed",
    13: "NVIDIA's driver is too old to be asked: its management library lacks a function",
    15: "it has fallen off the bus",
    18: "NVIDIA's loaded driver and its library have different versions",
    999: "NVIDIA's driver does not answer (unknown error)",
}
"""By NVML's numbers."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NvmlProblem:
    """Why the driver gives no answer."""

    code: int
    """NVML's number: 4 no permission, 9 driver not loaded, 12 library not found, 13 driver too
    old, 15 GPU lost, 18 version mismatch, 999 unknown."""
    text: str
    """For people."""

    @property
    def is_no_driver(self) -> bool:
        """Whether there simply is no driver, which is the ordinary state of many machines."""
        return self.code in {9, LIBRARY_NOT_FOUND}


class NvmlFailure(Exception):
    """NVML cannot be used.

    Args:
        problem: Why.
    """

    def __init__(self, problem: NvmlProblem) -> None:
        super().__init__(problem.text)
        self.problem = problem


@contextlib.contextmanager
def opened() -> Iterator[Any]:
    """Gives the ``pynvml`` module, initialised for the time of the block.

    Raises:
        NvmlFailure: NVML cannot be initialised, or an error is left uncaught in the block.
    """
    try:
        import pynvml
    except ImportError:
        text = "Python's binding to NVIDIA's driver is missing: pip install nvidia-ml-py"
        raise NvmlFailure(NvmlProblem(code=LIBRARY_NOT_FOUND, text=text)) from None
    try:
        pynvml.nvmlInit()
        try:
            yield pynvml
        finally:
            with contextlib.suppress(pynvml.NVMLError):
                pynvml.nvmlShutdown()
    except pynvml.NVMLError as error:
        raise NvmlFailure(problem_of(error)) from error


def problem_of(error: Exception) -> NvmlProblem:
    """Puts an error of ``pynvml`` into words."""
    code = int(getattr(error, "value", 999))
    return NvmlProblem(code=code, text=_TEXTS.get(code) or f"NVIDIA's driver says: {error}")


def ask(pynvml: Any, function: Callable[..., T], *arguments: Any) -> T | None:
    """Calls a function of NVML; None when this card or driver does not know the answer.

    Raises:
        NVMLError: The card is gone.
    """
    try:
        return function(*arguments)
    except pynvml.NVMLError as error:
        if getattr(error, "value", None) == getattr(pynvml, "NVML_ERROR_GPU_IS_LOST", 15):
            raise
        return None
