"""Where what lies beside the package lives: root config, environment definitions, own plugins."""

from pathlib import Path

from labcore.errors import LabError

__all__ = ["configs_dir", "env_dir", "plugins_dir", "sweep_file"]

_PACKAGE = Path(__file__).parent


def configs_dir() -> Path:
    """Returns the folder of the root config and the hook sets."""
    return _find("configs")


def env_dir() -> Path:
    """Returns the folder of the environment definitions."""
    return _find("env")


def plugins_dir() -> Path:
    """Returns the folder of the lab's own plugins."""
    return _find("plugins")


def sweep_file(given: Path) -> Path:
    """Returns the sweep file that is meant: a path, or the name of one that comes with the lab.

    ``musicvae`` and ``configs/sweeps/musicvae.json`` name the same one, in a checkout or not.
    """
    bundled = configs_dir() / "sweeps"
    if not given.is_file() and given.parent in (Path(), Path("configs/sweeps")):
        for suffix in ("", ".json", ".yaml"):
            candidate = bundled / f"{given.name}{suffix}"
            if candidate.is_file():
                return candidate
    return given


def _find(name: str) -> Path:
    """Finds a folder that the wheel carries inside the package and the checkout has beside it."""
    for candidate in (_PACKAGE / "_share" / name, _PACKAGE.parent / name):
        if candidate.is_dir():
            return candidate
    raise LabError(
        f"the folder {name}/ is missing from this installation of lab",
        fix="install again: pip install --force-reinstall unified-ml-lab, or -e . in a checkout",
    )
