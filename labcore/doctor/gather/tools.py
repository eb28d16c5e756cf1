"""Facts about variables, tools beside Python, Weights & Biases, and folders that caches need."""

import configparser
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from labcore.doctor.gather.files import find_library, nearest
from labcore.record.redaction import is_secret_name, redact_text

__all__ = ["find_caches", "find_tools", "read_environment", "read_wandb"]

_PREFIXES = (
    "CUDA_", "CUDNN_", "GLOO_", "KMP_", "LAB_", "MKL_", "NCCL_", "NVIDIA_", "OMP_", "OPENBLAS_",
    "PYTORCH_", "TF_", "TORCH_", "XLA_",
)  # fmt: skip
_NAMES = frozenset(
    (
        *("CC", "CXX", "CUB_HOME", "FORCE_CUDA", "MAX_JOBS", "NVCC_APPEND_FLAGS", "NVCC_FLAGS"),
        *("THRUST_IGNORE_CUB_VERSION_CHECK", "LD_LIBRARY_PATH", "LD_PRELOAD"),
        *("PYTHONDONTWRITEBYTECODE", "PYTHONHOME", "PYTHONNOUSERSITE", "PYTHONPATH"),
        *("CONDA_DEFAULT_ENV", "CONDA_PREFIX", "VIRTUAL_ENV", "TMPDIR", "XDG_CACHE_HOME"),
        *("HF_HOME", "HF_HUB_OFFLINE", "KERAS_BACKEND", "PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION"),
        *("DISPLAY", "WAYLAND_DISPLAY", "MUJOCO_GL", "PYOPENGL_PLATFORM", "LANG", "LC_ALL"),
        *("WANDB_BASE_URL", "WANDB_DISABLED", "WANDB_MODE"),
        *("LOCAL_RANK", "RANK", "WORLD_SIZE", "SLURM_JOB_GPUS", "SLURM_JOB_ID"),
    )
)
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


def read_environment(environ: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Returns the variables on a list, none that is named like a secret; logins are masked."""
    return {
        "environ": {
            name: redact_text(value)
            for name, value in sorted(environ.items())
            if (name.startswith(_PREFIXES) or name in _NAMES) and not is_secret_name(name)
        }
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
    there = nearest(folder)
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)
