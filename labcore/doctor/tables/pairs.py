"""The questions that a set of versions raises, two things at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import get_args

from labcore.doctor.tables.cards import maker_of
from labcore.doctor.tables.driver import NVIDIA_MACOS, driver_runs
from labcore.doctor.tables.gpu import driver_knows_card, find_card, near_cards, toolkit_makes_code
from labcore.doctor.tables.install import build_cuda, torch_pip
from labcore.doctor.tables.packages import Companion, python_fits, with_framework
from labcore.doctor.tables.pytorch3d import pytorch3d_wheel, pytorch3d_with
from labcore.doctor.tables.setup import CPU, Setup
from labcore.doctor.tables.tensorflow import (
    FIRST_WITH_CUDA_WHEELS,
    tensorflow_row,
    tensorflow_runs_on,
    tensorflow_with_cuda,
    tensorflow_with_torch,
)
from labcore.doctor.tables.toolkit import cub_for, cub_problem, gcc_with_cuda
from labcore.doctor.tables.torch import torch_row, torch_runs_on, torch_with_cuda, torchvision_with
from labcore.doctor.tables.verdict import OsName, Rule, Verdict, judged, no
from labcore.doctor.tables.versions import family, release, series

__all__ = ["Pair", "pairs"]

_WITHOUT_CUDA = {
    "AMD": "torch has builds for AMD's ROCm, for Linux: https://pytorch.org/get-started/locally "
    "gives the command, https://rocm.docs.amd.com the cards",
    "Apple": "the plain builds of macOS, which use Metal (mps)",
    "Intel": "torch has builds for Intel's cards (XPU): https://pytorch.org/get-started/locally",
}


@dataclass(frozen=True, slots=True)
class Pair:
    """Two things of a set and the verdict on them."""

    title: str
    """``driver 460.32 + torch for CUDA 11.7``."""
    keys: tuple[str, ...]
    """Fields of the set that the verdict depends on."""
    verdict: Verdict


def pairs(setup: Setup, os: OsName) -> Iterator[Pair]:
    """Yields every question that the set raises on an operating system, with its answer."""
    maker = maker_of(setup.gpu or "")
    yield from _card(setup, os) if maker == "NVIDIA" else _other_card(setup, os, maker)
    yield from _python(setup)
    if maker in ("NVIDIA", "Apple"):
        yield from _torch(setup, os)
        yield from _tensorflow(setup, os)
        yield from _pytorch3d(setup, os)
    yield from _companions(setup)
    if setup.gcc and setup.cuda:
        yield Pair(
            f"gcc {setup.gcc} + CUDA {setup.cuda}",
            ("gcc", "cuda"),
            gcc_with_cuda(setup.gcc, setup.cuda),
        )
    if setup.torch is None and setup.tensorflow is None and setup.driver and setup.cuda:
        yield Pair(
            f"driver {setup.driver} + CUDA {setup.cuda}",
            ("driver", "cuda"),
            driver_runs(setup.driver, setup.cuda, os),
        )


def _card(setup: Setup, os: OsName) -> Iterator[Pair]:
    if setup.gpu is None:
        return
    if find_card(setup.gpu) is None:
        near = " or ".join(near_cards(setup.gpu))
        yield Pair(
            f"GPU {setup.gpu}",
            ("gpu",),
            Verdict(
                state="unknown",
                why=f"the table has no card {setup.gpu!r}" + (f"; is it a {near}?" if near else ""),
                fix="give its compute capability instead, gpu=8.6; "
                "https://developer.nvidia.com/cuda-gpus lists them",
            ),
        )
        return
    capability = setup.capability
    assert capability is not None
    card = _card_name(setup)
    if setup.driver:
        yield Pair(
            f"driver {setup.driver} + {card}",
            ("driver", "gpu"),
            driver_knows_card(setup.driver, capability, os),
        )
    compiles = setup.pytorch3d is not None and not _takes_wheel(setup, os)
    if setup.cuda and os != "macos" and (compiles or not (setup.torch or setup.tensorflow)):
        yield Pair(
            f"toolkit CUDA {setup.cuda} + {card}",
            ("cuda", "gpu"),
            toolkit_makes_code(setup.cuda, capability),
        )


def _other_card(setup: Setup, os: OsName, maker: str) -> Iterator[Pair]:
    """A card that is not NVIDIA's: CUDA is out, and the tables know no more than that."""
    if setup.cuda or setup.driver:
        verdict = no(
            f"CUDA runs on NVIDIA's cards only, and {setup.gpu} is {maker}'s",
            _WITHOUT_CUDA[maker],
            Rule(("cuda-guide",)),
        )
    elif maker == "Apple" and os == "macos":
        verdict = Verdict(
            state="limited",
            why="an Apple GPU is used through Metal: torch has it in its plain build as the device "
            "mps, TensorFlow by the plugin tensorflow-metal",
            fix="the plain builds from PyPI; what has only CUDA kernels (PyTorch3D, flash-attn) "
            "computes on the CPU",
        )
    else:
        verdict = Verdict(
            state="unknown",
            why=f"{setup.gpu} is {maker}'s card, and the tables have NVIDIA's",
            fix=_WITHOUT_CUDA[maker],
        )
    yield Pair(f"GPU {setup.gpu}", ("gpu",), verdict)


def _companions(setup: Setup) -> Iterator[Pair]:
    if setup.torchvision and setup.torch:
        yield Pair(
            f"torchvision {setup.torchvision} + torch {setup.torch}",
            ("torchvision", "torch"),
            torchvision_with(setup.torchvision, setup.torch),
        )
    for package in get_args(Companion):
        version = getattr(setup, package)
        for framework in ("torch", "tensorflow") if version else ():
            other = getattr(setup, framework)
            verdict = with_framework(package, version, framework, other) if other else None
            if verdict is not None:
                yield Pair(
                    f"{package} {version} + {framework} {other}", (package, framework), verdict
                )


def _python(setup: Setup) -> Iterator[Pair]:
    if setup.python is None:
        return
    for package in ("torch", "tensorflow", "pytorch3d", *get_args(Companion)):
        version = getattr(setup, package)
        if version is not None and package != "torchvision":
            yield Pair(
                f"Python {setup.python} + {package} {version}",
                ("python", package),
                python_fits(package, version, setup.python),
            )


def _torch(setup: Setup, os: OsName) -> Iterator[Pair]:
    if setup.torch is None:
        return
    if os == "macos" and (setup.cuda or setup.torch_cuda not in (None, CPU)):
        verdict = no(
            "there is no torch with CUDA for macOS",
            "the CPU build: pip install torch",
            NVIDIA_MACOS,
        )
        yield Pair(f"torch {setup.torch} + macOS", ("torch", "cuda"), verdict)
        return
    cuda = build_cuda(setup, os)
    if cuda == "":
        why = "a CPU build needs no driver and no GPU, and uses none"
        yield Pair(
            f"torch {setup.torch} + CPU",
            ("torch", "torch_cuda"),
            Verdict(state="limited" if setup.gpu else "yes", why=why),
        )
        return
    key = "torch_cuda" if setup.torch_cuda else "cuda"
    built = _torch_build(setup, cuda, os)
    title = f"torch {setup.torch} + CUDA {cuda}" if cuda else f"torch {setup.torch}"
    yield Pair(title, ("torch", key), built)
    if cuda is None or built.state in ("no", "doubtful"):
        return
    if setup.driver:
        yield Pair(
            f"driver {setup.driver} + torch for CUDA {cuda}",
            ("driver", "torch", key),
            driver_runs(setup.driver, cuda, os),
        )
    if setup.capability:
        yield Pair(
            f"torch {setup.torch} + {_card_name(setup)}",
            ("torch", key, "gpu"),
            torch_runs_on(setup.torch, cuda, setup.capability),
        )


def _tensorflow(setup: Setup, os: OsName) -> Iterator[Pair]:
    if setup.tensorflow is None:
        return
    row = tensorflow_row(setup.tensorflow)
    name = f"TensorFlow {setup.tensorflow}"
    if setup.cuda and os != "macos" and not _brings_cuda(setup):
        cudnn = f" + cuDNN {setup.cudnn}" if setup.cudnn else ""
        yield Pair(
            f"{name} + CUDA {setup.cuda}{cudnn}",
            ("tensorflow", "cuda", *(("cudnn",) if setup.cudnn else ())),
            tensorflow_with_cuda(setup.tensorflow, setup.cuda, setup.cudnn),
        )
    if setup.driver and row is not None:
        yield Pair(
            f"driver {setup.driver} + {name} for CUDA {row.cuda}",
            ("driver", "tensorflow"),
            driver_runs(setup.driver, row.cuda, os),
        )
    if setup.capability:
        yield Pair(
            f"{name} + {_card_name(setup)}",
            ("tensorflow", "gpu"),
            tensorflow_runs_on(setup.tensorflow, setup.capability, os=os),
        )
    if setup.torch:
        yield Pair(
            f"{name} + torch {setup.torch}",
            ("tensorflow", "torch"),
            tensorflow_with_torch(setup.tensorflow, setup.torch),
        )


def _pytorch3d(setup: Setup, os: OsName) -> Iterator[Pair]:
    if setup.pytorch3d is None:
        return
    name = f"PyTorch3D {setup.pytorch3d}"
    cuda = build_cuda(setup, os)
    if setup.torch:
        yield Pair(
            f"{name} + torch {setup.torch}",
            ("pytorch3d", "torch", *(("torch_cuda",) if setup.torch_cuda else ())),
            pytorch3d_with(setup.pytorch3d, setup.torch, cuda, os, setup.python),
        )
    # Extensions are compiled with the toolkit; without one named, with that of the torch build.
    toolkit = setup.cuda or cuda
    if not toolkit or os == "macos" or cuda == "" or _takes_wheel(setup, os):
        return
    if cuda is not None and series(cuda) != series(toolkit):
        yield Pair(
            f"toolkit CUDA {toolkit} + torch for CUDA {cuda}",
            ("cuda", "torch_cuda"),
            _toolkit_with_build(toolkit, cuda),
        )
    yield Pair(
        f"{name} + CUB of CUDA {toolkit}",
        ("pytorch3d", "cuda", *(("cub",) if setup.cub else ())),
        _cub(setup, toolkit, os),
    )


def _torch_build(setup: Setup, cuda: str | None, os: OsName) -> Verdict:
    """Judges the build; one that was chosen here says so when it is not the index's default."""
    assert setup.torch is not None
    row = torch_row(setup.torch)
    if cuda is None or row is None:
        # Without a row there are no builds to choose from: the answer names the table's ends.
        return torch_with_cuda(setup.torch, cuda or "0.0")
    verdict = torch_with_cuda(setup.torch, cuda)
    chosen = setup.cuda is None and setup.torch_cuda is None
    if verdict.state != "yes" or not chosen or cuda == row.pypi_cuda:
        return verdict
    return Verdict(
        state="limited",
        why=f"the build for CUDA {cuda} is meant: the default one, for CUDA {row.pypi_cuda}, does "
        "not suit this machine",
        fix=torch_pip(setup.torch, cuda, os),
        sources=verdict.sources,
    )


def _cub(setup: Setup, toolkit: str, os: OsName) -> Verdict:
    advice = cub_for(toolkit, os, setup.pytorch3d)
    problem = cub_problem(setup.cub, toolkit, os, setup.pytorch3d) if setup.cub else ""
    if problem:
        fix = f"CUB {advice.supply} in CUB_HOME" if advice.supply else "unset CUB_HOME"
        flags = "".join(f"; {name}={value}" for name, value in advice.env.items())
        return no(problem, fix + ("" if advice.supply else flags), advice)
    if setup.cub:
        why = f"CUB {setup.cub} in CUB_HOME is right: {advice.why}"
        return judged("yes", why, "", advice)
    if advice.needed:
        fix = f"CUB {advice.supply} ({advice.download}) in CUB_HOME, the folder that holds cub/"
        if advice.instead:
            fix += "".join(f"; or {name}={value} instead" for name, value in advice.instead.items())
        return Verdict(state="limited", why=advice.why, fix=fix, sources=advice.sources)
    if advice.env:
        fix = "; ".join(f"{name}={value}" for name, value in advice.env.items())
        return Verdict(state="limited", why=advice.why, fix=fix, sources=advice.sources)
    return Verdict(state="yes", why=advice.why, sources=advice.sources)


def _toolkit_with_build(cuda: str, build: str) -> Verdict:
    """What torch's extension builder says of a toolkit that is not the build's."""
    if family(cuda) != family(build):
        return no(
            f"extensions are compiled with the CUDA family of the torch build, {build}: torch "
            'stops with "the detected CUDA version mismatches the version that was used to compile '
            'PyTorch"',
            f"CUDA toolkit {build}, or a torch build for CUDA {family(cuda)}",
            Rule(("pt-cpp-extension",)),
        )
    why = f"within the CUDA {family(cuda)} family torch only warns of another minor version"
    return Verdict(state="limited", why=why, sources=("pt-cpp-extension",))


def _brings_cuda(setup: Setup) -> bool:
    """Whether TensorFlow gets CUDA from pip, so that an installed toolkit does not matter to it.

    Beside a torch the CUDA that was named is torch's.
    """
    assert setup.tensorflow is not None
    with_wheels = release(series(setup.tensorflow)) >= FIRST_WITH_CUDA_WHEELS
    return setup.torch is not None and with_wheels


def _takes_wheel(setup: Setup, os: OsName) -> bool:
    if setup.torch is None or setup.pytorch3d is None:
        return False
    cuda = build_cuda(setup, os)
    wheel = pytorch3d_wheel(setup.torch, cuda, os, setup.python, setup.pytorch3d)
    return wheel is not None


def _card_name(setup: Setup) -> str:
    assert setup.gpu is not None
    found = find_card(setup.gpu)
    assert found is not None
    name, arch = found
    capability = arch.compute_capability
    return name if capability in name.split() else f"{name} ({capability})"
