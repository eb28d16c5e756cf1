"""What a text tells of a machine, piece by piece; the first to tell a thing is believed."""

import re
from typing import Any, Literal

from labcore.doctor.machine import Library, Machine, TensorFlowBuild, Toolkit, TorchBuild

__all__ = ["Facts", "cuda_of_number", "normalised", "os_of"]


class Facts(dict[str, Any]):
    """Facts by name, those that were told: fields of a machine, and a few more.

    These are ``torch_cuda`` (empty for a build without), ``torch_cudnn``, ``torch_archs``,
    ``rocm``, ``toolkit``, ``cudnn_files``, ``cuda_available`` (what torch says), and
    ``said_cards``: names of cards that somebody writes of, which need not be in the machine.
    """

    def tell(self, **told: object) -> None:
        """Notes facts that are not known yet; None says nothing."""
        for name, value in told.items():
            if value is not None:
                self.setdefault(name, value)

    def read(self, text: str, *patterns: str) -> None:
        """Notes what each pattern finds first: its named groups are facts."""
        for pattern in patterns:
            found = re.search(pattern, text)
            if found is not None:
                self.tell(**found.groupdict())

    @property
    def packages(self) -> dict[str, str]:
        """Versions by distribution, to add to."""
        packages: dict[str, str] = self.setdefault("packages", {})
        return packages

    def tell_package(self, name: str, version: str) -> None:
        """Notes an installed distribution, and what its version says of its CUDA."""
        name = normalised(name)
        if not version[:1].isdigit():
            return
        self.packages.setdefault(name, version)
        if name == "torch":
            local = re.search(r"\+(?:(?P<none>cpu)|cu(\d{1,2})(\d)|(?P<rocm>rocm))", version)
            if local is not None:
                cuda = "" if local["none"] else f"{local[2]}.{local[3]}"
                self.tell(rocm=local["rocm"], torch_cuda=None if local["rocm"] else cuda)

    def machine(self) -> Machine:
        """Returns the machine that these facts describe."""
        known = {name: self[name] for name in self if name in Machine.__dataclass_fields__}
        known["packages"] = dict(self.packages) or None
        torch = self.packages.get("torch")
        if torch:
            known["torch"] = TorchBuild(
                version=torch,
                # A ROCm build has no CUDA, and is no CPU build either.
                cuda=None if "rocm" in self else self.get("torch_cuda"),
                cudnn=self.get("torch_cudnn"),
                archs=tuple(self["torch_archs"].split()) if "torch_archs" in self else None,
            )
        tensorflow = self.packages.get("tensorflow") or self.packages.get("tensorflow-gpu")
        if tensorflow:
            known["tensorflow"] = TensorFlowBuild(version=tensorflow)
        if "toolkit" in self:
            known["toolkits"] = (Toolkit(version=self["toolkit"], root=""),)
        if "cudnn_files" in self:
            known["libraries"] = tuple(_cudnn(path) for path in self["cudnn_files"])
        return Machine(origin="report", **known)


def normalised(name: str) -> str:
    """Returns a distribution's name as PyPI writes it; of a framework's other names the usual."""
    name = re.sub(r"[-_.]+", "-", name).lower()
    return {
        "pytorch": "torch", "pytorch-gpu": "torch", "tf": "tensorflow", "tf-version": "tensorflow",
        "np": "numpy",
    }.get(name, name)  # fmt: skip


def os_of(name: str) -> Literal["linux", "windows", "macos"] | None:
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


def cuda_of_number(number: str) -> str:
    """Returns the CUDA version that CUDA itself counts as 11040: 11.4."""
    return f"{int(number) // 1000}.{int(number) % 1000 // 10}"


def _cudnn(path: str) -> Library:
    name = re.split(r"[\\/]", path)[-1]
    version = re.search(r"\.so\.(\d[\d.]*)", name)
    return Library(name=name, path=path, where="system", version=version[1] if version else None)
