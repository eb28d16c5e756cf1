"""What a text tells of a machine, piece by piece; the first to tell a thing is believed."""

import re
from dataclasses import dataclass, field, replace
from typing import Literal

from labcore.doctor.machine import Card, Library, Machine, TensorFlowBuild, Toolkit, TorchBuild

__all__ = ["Facts", "normalised", "os_of"]

Os = Literal["linux", "windows", "macos"]


@dataclass(slots=True)
class Facts:
    """Facts under construction: None, or empty, where nothing was said."""

    os: Os | None = None
    os_name: str | None = None
    kernel: str | None = None
    architecture: str | None = None
    glibc: str | None = None
    is_wsl: bool | None = None
    is_conda: bool | None = None
    cores: int | None = None
    python: str | None = None
    packages: dict[str, str] = field(default_factory=dict)
    torch_cuda: str | None = None
    """CUDA version that torch was built with; empty for a build without."""
    torch_cudnn: str | None = None
    torch_archs: tuple[str, ...] | None = None
    is_rocm: bool = False
    cuda_available: bool | None = None
    tensorflow_cuda: str | None = None
    tensorflow_cudnn: str | None = None
    toolkit: str | None = None
    gcc: str | None = None
    msvc: str | None = None
    driver: str | None = None
    driver_cuda: str | None = None
    cards: list[Card] | None = None
    said_card: str | None = None
    """A card that somebody writes of, which need not be in the machine."""
    has_one_card: bool | None = None
    """Whether no other card is written of."""
    cudnn_files: list[str] = field(default_factory=list)
    environ: dict[str, str] = field(default_factory=dict)

    def tell(self, **told: object) -> None:
        """Notes facts that are not known yet; None says nothing."""
        for name, value in told.items():
            if value is not None and getattr(self, name) is None:
                setattr(self, name, value)

    def tell_package(self, name: str, version: str) -> None:
        """Notes an installed distribution, and what its version says of its CUDA."""
        name = normalised(name)
        if not version[:1].isdigit():
            return
        self.packages.setdefault(name, version)
        if name == "torch":
            self.tell(torch_cuda=_cuda_of_local_version(version))
            self.is_rocm = self.is_rocm or "+rocm" in version

    def copy(self) -> "Facts":
        """Returns the same facts, to go on from."""
        return replace(self, packages=dict(self.packages), environ=dict(self.environ))

    def is_empty(self) -> bool:
        """Whether nothing at all is known."""
        return self == Facts()

    def machine(self) -> Machine:
        """Returns the machine that these facts describe."""
        torch = self.packages.get("torch")
        tensorflow = self.packages.get("tensorflow") or self.packages.get("tensorflow-gpu")
        return Machine(
            origin="report",
            os=self.os,
            os_name=self.os_name,
            kernel=self.kernel,
            architecture=self.architecture,
            glibc=self.glibc,
            is_wsl=self.is_wsl,
            cores=self.cores,
            python=self.python,
            is_conda=self.is_conda,
            packages=dict(self.packages) or None,
            torch=TorchBuild(
                version=torch,
                # A ROCm build has no CUDA, and is no CPU build either.
                cuda=None if self.is_rocm else self.torch_cuda,
                cudnn=self.torch_cudnn,
                archs=self.torch_archs,
            )
            if torch
            else None,
            tensorflow=TensorFlowBuild(
                version=tensorflow, cuda=self.tensorflow_cuda, cudnn=self.tensorflow_cudnn
            )
            if tensorflow
            else None,
            driver=self.driver,
            driver_cuda=self.driver_cuda,
            cards=None if self.cards is None else tuple(self.cards),
            toolkits=None if self.toolkit is None else (Toolkit(version=self.toolkit, root=""),),
            gcc=self.gcc,
            msvc=self.msvc,
            libraries=tuple(_cudnn(path) for path in self.cudnn_files) or None,
            environ=dict(self.environ) or None,
        )


def normalised(name: str) -> str:
    """Returns a distribution's name as PyPI writes it; conda's ``pytorch`` is ``torch``."""
    name = re.sub(r"[-_.]+", "-", name).lower()
    return {"pytorch": "torch", "pytorch-gpu": "torch", "tf": "tensorflow"}.get(name, name)


def os_of(name: str) -> Os | None:
    """Returns which system a name stands for: Ubuntu, Microsoft Windows 10 Pro, macOS, Darwin."""
    lowered = name.lower()
    if "windows" in lowered or "win32" in lowered:
        return "windows"
    if lowered.startswith(("mac", "darwin", "os x")):
        return "macos"
    linux = (
        r"linux|ubuntu|debian|centos|red ?hat|rhel|fedora|rocky|alma|arch|manjaro|suse|mint"
        r"|pop!?_os|nixos|gentoo|amazon|scientific|kali|oracle|wsl"
    )
    return "linux" if re.search(linux, lowered) else None


def _cuda_of_local_version(version: str) -> str | None:
    local = version.partition("+")[2]
    if local.startswith("cpu"):
        return ""
    tag = re.match(r"cu(\d{2,3})", local)
    return f"{tag[1][:-1]}.{tag[1][-1]}" if tag else None


def _cudnn(path: str) -> Library:
    name = re.split(r"[\\/]", path)[-1]
    version = re.search(r"\.so\.(\d[\d.]*)", name)
    return Library(name=name, path=path, where="system", version=version[1] if version else None)
