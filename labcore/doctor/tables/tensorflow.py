"""Releases of TensorFlow: what each was built and tested with."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from labcore.doctor.tables.driver import NVIDIA_MACOS, driver_runs
from labcore.doctor.tables.gpu import arch_of, last_capability, runs_kernels
from labcore.doctor.tables.tables import row_of, rows
from labcore.doctor.tables.torch import torch_row
from labcore.doctor.tables.verdict import (
    PYPI,
    OsName,
    Rule,
    State,
    Verdict,
    because,
    judged,
    no,
    or_unknown,
    unknown,
)
from labcore.doctor.tables.versions import cuda_of_tag, fits, release, series, span

__all__ = [
    "FIRST_WITH_CUDA_WHEELS",
    "TensorFlowRow",
    "last_tensorflow",
    "tensorflow_archs",
    "tensorflow_row",
    "tensorflow_rows",
    "tensorflow_runs_on",
    "tensorflow_with_cuda",
    "tensorflow_with_torch",
]

FIRST_WITH_CUDA_WHEELS = (2, 14)
_LAST_ON_NATIVE_WINDOWS = (2, 10)


@dataclass(frozen=True, kw_only=True, slots=True)
class TensorFlowRow:
    """A TensorFlow release."""

    tensorflow: str
    newest: str
    python: str
    cuda: str
    cudnn: str
    archs: tuple[str, ...] | None
    """GPU code in it: ``sm_80`` machine code, ``compute_80`` PTX; None when not known."""
    archs_source: str | None
    archs_verified: bool
    numpy: str | None
    """What its wheel asks for; None when that was not read."""
    protobuf: str | None
    keras: str | None
    wheel_cudnn: str | None
    """What the extra and-cuda asks for."""
    wheel_nccl: str | None
    wheel_runtime: str | None
    sources: tuple[str, ...]
    verified: bool
    note: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Report:
    """What users found beyond the configurations tested upstream."""

    tensorflow: str
    capability: str
    state: State
    why: str
    sources: tuple[str, ...]
    verified: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class _WithTorch:
    """How a range of TensorFlow goes with a range of torch."""

    tensorflow: str
    torch: str
    state: State
    why: str
    fix: str
    sources: tuple[str, ...]
    verified: bool
    note: str = ""


def tensorflow_rows() -> tuple[TensorFlowRow, ...]:
    """Returns the releases, oldest first."""
    return rows("tensorflow", TensorFlowRow)


def tensorflow_row(version: str) -> TensorFlowRow | None:
    """Returns the row of a release, given any of its patch releases; None when it is unknown."""
    return row_of(tensorflow_rows(), "tensorflow", version)


def last_tensorflow() -> str:
    """Returns the newest TensorFlow release that the table knows."""
    return tensorflow_rows()[-1].tensorflow


def tensorflow_archs(listed: Sequence[str]) -> tuple[str, ...]:
    """Returns the GPU code that TensorFlow's list of capabilities means.

    In ``tf.sysconfig.get_build_info()``, ``compute_90`` stands for PTX and for machine code of 9.0.
    """
    both = [f"sm_{each.removeprefix('compute_')}" for each in listed if each.startswith("compute_")]
    return tuple(dict.fromkeys([*listed, *both]))


@or_unknown
def tensorflow_with_cuda(tf: str, cuda: str, cudnn: str | None = None) -> Verdict:
    """Says whether a TensorFlow release goes with an installed CUDA toolkit and cuDNN."""
    row = tensorflow_row(tf)
    if row is None:
        return _unknown(tf)
    cuda = cuda_of_tag(cuda)
    own = (
        f' (or leave CUDA to pip: pip install "tensorflow[and-cuda]=={row.newest}")'
        if release(row.tensorflow) >= FIRST_WITH_CUDA_WHEELS
        else ""
    )
    tested = f"TensorFlow {tf} was built and tested with CUDA {row.cuda} and cuDNN {row.cudnn}"
    wanted = f"CUDA {row.cuda} with cuDNN {row.cudnn}{own}"
    if release(cuda)[0] != release(row.cuda)[0]:
        return no(
            f"{tested}, and looks for the libraries of CUDA {release(row.cuda)[0]}; those of "
            f"CUDA {cuda} have other names, so that it goes on without a GPU",
            wanted,
            row,
        )
    problem = _cudnn_problem(row, cudnn)
    if problem:
        return no(f"{tested}; {problem}", wanted, row)
    if series(cuda) == row.cuda:
        return judged("yes", tested, "", row)
    if release(cuda) < release(row.cuda):
        return no(f"{tested}; CUDA {cuda} is older", wanted, row)
    return Verdict(
        state="limited",
        why=f"{tested}. CUDA {cuda} is newer within the same family: most libraries keep their "
        "names, some change (libcusolver.so.10 of 11.0 is .11 from 11.1 on), and what is not found "
        "is warned of at start and missing",
        fix=wanted,
        sources=row.sources,
    )


@or_unknown
def tensorflow_runs_on(
    tf: str, capability: str, driver: str | None = None, os: OsName = "linux"
) -> Verdict:
    """Says whether the TensorFlow wheel computes on a GPU."""
    row = tensorflow_row(tf)
    if os == "macos":
        return no("TensorFlow has no CUDA build for macOS", "compute on the CPU", NVIDIA_MACOS)
    if os == "windows" and release(series(tf)) > _LAST_ON_NATIVE_WINDOWS:
        return no(
            f"TensorFlow {tf} has no GPU build for native Windows: 2.10 was the last",
            "install it in WSL2, where the Linux wheel works with the Windows driver; or "
            "tensorflow 2.10 with CUDA 11.2, cuDNN 8.1 and Python 3.7 to 3.10",
            Rule(("tf-pip-page", "tf-source-md")),
        )
    if row is None:
        return _unknown(tf)
    arch = arch_of(capability)
    if arch is None:
        return unknown(
            f"compute capability {capability} is not in the table, which ends at "
            f"{last_capability()}"
        )
    if driver is not None:
        runs = driver_runs(driver, row.cuda, os)
        if runs.state in ("no", "doubtful"):
            return because(runs, f"TensorFlow {tf} is built for CUDA {row.cuda}")
    for report in rows("tensorflow", _Report, "reports"):
        if fits(tf, report.tensorflow) and fits(capability, report.capability):
            return judged(
                report.state,
                f"TensorFlow {tf} on {capability}: {report.why}",
                "compute on the CPU, or use a build for this GPU such as NVIDIA's container",
                report,
            )
    name = f"TensorFlow {tf} for CUDA {row.cuda}"
    if row.archs is None:
        return _by_age(row, tf, capability)
    listed = Rule((row.archs_source,) if row.archs_source else (), row.archs_verified)
    verdict = runs_kernels(capability, row.archs, listed)
    if verdict.state == "limited" and release(row.cuda)[0] < release(arch.cuda_min)[0]:
        return _by_age(row, tf, capability)
    fix = _advice(capability) if verdict.state in ("no", "doubtful") else verdict.fix
    return replace(verdict, why=f"{name}: {verdict.why}", fix=fix)


@or_unknown
def tensorflow_with_torch(tf: str, torch: str) -> Verdict:
    """Says whether TensorFlow and torch share an environment: Python, CUDA families, wheels."""
    row, torch_ = tensorflow_row(tf), torch_row(torch)
    if row is None:
        return _unknown(tf)
    if torch_ is None:
        return unknown(f"torch {torch} is not in the table")
    common = [f"3.{minor}" for minor in range(6, 20) if _both(f"3.{minor}", row, torch_.python)]
    sources = (*row.sources, *torch_.sources)
    if not common:
        return no(
            f"no Python version has both TensorFlow {tf} ({span(row.python)}) and torch {torch} "
            f"({span(torch_.python)})",
            "two environments, or releases of about the same year",
            PYPI,
        )
    for pair in rows("tensorflow", _WithTorch, "with_torch"):
        if fits(tf, pair.tensorflow) and fits(torch, pair.torch):
            return judged(pair.state, pair.why, pair.fix, pair)
    return Verdict(
        state="unknown",
        why=f"the table does not say how TensorFlow {tf} and torch {torch} share an environment",
        sources=sources,
    )


def _both(python: str, row: TensorFlowRow, torch_python: str) -> bool:
    return fits(python, row.python) and fits(python, torch_python)


def _cudnn_problem(row: TensorFlowRow, cudnn: str | None) -> str:
    """Says what is wrong with a cuDNN: not the major version of the build, or a lower minor."""
    if cudnn is None:
        return ""
    if release(cudnn)[0] != release(row.cudnn)[0]:
        return f"it looks for libcudnn.so.{release(row.cudnn)[0]}, and this is cuDNN {cudnn}"
    if release(series(cudnn)) < release(row.cudnn):
        return f"cuDNN {cudnn} is older, and it refuses a lower minor version"
    return ""


def _by_age(row: TensorFlowRow, tf: str, capability: str) -> Verdict:
    """What the toolkit's age alone tells, where the list of architectures does not help."""
    arch = arch_of(capability)
    assert arch is not None
    name = f"TensorFlow {tf}"
    if release(row.cuda) >= release(arch.cuda_min):
        why = f"the table does not have the GPUs that {name} was compiled for"
        return unknown(why, row)
    return no(
        f"{name} is built with CUDA {row.cuda}, which is older than {arch.architecture}: "
        f"{capability} came with CUDA {arch.cuda_min}. Neither it nor its cuDNN {row.cudnn} and "
        "cuBLAS have machine code for the card; what PTX there is compiles for many minutes at "
        "start and does not make up for that",
        _advice(capability),
        row,
        arch,
    )


def _advice(capability: str) -> str:
    """Names the oldest and the newest release that have machine code for a card."""
    native = [
        row
        for row in tensorflow_rows()
        if row.archs is not None
        and runs_kernels(capability, row.archs).state == "yes"
        and not any(
            fits(row.tensorflow, report.tensorflow) and fits(capability, report.capability)
            for report in rows("tensorflow", _Report, "reports")
        )
    ]
    if not native:
        return "no TensorFlow in the table has code for this GPU: compute on the CPU"
    first, last = native[0], native[-1]
    return (
        f"TensorFlow {first.tensorflow} (CUDA {first.cuda}, cuDNN {first.cudnn}, Python "
        f"{span(first.python)}) is the first in the table with code for {capability}, "
        f"{last.tensorflow} (CUDA {last.cuda}, Python {span(last.python)}) the last"
    )


def _unknown(tf: str) -> Verdict:
    first = tensorflow_rows()[0].tensorflow
    return unknown(
        f"TensorFlow {tf} is not in the table, which goes from {first} to {last_tensorflow()}"
    )
