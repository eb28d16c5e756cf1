"""How a probe says what came of it: a returned mapping is success, these exceptions the rest."""

import importlib
import importlib.util
from typing import Any

__all__ = ["NotInstalled", "Skipped", "WrongResult", "need"]


class NotInstalled(Exception):
    """A package that the probe is about is not there, which is no fault.

    Args:
        packages: Their import names.
    """

    def __init__(self, *packages: str) -> None:
        super().__init__(", ".join(packages))
        self.packages = packages


class Skipped(Exception):
    """The probe does not apply to this machine; the message says why."""


class WrongResult(Exception):
    """The work was done and its result is wrong."""


def need(*packages: str) -> list[Any]:
    """Imports packages, in order.

    Raises:
        NotInstalled: Some are not there. One that is there and breaks raises its own error.
    """
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if missing:
        raise NotInstalled(*missing)
    return [importlib.import_module(name) for name in packages]
