"""What goes with what: drivers, CUDA, GPUs, torch, TensorFlow, PyTorch3D, CUB, Python.

Every answer is a ``Verdict`` that rests on a row of ``env/compat``, with its source; what the
tables do not know is ``unknown``, never a guess. Nothing here looks at this machine.
"""

from labcore.doctor.tables.alternatives import Alternative, Explanation, explain, least_change
from labcore.doctor.tables.cuda import (
    COMPILERS,
    CUB,
    TOOLKITS,
    CubAdvice,
    cub_for,
    cub_with,
    driver_for,
    driver_runs,
    gcc_with_cuda,
    max_jobs,
    newest_cuda,
)
from labcore.doctor.tables.gpu import (
    GPUS,
    driver_knows_card,
    find_card,
    near_cards,
    older_code,
    runs_kernels,
    toolkit_makes_code,
)
from labcore.doctor.tables.packages import python_fits, python_for
from labcore.doctor.tables.pairs import Pair
from labcore.doctor.tables.pytorch3d import (
    PYTORCH3D,
    PyTorch3DWheel,
    pulsar_flags,
    pytorch3d_for,
    pytorch3d_wheel,
    pytorch3d_with,
)
from labcore.doctor.tables.setup import Setup, source_pip
from labcore.doctor.tables.tables import (
    Source,
    cuda_of_tag,
    family,
    fits,
    parse_version,
    series,
    sources,
    span,
)
from labcore.doctor.tables.tensorflow import (
    TENSORFLOW,
    tensorflow_archs,
    tensorflow_runs_on,
    tensorflow_with_cuda,
    tensorflow_with_torch,
)
from labcore.doctor.tables.torch import (
    TORCH,
    TorchRow,
    best_build,
    fitting_builds,
    torch_archs,
    torch_for,
    torch_pip,
    torch_runs_on,
    torch_with_cuda,
    torchvision_with,
)
from labcore.doctor.tables.verdict import OsName, Row, Verdict

__all__ = [
    "COMPILERS", "CUB", "GPUS", "PYTORCH3D", "TENSORFLOW", "TOOLKITS", "TORCH", "Alternative",
    "CubAdvice", "Explanation", "OsName", "Pair", "PyTorch3DWheel", "Row", "Setup",
    "Source", "TorchRow", "Verdict", "best_build", "cub_for", "cub_with",
    "cuda_of_tag", "driver_for", "driver_knows_card", "driver_runs", "explain", "family",
    "find_card", "fits", "fitting_builds", "gcc_with_cuda", "least_change", "max_jobs",
    "near_cards", "newest_cuda", "older_code", "parse_version", "pulsar_flags", "python_fits",
    "python_for", "pytorch3d_for", "pytorch3d_wheel", "pytorch3d_with", "runs_kernels", "series",
    "source_pip", "sources", "span", "tensorflow_archs", "tensorflow_runs_on",
    "tensorflow_with_cuda", "tensorflow_with_torch", "toolkit_makes_code", "torch_archs",
    "torch_for", "torch_pip", "torch_runs_on", "torch_with_cuda", "torchvision_with",
]  # fmt: skip
