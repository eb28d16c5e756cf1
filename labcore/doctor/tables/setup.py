"""A set of versions that somebody has or plans."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, get_args

from labcore.doctor.tables.cards import maker_of
from labcore.doctor.tables.gpu import find_card
from labcore.doctor.tables.toolkit import cub_release
from labcore.doctor.tables.verdict import OsName
from labcore.doctor.tables.versions import cuda_of_tag, parse_version
from labcore.errors import UsageError, nearest, suggestion

__all__ = ["CPU", "Setup"]

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


@dataclass(frozen=True, kw_only=True, slots=True)
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
    def capability(self) -> str | None:
        """Compute capability of the card; None when there is none or it is unknown."""
        found = None if self.gpu is None else find_card(self.gpu)
        return None if found is None else found[1].compute_capability

    def words(self) -> tuple[str, ...]:
        """The set as it is typed."""
        given = {name: getattr(self, name) for name in _KEYS}
        return tuple(
            f'{name}="{value}"' if " " in value else f"{name}={value}"
            for name, value in given.items()
            if value is not None
        )

    def with_changes(self, **changes: str | None) -> "Setup":
        """Returns the set with some versions changed."""
        return replace(self, **changes)  # type: ignore[arg-type]  # os is never changed


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
