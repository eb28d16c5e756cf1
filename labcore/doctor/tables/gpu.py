"""GPUs: their compute capability, and which compiled kernels run on one."""

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from labcore.doctor.tables.cards import best_names, key_of
from labcore.doctor.tables.driver import CudaRelease
from labcore.doctor.tables.tables import compat_dir, rows
from labcore.doctor.tables.verdict import (
    OsName,
    Row,
    Rule,
    Verdict,
    judged,
    no,
    or_unknown,
    unknown,
)
from labcore.doctor.tables.versions import release

__all__ = [
    "GpuArch",
    "arch_of",
    "driver_knows_card",
    "find_card",
    "first_driver",
    "last_capability",
    "near_cards",
    "older_code",
    "runs_kernels",
    "toolkit_makes_code",
]

_GUIDE = Rule(("cuda-guide",))
MEASURED = _GUIDE
"""A list that a package itself gave."""
_ARCH = re.compile(r"(sm|compute)_(\d+)(\d)([af]?)|(\d+)\.(\d)([af]?)(\+PTX)?")


@dataclass(frozen=True, kw_only=True, slots=True)
class GpuArch:
    """The cards of one compute capability."""

    compute_capability: str
    architecture: str
    cuda_min: str
    """First CUDA toolkit that makes code for it."""
    cuda_last: str | None
    """Last one that does; None while none ended it."""
    driver_last: int | None
    """Last driver branch that knows it; None while none ended it."""
    tegra: bool
    """Whether it is a Tegra, whose machine code no other GPU shares."""
    cards: tuple[str, ...]
    sources: tuple[str, ...]
    verified: bool
    note: str = ""


@dataclass(frozen=True, slots=True)
class _Kernels:
    """Compiled code in a package, for one capability."""

    is_ptx: bool
    capability: tuple[int, int]
    only: str = ""
    """``a``: this capability alone; ``f``: its family."""


def find_card(name: str) -> tuple[str, GpuArch] | None:
    """Returns a card's name as NVIDIA writes it and its architecture; None when it is unknown.

    Args:
        name: As NVML, a shop or a person writes it: ``RTX 3080``, ``NVIDIA A100-SXM4-40GB``,
            ``gtx 950m``; also a bare compute capability, ``8.6`` or ``sm_86``.
    """
    bare = re.fullmatch(r"(?:sm_?|compute_?)?(\d+)\.?(\d)", name.strip().lower())
    arch = arch_of(f"{bare[1]}.{bare[2]}") if bare and int(bare[1]) < 30 else None
    if arch is not None:
        return f"compute capability {arch.compute_capability}", arch
    cards = _cards(str(compat_dir()))
    key = key_of(name)
    # People leave the first word of a name out when the rest is clear without it.
    words = ["rtx", "gtx", "gt", "jetson"]
    # P2000 is a Quadro; "RTX 6000" could be a Quadro or an Ada, and is left open.
    words += ["quadro"] if re.match(r"[kmpgvt]+\d", key) else []
    candidates = [key, *(f"{word}{key}" for word in words)]
    return next((cards[each] for each in candidates if each in cards), None)


def near_cards(name: str) -> list[str]:
    """Returns the names of known cards that are most like one that is not known."""
    return best_names(name, {key: card for key, (card, _) in _cards(str(compat_dir())).items()})


def arch_of(capability: str) -> GpuArch | None:
    """Returns the architecture of a compute capability, ``8.6``."""
    archs = rows("gpu_arch", GpuArch)
    return next((row for row in archs if row.compute_capability == capability), None)


def last_capability() -> str:
    """Returns the highest compute capability that the table knows."""
    return rows("gpu_arch", GpuArch)[-1].compute_capability


@or_unknown
def runs_kernels(capability: str, archs: Sequence[str], listed: Row = MEASURED) -> Verdict:
    """Says whether code compiled for some architectures runs on a GPU.

    Machine code for X.y runs on X.z with z >= y, never on another X, and a Tegra shares it with
    nobody; PTX is compiled at start for any capability that is not lower.

    Args:
        capability: The GPU's: ``8.6``.
        archs: What the package was built for: ``sm_80``, ``compute_90``, ``8.0``, ``12.0+PTX``.
        listed: Where that list comes from; by default the package itself.
    """
    card = _capability(capability)
    kernels = [each for arch in archs for each in _kernels(arch)]
    if not kernels:
        return unknown("it is not known which GPUs this was compiled for")
    row = arch_of(capability)
    machine = [each for each in kernels if not each.is_ptx]
    native = [each for each in machine if _runs(each, card, tegra=row is not None and row.tegra)]
    if native:
        best = max(native, key=lambda each: each.capability)
        exact = best.capability == card
        why = f"it has machine code for {_text(best.capability)}" + (
            "" if exact else f", which runs on {capability}"
        )
        return judged("yes", why, "", listed, _GUIDE)
    ptx = [each for each in kernels if each.is_ptx and each.capability <= card and not each.only]
    if ptx:
        newest = _text(max(each.capability for each in ptx))
        return judged(
            "limited",
            f"it has no machine code for {capability}, only PTX for {newest}, which the driver "
            "compiles when the program first starts: that takes minutes, and code tuned for this "
            "GPU is missing",
            f"a build with machine code for {capability}",
            listed,
            _GUIDE,
        )
    has = ", ".join(dict.fromkeys(_text(each.capability) for each in kernels))
    return no(
        f"it has code for {has} and none that runs on {capability}: the error is "
        '"no kernel image is available for execution on the device"',
        f"a build with code for {capability}",
        listed,
        _GUIDE,
    )


@or_unknown
def toolkit_makes_code(cuda: str, capability: str) -> Verdict:
    """Says whether the compiler of a CUDA toolkit makes code for a GPU."""
    row = arch_of(capability)
    if row is None:
        return _unknown_capability(capability)
    if release(cuda) < release(row.cuda_min):
        older = older_code(capability, cuda)
        if older:
            return Verdict(
                state="limited",
                why=f"CUDA {cuda} does not know {capability}, which came with CUDA "
                f"{row.cuda_min}; its code for {older} runs there too",
                fix=f'compile for {older}: TORCH_CUDA_ARCH_LIST="{older}+PTX"',
                sources=row.sources,
            )
        return no(
            f"CUDA {cuda} is older than the architecture: {capability} ({row.architecture}) needs "
            f"CUDA {row.cuda_min} or newer",
            f"CUDA {row.cuda_min} or newer",
            row,
        )
    if row.cuda_last is not None and release(cuda)[:2] > release(row.cuda_last)[:2]:
        return no(
            f"CUDA {row.cuda_last} is the last that makes code for {capability} "
            f"({row.architecture}), and this is {cuda}",
            f"CUDA {row.cuda_last} or older",
            row,
        )
    return judged("yes", f"CUDA {cuda} makes code for {capability}", "", row)


@or_unknown
def driver_knows_card(driver: str, capability: str, os: OsName = "linux") -> Verdict:
    """Says whether a driver knows a GPU: not before its first CUDA, not after its last branch."""
    row = arch_of(capability)
    if row is None:
        return _unknown_capability(capability)
    if row.driver_last is not None and release(driver)[0] >= _next_branch(row.driver_last):
        return no(
            f"{row.driver_last} is the last driver branch that supports {row.architecture}, and "
            f"this is {driver}",
            f"a driver of branch {row.driver_last}",
            row,
        )
    shipped = _first_release(row, os)
    first = None if shipped is None else shipped.driver(os)
    if shipped is not None and first and release(driver)[0] < release(first)[0]:
        return no(
            f"driver {driver} is older than the architecture: {capability} ({row.architecture}) "
            f"came with CUDA {row.cuda_min} and driver {first}",
            f"driver {first} or newer",
            row,
            shipped,
        )
    return judged("yes", f"driver {driver} knows {capability}", "", row)


def first_driver(capability: str, os: OsName = "linux") -> str | None:
    """Returns the driver of the first CUDA that knows a GPU; None when it is not known."""
    row = arch_of(capability)
    shipped = None if row is None else _first_release(row, os)
    return None if shipped is None else shipped.driver(os)


def _first_release(row: GpuArch, os: OsName) -> CudaRelease | None:
    """The first toolkit that knows an architecture and names a driver."""
    known = (
        each
        for each in rows("cuda_driver", CudaRelease)
        if release(each.cuda)[:2] >= release(row.cuda_min)[:2]
    )
    return next((each for each in known if each.driver(os)), None)


def _next_branch(last: int) -> int:
    """Driver branches count in tens or fives; minor branches of one share its hundred and ten."""
    return last // 5 * 5 + 5


def _unknown_capability(capability: str) -> Verdict:
    return unknown(
        f"compute capability {capability} is not in the table, which ends at {last_capability()}"
    )


def older_code(capability: str, cuda: str) -> str | None:
    """Returns the capability of the same major number that a toolkit knows; None for a Tegra."""
    row = arch_of(capability)
    if row is None or row.tegra:
        return None
    major = capability.partition(".")[0]
    known = [
        each.compute_capability
        for each in rows("gpu_arch", GpuArch)
        if not each.tegra
        and each.compute_capability.partition(".")[0] == major
        and release(each.compute_capability) < release(row.compute_capability)
        and release(each.cuda_min) <= release(cuda)
    ]
    return known[-1] if known else None


def _runs(kernels: _Kernels, card: tuple[int, int], *, tegra: bool) -> bool:
    if tegra or kernels.only == "a" or _is_tegra(kernels.capability):
        return kernels.capability == card
    return kernels.capability[0] == card[0] and kernels.capability[1] <= card[1]


def _is_tegra(capability: tuple[int, int]) -> bool:
    row = arch_of(_text(capability))
    return row is not None and row.tegra


def _kernels(arch: str) -> list[_Kernels]:
    """Reads ``sm_86``, ``compute_90``, ``8.6`` or ``12.0+PTX``; the last is both."""
    found = _ARCH.fullmatch(arch.strip())
    if found is None:
        raise ValueError(f"{arch!r} names no GPU architecture; it looks like sm_86 or 8.6")
    if found[1]:
        capability = (int(found[2]), int(found[3]))
        return [_Kernels(found[1] == "compute", capability, found[4])]
    capability = (int(found[5]), int(found[6]))
    machine = _Kernels(False, capability, found[7])
    return [machine, _Kernels(True, capability, found[7])] if found[8] else [machine]


def _capability(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d+)\.(\d)", text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no compute capability; it looks like 8.6")
    return int(found[1]), int(found[2])


def _text(capability: tuple[int, int]) -> str:
    return f"{capability[0]}.{capability[1]}"


@functools.cache
def _cards(folder: str) -> dict[str, tuple[str, GpuArch]]:
    return {key_of(card): (card, row) for row in rows("gpu_arch", GpuArch) for card in row.cards}
