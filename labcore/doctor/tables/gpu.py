"""GPUs: their names and compute capability, and which compiled kernels run on one."""

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from labcore.doctor.tables.cuda import TOOLKITS, CudaRelease
from labcore.doctor.tables.tables import Table, compat_dir, release
from labcore.doctor.tables.verdict import OsName, Row, Verdict, judged, no, or_unknown, unknown
from labcore.errors import nearest

_GUIDE = Row(sources=("cuda-guide",), verified=True)
MEASURED = _GUIDE
"""A list that a package itself gave."""
_ARCH = re.compile(r"(sm|compute)_(\d+)(\d)([af]?)|(\d+)\.(\d)([af]?)(\+PTX)?")
_SECOND_NAMES = re.compile(
    r"\(tm\)|\(r\)|\bnvidia\b|\bgeforce\b|\btesla\b|\bgraphics\b|\bcard\b|\bgpu\b|\blaptop\b"
    r"|\bnotebook\b|\bmobile\b|\bgeneration\b|\b(?:workstation|server) edition\b|\bedition\b"
    r"|\bwith\b|\bdesign\b|\blhr\b|\boem\b|\bsxm\d?\b|\bpcie?\b|\bnvl\b|\bhbm\d?\w?\b"
    r"|\b\d+ ?gi?b\b|\bsuperchip\b"
)
_MAX_Q = re.compile(r"\bmax q\b")
_SLICE = re.compile(r"\bmig \d+g\b.*")
_MAKERS = {
    "Apple": re.compile(r"(?:apple )?m[1-9](?: (?:pro|max|ultra))?(?: gpu)?|apple.*"),
    "AMD": re.compile(
        r".*\b(?:amd|radeon|instinct|firepro|ryzen|vega(?: \d+)?|mi\d{2,3}[a-z]?|gfx\d+\w*)\b.*"
        r"|rx ?\d{3,4}(?: ?xtx?)?|r[579] \w+"
    ),
    "Intel": re.compile(r".*\b(?:intel|arc|iris|uhd)\b.*"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class GpuArch(Row):
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


GPUS = Table("gpu_arch", GpuArch, "compute_capability", "compute capability")


@dataclass(frozen=True, slots=True)
class _Kernels:
    """Compiled code in a package, for one capability."""

    is_ptx: bool
    capability: tuple[int, ...]
    only: str = ""
    """``a``: this capability alone; ``f``: its family."""


def maker_of(name: str) -> str:
    """Returns who makes a card, by its name: Apple, AMD or Intel, else NVIDIA."""
    plain = re.sub(r"[-_()\[\],]+", " ", name.lower()).strip()
    return next((maker for maker, form in _MAKERS.items() if form.fullmatch(plain)), "NVIDIA")


def find_card(name: str) -> tuple[str, GpuArch] | None:
    """Returns a card's name as NVIDIA writes it and its architecture; None when it is unknown.

    Args:
        name: As NVML, a shop or a person writes it: ``RTX 3080``, ``NVIDIA A100-SXM4-40GB``,
            ``gtx 950m``; also a bare compute capability, ``8.6`` or ``sm_86``.
    """
    bare = re.fullmatch(r"(?:sm_?|compute_?)?(\d+)\.?(\d)", name.strip().lower())
    arch = GPUS.row(f"{bare[1]}.{bare[2]}") if bare and int(bare[1]) < 30 else None
    if arch is not None:
        return f"compute capability {arch.compute_capability}", arch
    cards, key = _cards(str(compat_dir())), _key_of(name)
    # People leave the first word of a name out when the rest is clear without it.
    words = ["rtx", "gtx", "gt", "jetson"]
    # P2000 is a Quadro; "RTX 6000" could be a Quadro or an Ada, and is left open.
    words += ["quadro"] if re.match(r"[kmpgvt]+\d", key) else []
    candidates = [key, *(f"{word}{key}" for word in words)]
    return next((cards[each] for each in candidates if each in cards), None)


def near_cards(name: str, count: int = 3) -> list[str]:
    """Returns the names of known cards that are most like one that is not known."""
    cards, key = _cards(str(compat_dir())), _key_of(name)
    digits = re.search(r"\d{3,4}", key)
    # For a person the cards with its number are nearest; without one, those that look alike.
    same = [each for each in cards if digits and digits[0] in each]
    found = sorted(same, key=lambda each: (key not in each, len(each)))
    return [cards[each][0] for each in found or nearest(key, cards, count)][:count]


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
    if not re.fullmatch(r"\d+\.\d", capability.strip()):
        raise ValueError(f"{capability!r} is no compute capability; it looks like 8.6")
    card = release(capability)
    kernels = [each for arch in archs for each in _kernels(arch)]
    if not kernels:
        return unknown("it is not known which GPUs this was compiled for")
    native = [each.capability for each in kernels if not each.is_ptx and _runs(each, card)]
    if native:
        best = max(native)
        why = f"it has machine code for {_text(best)}"
        why += "" if best == card else f", which runs on {capability}"
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
    row = GPUS.row(capability)
    if row is None:
        return GPUS.unknown(capability)
    if release(cuda) < release(row.cuda_min):
        older = older_code(capability, cuda)
        if older:
            return judged(
                "limited",
                f"CUDA {cuda} does not know {capability}, which came with CUDA {row.cuda_min}; its "
                f"code for {older} runs there too",
                f'compile for {older}: TORCH_CUDA_ARCH_LIST="{older}+PTX"',
                row,
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
    row = GPUS.row(capability)
    if row is None:
        return GPUS.unknown(capability)
    # Driver branches count in tens or fives; minor branches of one share its hundred and ten.
    if row.driver_last is not None and release(driver)[0] >= row.driver_last // 5 * 5 + 5:
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


def first_driver(row: GpuArch, os: OsName) -> str | None:
    """Returns the driver of the first CUDA that knows a GPU; None when it is not known."""
    shipped = _first_release(row, os)
    return None if shipped is None else shipped.driver(os)


def _first_release(row: GpuArch, os: OsName) -> CudaRelease | None:
    """The first toolkit that knows an architecture and names a driver."""
    first = release(row.cuda_min)[:2]
    known = (each for each in TOOLKITS.rows if release(each.cuda)[:2] >= first)
    return next((each for each in known if each.driver(os)), None)


def older_code(capability: str, cuda: str) -> str | None:
    """Returns the capability of the same major number that a toolkit knows; None for a Tegra."""
    row = GPUS.row(capability)
    if row is None or row.tegra:
        return None
    wanted = release(capability)
    known = [
        each.compute_capability
        for each in GPUS.rows
        if not each.tegra
        and (wanted[0],) < release(each.compute_capability) < wanted
        and release(each.cuda_min) <= release(cuda)
    ]
    return known[-1] if known else None


def _runs(kernels: _Kernels, card: tuple[int, ...]) -> bool:
    """Whether machine code runs on a card."""
    if kernels.only == "a" or _is_tegra(card) or _is_tegra(kernels.capability):
        return kernels.capability == card
    return kernels.capability[0] == card[0] and kernels.capability <= card


def _is_tegra(capability: tuple[int, ...]) -> bool:
    row = GPUS.row(_text(capability))
    return row is not None and row.tegra


def _kernels(arch: str) -> list[_Kernels]:
    """Reads ``sm_86``, ``compute_90``, ``8.6`` or ``12.0+PTX``; the last is both."""
    found = _ARCH.fullmatch(arch.strip())
    if found is None:
        raise ValueError(f"{arch!r} names no GPU architecture; it looks like sm_86 or 8.6")
    if found[1]:
        return [_Kernels(found[1] == "compute", (int(found[2]), int(found[3])), found[4])]
    capability = (int(found[5]), int(found[6]))
    machine = _Kernels(False, capability, found[7])
    return [machine, _Kernels(True, capability, found[7])] if found[8] else [machine]


def _text(capability: tuple[int, ...]) -> str:
    return f"{capability[0]}.{capability[1]}"


def _key_of(name: str) -> str:
    """What is left of a card's name without the words that do not change what it is.

    ``NVIDIA GeForce RTX 3080 Laptop GPU`` and ``rtx3080`` are both ``rtx3080``;
    ``Tesla V100-SXM2-16GB`` is ``v100``.
    """
    plain = name.lower().replace("(tm)", "").replace("(r)", "")
    plain = re.sub(r"[-_/()\[\],]+", " ", plain)
    plain = _SECOND_NAMES.sub(" ", _SLICE.sub("", plain))
    # A Max-Q model is the card of that name, run slower; only one name has it as its own.
    if "rtx pro" not in plain:
        plain = _MAX_Q.sub(" ", plain)
    return re.sub(r"\s+", "", plain)


@functools.cache
def _cards(folder: str) -> dict[str, tuple[str, GpuArch]]:
    return {_key_of(card): (card, row) for row in GPUS.rows for card in row.cards}
