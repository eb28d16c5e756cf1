"""The checks, a module for each subject; ``all_checks`` collects them in the order of the page."""

import functools
import importlib
import pkgutil

from labcore.doctor.check import AREAS, Check

__all__ = ["all_checks"]


@functools.cache
def all_checks() -> tuple[Check, ...]:
    """Returns every check: area after area, in each the one that names the thing first.

    A module of this package that has ``CHECKS`` adds them.
    """
    found: list[Check] = []
    for module in sorted(info.name for info in pkgutil.walk_packages(__path__, f"{__name__}.")):
        found.extend(getattr(importlib.import_module(module), "CHECKS", ()))
    areas = list(AREAS)
    return tuple(
        sorted(
            found, key=lambda check: (areas.index(check.area), check.deep, check.id not in areas)
        )
    )
