"""The questions that a set of versions raises, two things at a time."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, get_args

from labcore.doctor.tables.cuda import NO_MACOS, cub_with, driver_runs, gcc_with_cuda
from labcore.doctor.tables.gpu import driver_knows_card, near_cards, toolkit_makes_code
from labcore.doctor.tables.packages import Companion, python_fits, with_framework
from labcore.doctor.tables.pytorch3d import pytorch3d_with
from labcore.doctor.tables.setup import CPU, Setup
from labcore.doctor.tables.tables import family, series
from labcore.doctor.tables.tensorflow import (
    brings_cuda,
    tensorflow_runs_on,
    tensorflow_with_cuda,
    tensorflow_with_torch,
)
from labcore.doctor.tables.torch import (
    TORCH,
    torch_pip,
    torch_runs_on,
    torch_with_cuda,
    torchvision_with,
)
from labcore.doctor.tables.verdict import Row, Verdict, judged, no, unknown

_WITHOUT_CUDA = {
    "AMD": "torch has builds for AMD's ROCm, for Linux: https://pytorch.org/get-started/locally "
    "gives the command, https://rocm.docs.amd.com the cards",
    "Apple": "the plain builds of macOS, which use Metal (mps)",
    "Intel": "torch has builds for Intel's cards (XPU): https://pytorch.org/get-started/locally",
}
_MADE_OF: dict[str, list[str]] = {
    "capability": ["gpu"],
    "tensorflow_cuda": ["tensorflow"],
    "system": [],
    "itself": [],
}


@dataclass(frozen=True, slots=True)
class Pair:
    """Two things of a set and the verdict on them."""

    title: str
    """``driver 460.32 + torch for CUDA 11.7``."""
    keys: tuple[str, ...]
    """Fields of the set that the verdict depends on."""
    verdict: Verdict


class _Question(NamedTuple):
    title: str
    """With names of values of the set in it."""
    ask: Callable[..., Verdict | None]
    """None when the question does not arise after all."""
    of: str
    """Names of the values that it is asked of, each of which has to be there but those with a ?"""
    when: Callable[[Setup], bool] = lambda _: True


def pairs(setup: Setup) -> Iterator[Pair]:
    """Yields every question that the set raises on its operating system, with its answer."""
    frameworks = _FRAMEWORKS if setup.maker in ("NVIDIA", "Apple") else ()
    for question in (*_CARD, *_PYTHON, *frameworks, *_OTHERS):
        names = question.of.split()
        if all(name[-1] == "?" or getattr(setup, name) for name in names) and question.when(setup):
            names = [name.rstrip("?") for name in names]
            verdict = question.ask(*(getattr(setup, name) for name in names))
            if verdict is not None:
                keys = dict.fromkeys(key for name in names for key in _keys(setup, name))
                title = re.sub(r"{(\w+)}", lambda found: getattr(setup, found[1]), question.title)
                yield Pair(title, tuple(keys), verdict)


def _keys(setup: Setup, name: str) -> Iterator[str]:
    """Fields, as far as they are given, that a value is made of."""
    made_of = _MADE_OF.get(name, [name])
    if name == "toolkit" and setup.cuda:
        made_of = ["cuda"]
    elif name in ("build", "toolkit"):
        given = "torch_cuda" if setup.torch_cuda else "cuda"
        made_of = ["torch", *([given] if getattr(setup, given) else ["driver", "gpu"])]
    yield from (each for each in made_of if getattr(setup, each))


def _gpu(gpu: str, setup: Setup) -> Verdict | None:
    """What is to be said of a card that is not NVIDIA's, where CUDA is out, or unknown."""
    maker = setup.maker
    if setup.card is not None:
        return None
    if maker == "NVIDIA":
        near = " or ".join(near_cards(gpu))
        return unknown(
            f"the table has no card {gpu!r}" + (f"; is it a {near}?" if near else ""),
            fix="give its compute capability instead, gpu=8.6; "
            "https://developer.nvidia.com/cuda-gpus lists them",
        )
    if setup.cuda or setup.driver:
        return no(
            f"CUDA runs on NVIDIA's cards only, and {gpu} is {maker}'s",
            _WITHOUT_CUDA[maker],
            Row(sources=("cuda-guide",), verified=True),
        )
    if maker == "Apple" and setup.system == "macos":
        return judged(
            "limited",
            "an Apple GPU is used through Metal: torch has it in its plain build as the device "
            "mps, TensorFlow by the plugin tensorflow-metal",
            "the plain builds from PyPI; what has only CUDA kernels (PyTorch3D, flash-attn) "
            "computes on the CPU",
        )
    why = f"{gpu} is {maker}'s card, and the tables have NVIDIA's"
    return unknown(why, fix=_WITHOUT_CUDA[maker])


def _torch_build(torch: str, cuda: str, setup: Setup) -> Verdict:
    """Judges the build; one that was chosen here says so when it is not the index's default."""
    verdict = torch_with_cuda(torch, cuda)
    row, is_chosen = TORCH.row(torch), setup.cuda is None and setup.torch_cuda is None
    if row is None or verdict.state != "yes" or not is_chosen or cuda == row.pypi_cuda:
        return verdict
    return judged(
        "limited",
        f"the build for CUDA {cuda} is meant: the default one, for CUDA {row.pypi_cuda}, does "
        "not suit this machine",
        torch_pip(torch, cuda, setup.system),
        row,
    )


def _toolkit_with_build(cuda: str, build: str) -> Verdict | None:
    """What torch's extension builder says of a toolkit that is not the build's."""
    rule = Row(sources=("pt-cpp-extension",), verified=True)
    if series(cuda) == series(build):
        return None
    if family(cuda) != family(build):
        return no(
            f"extensions are compiled with the CUDA family of the torch build, {build}: torch "
            'stops with "the detected CUDA version mismatches the version that was used to compile '
            'PyTorch"',
            f"CUDA toolkit {build}, or a torch build for CUDA {family(cuda)}",
            rule,
        )
    why = f"within the CUDA {family(cuda)} family torch only warns of another minor version"
    return judged("limited", why, "", rule)


def _wants_cuda_of_macos(setup: Setup) -> bool:
    wants = bool(setup.cuda) or setup.torch_cuda not in (None, CPU)
    return setup.system == "macos" and wants


def _has_build(setup: Setup) -> bool:
    built = torch_with_cuda(setup.torch or "", setup.build or "")
    return built.state not in ("no", "doubtful")


def _takes_own_cuda(setup: Setup) -> bool:
    """Whether TensorFlow needs an installed CUDA: beside a torch the CUDA named is torch's."""
    return setup.system != "macos" and not (setup.torch and brings_cuda(setup.tensorflow or ""))


def _compiles_cuda(setup: Setup) -> bool:
    return setup.compiles and setup.system != "macos" and setup.build != ""


def _needs_toolkit(setup: Setup) -> bool:
    alone = not (setup.torch or setup.tensorflow)
    return setup.system != "macos" and (setup.compiles or alone)


_CARD = (
    _Question("GPU {gpu}", _gpu, "gpu itself"),
    _Question("driver {driver} + {card_name}", driver_knows_card, "driver capability system"),
    _Question(
        "toolkit CUDA {cuda} + {card_name}", toolkit_makes_code, "cuda capability", _needs_toolkit
    ),
)
_PYTHON = tuple(
    _Question(
        f"Python {{python}} + {name} {{{name}}}", partial(python_fits, name), f"{name} python"
    )
    for name in ("torch", "tensorflow", "pytorch3d", *get_args(Companion))
    if name != "torchvision"
)
_FRAMEWORKS = (
    _Question(
        "torch {torch} + macOS",
        lambda *_: no(
            "there is no torch with CUDA for macOS", "the CPU build: pip install torch", NO_MACOS
        ),
        "torch torch_cuda? cuda?",
        _wants_cuda_of_macos,
    ),
    _Question(
        "torch {torch} + CPU",
        lambda _, gpu, *__: judged(
            "limited" if gpu else "yes", "a CPU build needs no driver and no GPU, and uses none", ""
        ),
        "torch gpu? torch_cuda?",
        lambda s: s.build == "" and not _wants_cuda_of_macos(s),
    ),
    # Without a row there are no builds to choose from: the answer names the table's ends.
    _Question(
        "torch {torch}",
        lambda torch: torch_with_cuda(torch, "0.0"),
        "torch",
        lambda s: s.build is None,
    ),
    _Question("torch {torch} + CUDA {build}", _torch_build, "torch build itself"),
    _Question(
        "driver {driver} + torch for CUDA {build}", driver_runs, "driver build system", _has_build
    ),
    _Question("torch {torch} + {card_name}", torch_runs_on, "torch build capability", _has_build),
    _Question(
        "TensorFlow {tensorflow} + CUDA {cuda}{with_cudnn}",
        tensorflow_with_cuda,
        "tensorflow cuda cudnn?",
        _takes_own_cuda,
    ),
    _Question(
        "driver {driver} + TensorFlow {tensorflow} for CUDA {tensorflow_cuda}",
        driver_runs,
        "driver tensorflow_cuda system",
    ),
    _Question(
        "TensorFlow {tensorflow} + {card_name}", tensorflow_runs_on, "tensorflow capability system"
    ),
    _Question("TensorFlow {tensorflow} + torch {torch}", tensorflow_with_torch, "tensorflow torch"),
    _Question(
        "PyTorch3D {pytorch3d} + torch {torch}",
        pytorch3d_with,
        "pytorch3d torch build? system python?",
    ),
    _Question(
        "toolkit CUDA {toolkit} + torch for CUDA {build}",
        _toolkit_with_build,
        "toolkit build",
        _compiles_cuda,
    ),
    _Question(
        "PyTorch3D {pytorch3d} + CUB of CUDA {toolkit}",
        cub_with,
        "toolkit system pytorch3d cub?",
        _compiles_cuda,
    ),
)
_OTHERS = (
    _Question("torchvision {torchvision} + torch {torch}", torchvision_with, "torchvision torch"),
    *(
        _Question(
            f"{package} {{{package}}} + {framework} {{{framework}}}",
            partial(with_framework, package, framework),
            f"{package} {framework}",
        )
        for package in get_args(Companion)
        for framework in ("torch", "tensorflow")
    ),
    _Question("gcc {gcc} + CUDA {cuda}", gcc_with_cuda, "gcc cuda"),
    _Question(
        "driver {driver} + CUDA {cuda}",
        driver_runs,
        "driver cuda system",
        lambda s: not (s.torch or s.tensorflow),
    ),
)
