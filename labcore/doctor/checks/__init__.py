"""The checks, a module for each subject; ``all_checks`` collects them in the order of the page."""

import functools
import importlib
import pkgutil

from labcore.doctor.check import AREAS, Check

__all__ = ["all_checks"]


@functools.cache
def all_checks() -> tuple[Check, ...]:
    """Returns every check: area after area, in each the one that names the thing first.

    Those of a module are its functions under ``@check``, and what its ``CHECKS`` lists.
    """
    found: list[Check] = []
    for name in sorted(info.name for info in pkgutil.walk_packages(__path__, f"{__name__}.")):
        module = importlib.import_module(name)
        found.extend(each for each in vars(module).values() if isinstance(each, Check))
        found.extend(getattr(module, "CHECKS", ()))
    areas = list(AREAS)
    return tuple(
        sorted(
            found, key=lambda check: (areas.index(check.area), check.deep, check.id not in areas)
        )
    )
