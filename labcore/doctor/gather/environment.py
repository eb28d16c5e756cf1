"""The environment variables that matter to a framework, a build or a run."""

import os
from collections.abc import Mapping
from typing import Any

from labcore.record.redaction import is_secret_name, redact_text

__all__ = ["read_environment"]

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


def read_environment(environ: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Returns the variables on a list, none that is named like a secret; logins are masked."""
    return {
        "environ": {
            name: redact_text(value)
            for name, value in sorted(environ.items())
            if (name.startswith(_PREFIXES) or name in _NAMES) and not is_secret_name(name)
        }
    }
