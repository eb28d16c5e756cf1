"""Facts about tools beside Python, Weights & Biases, and folders that caches need."""

import configparser
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from labcore.doctor.gather.loader import find_library

__all__ = ["find_caches", "find_tools", "read_wandb"]

_COMMANDS = {
    "git": ("git",),
    "ffmpeg": ("ffmpeg",),
    "chromium": ("chromium", "chromium-browser", "google-chrome", "chrome"),
    "nvidia-smi": ("nvidia-smi",),
}
_LIBRARIES = {
    "libfluidsynth": ("libfluidsynth.so.3", "libfluidsynth.so.2"),
    "libOSMesa": ("libOSMesa.so.8", "libOSMesa.so.6"),
    "libEGL": ("libEGL.so.1",),
}


def find_tools() -> dict[str, Any]:
    """Returns where the commands and libraries are that parts of the lab use."""
    found = {
        tool: next(filter(None, map(shutil.which, names)), "") for tool, names in _COMMANDS.items()
    }
    for tool, names in _LIBRARIES.items():
        found[tool] = next(filter(None, map(find_library, names)), "")
    return {"tools": found}


def find_caches(
    home: Path | None = None, environ: Mapping[str, str] = os.environ
) -> dict[str, Any]:
    """Returns the folders where frameworks keep downloads, and whether they may be written."""
    cache = Path(environ.get("XDG_CACHE_HOME") or (home or Path.home()) / ".cache")
    folders = [
        Path(environ.get("TORCH_HOME") or cache / "torch"),
        Path(environ.get("HF_HOME") or cache / "huggingface"),
        Path(environ.get("LAB_DATA_DIR") or cache / "lab"),
    ]
    return {"cache_dirs": {str(folder): _may_write(folder) for folder in folders}}


def read_wandb(home: Path | None = None, environ: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Returns whether a W&B key is to be had, and the mode that is asked for."""
    from labcore.hooks.wandb.hook import has_credentials

    return {"wandb_login": has_credentials(), "wandb_mode": _wandb_mode(home, environ)}


def _wandb_mode(home: Path | None, environ: Mapping[str, str]) -> str:
    if environ.get("WANDB_MODE"):
        return environ["WANDB_MODE"]
    if environ.get("WANDB_DISABLED", "").lower() in {"true", "1"}:
        return "disabled"
    settings = configparser.ConfigParser(interpolation=None)
    user = (home or Path.home()) / ".config/wandb/settings"
    try:
        settings.read([user, Path("wandb/settings")], encoding="utf-8")
    except configparser.Error:
        return ""
    return settings.get("default", "mode", fallback="")


def _may_write(folder: Path) -> bool:
    """A folder that is not there yet may be made when its nearest parent may be written."""
    nearest = next(
        each for each in (folder.absolute(), *folder.absolute().parents) if each.exists()
    )
    return nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)
