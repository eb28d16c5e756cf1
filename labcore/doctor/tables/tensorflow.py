"""Releases of TensorFlow: what each was built and tested with."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from labcore.doctor.tables.cuda import NO_MACOS
from labcore.doctor.tables.gpu import GPUS, GpuArch, runs_kernels
from labcore.doctor.tables.tables import Table, cuda_of_tag, fits, release, series, span
from labcore.doctor.tables.torch import TORCH
from labcore.doctor.tables.verdict import (
    PYPI,
    OsName,
    Row,
    State,
    Verdict,
    judged,
    no,
    or_unknown,
    unknown,
)

_FIRST_WITH_CUDA_WHEELS = (2, 14)
_LAST_ON_NATIVE_WINDOWS = (2, 10)


@dataclass(frozen=True, kw_only=True, slots=True)
class TensorFlowRow(Row):
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


@dataclass(frozen=True, kw_only=True, slots=True)
class _Rule(Row):
    """What holds for a range of TensorFlow with a range of GPUs, or of torch."""

    tensorflow: str
    capability: str = ""
    torch: str = ""
    state: State
    why: str
    fix: str


TENSORFLOW = Table("tensorflow", TensorFlowRow, "tensorflow", "TensorFlow")
_REPORTS = Table("tensorflow", _Rule, key="reports")
"""What users found beyond the configurations tested upstream."""
_WITH_TORCH = Table("tensorflow", _Rule, key="with_torch")


def tensorflow_archs(listed: Sequence[str]) -> tuple[str, ...]:
    """Returns the GPU code that TensorFlow's list of capabilities means.

    In ``tf.sysconfig.get_build_info()``, ``compute_90`` stands for PTX and for machine code of 9.0.
    """
    both = [f"sm_{each.removeprefix('compute_')}" for each in listed if each.startswith("compute_")]
    return tuple(dict.fromkeys([*listed, *both]))


@or_unknown
def tensorflow_with_cuda(tf: str, cuda: str, cudnn: str | None = None) -> Verdict:
    """Says whether a TensorFlow release goes with an installed CUDA toolkit and cuDNN."""
    row = TENSORFLOW.row(tf)
    if row is None:
        return TENSORFLOW.unknown(tf)
    cuda = cuda_of_tag(cuda)
    pip = f'pip install "tensorflow[and-cuda]=={row.newest}"'
    own = f" (or leave CUDA to pip: {pip})" if brings_cuda(tf) else ""
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
    return judged(
        "limited",
        f"{tested}. CUDA {cuda} is newer within the same family: most libraries keep their "
        "names, some change (libcusolver.so.10 of 11.0 is .11 from 11.1 on), and what is not found "
        "is warned of at start and missing",
        wanted,
        row,
    )


@or_unknown
def tensorflow_runs_on(tf: str, capability: str, os: OsName = "linux") -> Verdict:
    """Says whether the TensorFlow wheel computes on a GPU."""
    row, arch = TENSORFLOW.row(tf), GPUS.row(capability)
    if os == "macos":
        return no("TensorFlow has no CUDA build for macOS", "compute on the CPU", NO_MACOS)
    if os == "windows" and release(series(tf)) > _LAST_ON_NATIVE_WINDOWS:
        return no(
            f"TensorFlow {tf} has no GPU build for native Windows: 2.10 was the last",
            "install it in WSL2, where the Linux wheel works with the Windows driver; or "
            "tensorflow 2.10 with CUDA 11.2, cuDNN 8.1 and Python 3.7 to 3.10",
            Row(sources=("tf-pip-page", "tf-source-md"), verified=True),
        )
    if row is None:
        return TENSORFLOW.unknown(tf)
    if arch is None:
        return GPUS.unknown(capability)
    report = _report(tf, capability)
    if report is not None:
        why = f"TensorFlow {tf} on {capability}: {report.why}"
        return judged(report.state, why, report.fix, report)
    if row.archs is None:
        return _by_age(row, tf, arch)
    sources = (row.archs_source,) if row.archs_source else ()
    verdict = runs_kernels(capability, row.archs, Row(sources=sources, verified=row.archs_verified))
    if verdict.state == "limited" and release(row.cuda)[0] < release(arch.cuda_min)[0]:
        return _by_age(row, tf, arch)
    fix = _advice(capability) if verdict.state in ("no", "doubtful") else verdict.fix
    return replace(verdict, why=f"TensorFlow {tf} for CUDA {row.cuda}: {verdict.why}", fix=fix)


@or_unknown
def tensorflow_with_torch(tf: str, torch: str) -> Verdict:
    """Says whether TensorFlow and torch share an environment: Python, CUDA families, wheels."""
    row, torch_ = TENSORFLOW.row(tf), TORCH.row(torch)
    if row is None:
        return TENSORFLOW.unknown(tf)
    if torch_ is None:
        return TORCH.unknown(torch)
    pythons = [f"3.{minor}" for minor in range(6, 20)]
    if not any(fits(each, row.python) and fits(each, torch_.python) for each in pythons):
        return no(
            f"no Python version has both TensorFlow {tf} ({span(row.python)}) and torch {torch} "
            f"({span(torch_.python)})",
            "two environments, or releases of about the same year",
            PYPI,
        )
    for rule in _WITH_TORCH.rows:
        if fits(tf, rule.tensorflow) and fits(torch, rule.torch):
            return judged(rule.state, rule.why, rule.fix, rule)
    why = f"the table does not say how TensorFlow {tf} and torch {torch} share an environment"
    return unknown(why, row, torch_)


def brings_cuda(tf: str) -> bool:
    """Whether pip brings the CUDA of a release, by its extra and-cuda."""
    return release(series(tf)) >= _FIRST_WITH_CUDA_WHEELS


def _report(tf: str, capability: str) -> _Rule | None:
    of_release = (each for each in _REPORTS.rows if fits(tf, each.tensorflow))
    return next((each for each in of_release if fits(capability, each.capability)), None)


def _cudnn_problem(row: TensorFlowRow, cudnn: str | None) -> str:
    """Says what is wrong with a cuDNN: not the major version of the build, or a lower minor."""
    if cudnn is None:
        return ""
    if release(cudnn)[0] != release(row.cudnn)[0]:
        return f"it looks for libcudnn.so.{release(row.cudnn)[0]}, and this is cuDNN {cudnn}"
    if release(series(cudnn)) < release(row.cudnn):
        return f"cuDNN {cudnn} is older, and it refuses a lower minor version"
    return ""


def _by_age(row: TensorFlowRow, tf: str, arch: GpuArch) -> Verdict:
    """What the toolkit's age alone tells, where the list of architectures does not help."""
    name, capability = f"TensorFlow {tf}", arch.compute_capability
    if release(row.cuda) >= release(arch.cuda_min):
        return unknown(f"the table does not have the GPUs that {name} was compiled for", row)
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
        for row in TENSORFLOW.rows
        if row.archs is not None
        and runs_kernels(capability, row.archs).state == "yes"
        and _report(row.tensorflow, capability) is None
    ]
    if not native:
        return "no TensorFlow in the table has code for this GPU: compute on the CPU"
    first, last = native[0], native[-1]
    return (
        f"TensorFlow {first.tensorflow} (CUDA {first.cuda}, cuDNN {first.cudnn}, Python "
        f"{span(first.python)}) is the first in the table with code for {capability}, "
        f"{last.tensorflow} (CUDA {last.cuda}, Python {span(last.python)}) the last"
    )
