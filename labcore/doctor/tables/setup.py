"""A set of versions that somebody has or plans, what follows from it, and how to install it."""

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, get_args

from labcore.doctor.tables.cuda import cub_for, cub_release
from labcore.doctor.tables.gpu import GpuArch, find_card, maker_of
from labcore.doctor.tables.packages import Companion, needs_old_numpy
from labcore.doctor.tables.pytorch3d import PyTorch3DWheel, pulsar_flags, pytorch3d_wheel
from labcore.doctor.tables.tables import cuda_of_tag, fits, parse_version, release, series
from labcore.doctor.tables.tensorflow import TENSORFLOW, brings_cuda
from labcore.doctor.tables.torch import best_build, torch_pip
from labcore.doctor.tables.verdict import OsName
from labcore.errors import UsageError, nearest, suggestion

CPU = "cpu"
_ALIASES = {
    "pytorch": "torch",
    "tf": "tensorflow",
    "card": "gpu",
    "toolkit": "cuda",
    "py": "python",
    "p3d": "pytorch3d",
    "nvidia": "driver",
    "system": "os",
    "np": "numpy",
    "vision": "torchvision",
    "pl": "lightning",
    "pytorch-lightning": "lightning",
    "gxx": "gcc",
    "g++": "gcc",
}
_SYSTEMS = {
    "win": "windows",
    "win32": "windows",
    "mac": "macos",
    "darwin": "macos",
    "wsl": "linux",
    "wsl2": "linux",
}
_EXAMPLE = 'lab doctor --explain torch=2.0.1 cuda=11.7 gpu="RTX 3080" pytorch3d=0.7.4'


@dataclass(frozen=True, kw_only=True)
class Setup:
    """Versions to be judged together; None is left open."""

    os: OsName | None = None
    python: str | None = None
    driver: str | None = None
    gpu: str | None = None
    """Name of a card, or a compute capability."""
    cuda: str | None = None
    """CUDA toolkit; also the CUDA of the torch build unless ``torch_cuda`` says another."""
    cudnn: str | None = None
    torch: str | None = None
    torch_cuda: str | None = None
    """CUDA of the torch build, or ``cpu``."""
    tensorflow: str | None = None
    pytorch3d: str | None = None
    cub: str | None = None
    """CUB release in CUB_HOME."""
    numpy: str | None = None
    keras: str | None = None
    torchvision: str | None = None
    lightning: str | None = None
    kornia: str | None = None
    timm: str | None = None
    gcc: str | None = None
    """Host compiler of the toolkit."""

    @classmethod
    def parse(cls, words: Sequence[str]) -> "Setup":
        """Reads ``torch=2.0.1 cuda=11.7 gpu="RTX 3080"``.

        Raises:
            UsageError: A word is wrong; every wrong one is listed.
        """
        values: dict[str, Any] = {}
        problems: list[str] = []
        for word in words:
            name, equals, value = word.partition("=")
            key = _ALIASES.get(name.strip().lower(), name.strip().lower())
            value = value.strip().strip("\"'")
            if key == "wsl":  # what runs there is what runs on Linux
                key, value = "os", "linux"
            if not equals or not value:
                problems.append(f"{word!r} is not name=value")
            elif key not in _KEYS:
                hint = suggestion(nearest(key, [*_KEYS, *_ALIASES])) or f"one of {', '.join(_KEYS)}"
                problems.append(f"there is no {name!r}; {hint}")
            elif key in values:
                problems.append(f"{key} is given twice")
            else:
                try:
                    values |= _read(key, value)
                except ValueError as error:
                    problems.append(f"{word}: {error}")
        if not words:
            problems.append("nothing is given")
        if problems:
            raise UsageError("what shall go together?", problems=problems, fix=_EXAMPLE)
        if maker_of(values.get("gpu", "")) == "Apple":
            values.setdefault("os", "macos")
        return cls(**values)

    @property
    def itself(self) -> "Setup":
        """The set, for a question that is asked of it as a whole."""
        return self

    @property
    def system(self) -> OsName:
        """The operating system; Linux where none was named."""
        return self.os or "linux"

    @functools.cached_property
    def maker(self) -> str:
        """Who makes the card; NVIDIA where none was named."""
        return maker_of(self.gpu or "")

    @functools.cached_property
    def card(self) -> tuple[str, GpuArch] | None:
        """Name and architecture of NVIDIA's card; None when there is none or it is unknown."""
        return find_card(self.gpu) if self.gpu and self.maker == "NVIDIA" else None

    @property
    def capability(self) -> str | None:
        """Compute capability of the card; None when there is none or it is unknown."""
        return None if self.card is None else self.card[1].compute_capability

    @property
    def card_name(self) -> str:
        """The card's name with its capability."""
        name = "" if self.card is None else self.card[0]
        return name if self.capability in name.split() else f"{name} ({self.capability})"

    @functools.cached_property
    def build(self) -> str | None:
        """CUDA of the torch build: as given, else the toolkit's, else the one that suits.

        Empty for a CPU build, None without a torch or when the table does not know it.
        """
        if self.torch is None:
            return None
        if self.torch_cuda == CPU or self.system == "macos":
            return ""
        given = self.torch_cuda or self.cuda
        if given:
            return given
        build = best_build(
            self.torch, capability=self.capability, driver=self.driver, os=self.system
        )
        return None if build is None else build.cuda

    @property
    def toolkit(self) -> str | None:
        """CUDA that extensions are compiled with: as given, else that of the torch build."""
        return self.cuda or self.build

    @property
    def with_cudnn(self) -> str:
        """The cuDNN, as it is added to a title."""
        return f" + cuDNN {self.cudnn}" if self.cudnn else ""

    @property
    def tensorflow_cuda(self) -> str | None:
        """CUDA that the TensorFlow was built with; None when it is not known."""
        row = TENSORFLOW.row(self.tensorflow) if self.tensorflow else None
        return None if row is None else row.cuda

    @functools.cached_property
    def wheel(self) -> PyTorch3DWheel | None:
        """The wheel that gives the PyTorch3D."""
        if self.torch is None or self.pytorch3d is None:
            return None
        return pytorch3d_wheel(self.torch, self.build, self.system, self.python, self.pytorch3d)

    @property
    def compiles(self) -> bool:
        """Whether the PyTorch3D has to be built from source."""
        return self.pytorch3d is not None and self.wheel is None

    def words(self) -> tuple[str, ...]:
        """The set as it is typed."""
        given = {name: getattr(self, name) for name in _KEYS}
        return tuple(
            f'{name}="{value}"' if " " in value else f"{name}={value}"
            for name, value in given.items()
            if value is not None
        )


_KEYS = tuple(each.name for each in fields(Setup))


def _read(key: str, value: str) -> dict[str, str]:
    """Checks a value and brings it to one form."""
    if key == "os":
        system = _SYSTEMS.get(value.lower(), value.lower())
        if system not in get_args(OsName):
            raise ValueError(f"the systems are {', '.join(get_args(OsName))}")
        return {"os": system}
    if key == "gpu":
        return {"gpu": value}
    if key == "torch_cuda" and value == CPU:
        return {key: CPU}
    if key in ("cuda", "torch_cuda"):
        return {key: cuda_of_tag(value)}
    if key == "cub":
        parse_version(value)
        return {"cub": cub_release(value)}
    parse_version(value)
    plain = value.lstrip("vV")
    if key == "torch" and "+" in plain:
        version, _, build = plain.partition("+")
        return {"torch": version, "torch_cuda": build if build == CPU else cuda_of_tag(build)}
    return {key: re.sub(r"[+].*", "", plain)}


def commands(setup: Setup) -> tuple[str, ...]:
    """Returns the commands that make an environment of a set, in their order.

    What the set leaves open is left to pip. The commands are for bash, or PowerShell on Windows.
    """
    lines: list[str] = []
    if setup.python:
        version = series(setup.python)
        starter = f"py -{version}" if setup.system == "windows" else f"python{version}"
        lines.append(f"{starter} -m venv .venv")
    if setup.torch:
        build = setup.build or None
        lines.append(torch_pip(setup.torch, build, setup.system, torchvision=setup.torchvision))
    if setup.tensorflow:
        lines += _tensorflow(setup, setup.tensorflow)
    named = {name: getattr(setup, name) for name in get_args(Companion) if name != "torchvision"}
    pins = [f"{name}=={version}" for name, version in named.items() if version]
    lines += [f"pip install {' '.join(pins)}"] if pins else []
    if setup.wheel:
        lines.append(setup.wheel.pip)
    elif setup.pytorch3d:
        lines += [*_build_settings(setup), source_pip(setup.pytorch3d)]
    return tuple(lines)


def set_variable(name: str, value: str, os: OsName) -> str:
    """Returns the line that sets an environment variable: bash, or PowerShell on Windows."""
    if os == "windows":
        return f'$env:{name} = "{value}"'
    return f'export {name}="{value}"'


def source_pip(pytorch3d: str) -> str:
    """Returns upstream's documented command that builds a release from source."""
    url = f"git+https://github.com/facebookresearch/pytorch3d.git@v{pytorch3d}"
    return f'pip install --no-build-isolation "{url}"'


def _tensorflow(setup: Setup, version: str) -> list[str]:
    row = TENSORFLOW.row(version)
    if row is not None and len(release(version)) < 3:
        version = row.newest
    # Beside torch the extra would bring a second set of CUDA wheels, except where they share one.
    shares = setup.torch is None or (
        fits(version, ">=2.20,<2.21") and fits(setup.torch, ">=2.7,<2.11")
    )
    has_extra = setup.system == "linux" and brings_cuda(version) and shares
    pip = f'pip install "tensorflow{"[and-cuda]" if has_extra else ""}=={version}"'
    asked = (row.numpy if row is not None else None) or ""
    if setup.numpy is None and needs_old_numpy("tensorflow", version) and fits("2.0", asked):
        pip += ' "numpy<2"'  # it was compiled against NumPy 1, and does not say so
    if setup.gpu and not has_extra and setup.torch is None and row is not None:
        return [f"# first install CUDA {row.cuda} and cuDNN {row.cudnn} from NVIDIA", pip]
    return [pip]


def _build_settings(setup: Setup) -> list[str]:
    if not setup.toolkit or setup.system == "macos":
        return []
    advice, flags = (
        cub_for(setup.toolkit, setup.system, setup.pytorch3d),
        pulsar_flags(setup.toolkit),
    )
    settings = [*advice.env.items(), *([("NVCC_FLAGS", flags)] if flags else [])]
    return [
        f"# needs nvcc of CUDA {series(setup.toolkit)} and a C++ compiler",
        *([f"# unpack {advice.download} here"] if advice.download else []),
        *(set_variable(name, value, setup.system) for name, value in settings),
    ]
