"""Where a text comes from (WSL, conda, a Jetson, ...), and fixes worded for there."""

import re

from labcore.doctor.machine import Machine
from labcore.doctor.pasted.text import ends_of

__all__ = ["PLACES", "places_of", "worded_for"]

PLACES = {
    "wsl": r"microsoft-standard|\b(?:WSL|wsl) ?[12]?\b|/usr/lib/wsl/|Windows Subsystem for Linux",
    "conda": r"\bconda\b|(?:mini|ana)conda\d?\b|(?:mini|mamba)forge|\bmamba (?:install|create)",
    "jetson": r"(?i)\bjetson\b|\bjetpack\b|\bL4T\b|-tegra\b|\bXavier NX\b|\bOrin (?:Nano|NX|AGX)\b",
    "rocm": r"\+rocm|\brocm ?\d|\bhipError|\bgfx\d{3,4}|\bRadeon\b|\bRX ?[5-9]\d00",
    "gpu": r"\b(?:RTX|GTX|GeForce|Tesla|Quadro|A100|V100|H100)\b|NVIDIA-SMI +\d",
    "nvidia_wheel": r"\bnv2\d\.\d|CUDA used to build PyTorch: \d",
    "container": r"(?i)\b(?:docker|podman|singularity|apptainer|kubernetes|dockerfile)\b",
    "windows": "",  # this one and the next two are facts of the machine
    "macos": "",
    "linux": "",
}
"""Names that entries use in ``only``, ``unless`` and as ``{on_wsl}``, and the signs of each."""

_LINUX_ONLY = re.compile(
    r"\b(?:sudo|apt|dnf|dkms|modprobe|rmmod|dmesg|ulimit|mokutil|lscpu|shm|systemctl|ldd)\b"
    r"|LD_LIBRARY_PATH|LD_PRELOAD|(?<!\S)/(?:etc|usr|dev|proc)/|CONDA_PREFIX/lib"
)
_MORE = re.compile(r"(?<=[\s&])(?P<name>[A-Z][A-Z_0-9]{3,})=(?P<value>\"[^\"]*\"|\S+)")
_BEFORE = re.compile(
    r"(?P<name>\b[A-Z][A-Z_0-9]{3,})=(?P<value>\S+) (?=(?:python|pip|torchrun|jupyter|nvcc)\b)"
)


def places_of(text: str, machine: Machine) -> frozenset[str]:
    """Returns the places that a text gives away."""
    ends = ends_of(text)
    found = {name for name, signs in PLACES.items() if signs and re.search(signs, ends)}
    if machine.is_wsl:
        found.add("wsl")
    os = "linux" if "wsl" in found else machine.os
    return frozenset(found if os is None else found | {os})


def worded_for(fix: str, places: frozenset[str]) -> str:
    """Returns a fix as it is typed there: cmd's ``set`` on Windows, and nothing of Linux alone."""
    if not places & {"windows", "macos"}:
        return fix
    clauses = [each for each in fix.split("; ") if not _LINUX_ONLY.search(each)]
    fix = "; ".join(clauses) or fix
    if "windows" not in places:
        return fix
    fix = _BEFORE.sub(r"set \g<name>=\g<value> && ", fix)
    fix = "; ".join(map(_all_set, fix.split("; ")))
    fix = re.sub(r"\bexport (?=\w+=|[A-Z])", "set ", fix)
    return re.sub(r"\bunset ([A-Z]\w+)", r"set \1=", fix)


def _all_set(clause: str) -> str:
    """Writes the variables after the first of an ``export`` as commands of cmd's own."""
    first = re.search(r"\bexport \w+=", clause)
    end = first.end() if first else len(clause)
    return clause[:end] + _MORE.sub(r"&& set \g<name>=\g<value>", clause[end:])
