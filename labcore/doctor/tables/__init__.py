"""What goes with what: drivers, CUDA, GPUs, torch, TensorFlow, PyTorch3D, CUB, Python.

Every answer is a ``Verdict`` that rests on a row of ``env/compat``, with its source; what the
tables do not know is ``unknown``, never a guess. Nothing here looks at this machine.
"""

from labcore.doctor.tables.alternatives import Alternative, least_change
from labcore.doctor.tables.driver import driver_for, driver_runs, last_cuda, newest_cuda
from labcore.doctor.tables.explain import Explanation, explain
from labcore.doctor.tables.gpu import (
    GpuArch,
    arch_of,
    driver_knows_card,
    find_card,
    near_cards,
    older_code,
    runs_kernels,
    toolkit_makes_code,
)
from labcore.doctor.tables.install import best_build, source_pip, torch_for, torch_pip
from labcore.doctor.tables.packages import python_fits, python_for
from labcore.doctor.tables.pairs import Pair
from labcore.doctor.tables.pytorch3d import (
    PyTorch3DWheel,
    last_pytorch3d,
    pulsar_flags,
    pytorch3d_for,
    pytorch3d_row,
    pytorch3d_wheel,
    pytorch3d_with,
)
from labcore.doctor.tables.setup import Setup
from labcore.doctor.tables.tables import Source, sources
from labcore.doctor.tables.tensorflow import (
    TensorFlowRow,
    tensorflow_archs,
    tensorflow_row,
    tensorflow_runs_on,
    tensorflow_with_cuda,
    tensorflow_with_torch,
)
from labcore.doctor.tables.toolkit import (
    CubAdvice,
    bundled_cub,
    cub_for,
    cub_problem,
    gcc_with_cuda,
    host_compiler,
    max_jobs,
)
from labcore.doctor.tables.torch import (
    CudaBuild,
    TorchRow,
    torch_archs,
    torch_row,
    torch_rows,
    torch_runs_on,
    torch_with_cuda,
    torchvision_with,
)
from labcore.doctor.tables.verdict import OsName, Row, Verdict
from labcore.doctor.tables.versions import cuda_of_tag, family, fits, parse_version, series, span

__all__ = [
    "Alternative", "CubAdvice", "CudaBuild", "Explanation", "GpuArch", "OsName", "Pair",
    "PyTorch3DWheel", "Row", "Setup", "Source", "TensorFlowRow", "TorchRow", "Verdict", "arch_of",
    "best_build", "bundled_cub", "cub_for", "cub_problem", "cuda_of_tag", "driver_for",
    "driver_knows_card", "driver_runs", "explain", "family", "find_card", "fits", "gcc_with_cuda",
    "host_compiler", "last_cuda", "last_pytorch3d", "least_change", "max_jobs", "near_cards",
    "newest_cuda", "older_code", "parse_version", "pulsar_flags", "python_fits", "python_for",
    "pytorch3d_for", "pytorch3d_row", "pytorch3d_wheel", "pytorch3d_with", "runs_kernels", "series",
    "source_pip", "sources", "span", "tensorflow_archs", "tensorflow_row", "tensorflow_runs_on",
    "tensorflow_with_cuda", "tensorflow_with_torch", "toolkit_makes_code", "torch_archs",
    "torch_for", "torch_pip", "torch_row", "torch_rows", "torch_runs_on", "torch_with_cuda",
    "torchvision_with",
]  # fmt: skip
