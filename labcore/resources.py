"""Where the files that are no Python live: Hydra's root config and the environment definitions."""

from pathlib import Path

from labcore.errors import LabError

__all__ = ["configs_dir", "env_dir"]

_PACKAGE = Path(__file__).parent


def configs_dir() -> Path:
    """Returns the folder of the root config and the hook sets."""
    return _find("configs")


def env_dir() -> Path:
    """Returns the folder of the environment definitions."""
    return _find("env")


def _find(name: str) -> Path:
    """Finds a folder that the wheel carries inside the package and the checkout has beside it."""
    for candidate in (_PACKAGE / "_share" / name, _PACKAGE.parent / name):
        if candidate.is_dir():
            return candidate
    raise LabError(
        f"the folder {name}/ is missing from this installation of lab",
        fix="install again: pip install --force-reinstall unified-ml-lab, or -e . in a checkout",
    )
