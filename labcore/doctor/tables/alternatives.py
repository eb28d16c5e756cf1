"""What goes instead of a set that does not: the fewest changes, then the smallest."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import combinations, product
from typing import get_args

from labcore.doctor.tables.driver import CudaRelease, driver_for
from labcore.doctor.tables.gpu import arch_of, first_driver
from labcore.doctor.tables.install import build_cuda, commands
from labcore.doctor.tables.packages import PYTHONS, Companion, package_rows
from labcore.doctor.tables.pairs import Pair, pairs
from labcore.doctor.tables.pytorch3d import pytorch3d_rows
from labcore.doctor.tables.setup import CPU, Setup
from labcore.doctor.tables.tables import rows
from labcore.doctor.tables.tensorflow import tensorflow_row, tensorflow_rows
from labcore.doctor.tables.toolkit import HostCompiler
from labcore.doctor.tables.torch import torch_row, torch_rows, torchvision_for
from labcore.doctor.tables.verdict import OsName
from labcore.doctor.tables.versions import release, series

__all__ = ["Alternative", "alternatives", "least_change"]

_Changes = Mapping[str, str | None]

_LABELS = {
    "driver": "driver",
    "python": "Python",
    "cuda": "CUDA",
    "torch_cuda": "CUDA of torch",
    "cudnn": "cuDNN",
    "torch": "torch",
    "tensorflow": "TensorFlow",
    "pytorch3d": "PyTorch3D",
    "cub": "CUB_HOME",
    "gcc": "gcc",
    **{name: name for name in get_args(Companion)},
}
_PACKAGES = tuple(name for name in get_args(Companion) if name != "torchvision")
_GOES = ("yes", "limited")
_CHOSEN_BY = {"driver": "cuda", "python": "pytorch3d"}
"""A torch build is chosen for the driver, a wheel of PyTorch3D for the Python."""
_MOST_SLOTS = 3
"""Things changed at once, beyond which an answer is a new set and no repair."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Alternative:
    """A set near the one asked for that does go together."""

    setup: Setup
    changes: tuple[str, ...]
    """``torch 2.0.1 -> 2.7.1``."""
    cares: tuple[str, ...]
    """What has to be minded: the fixes of its limited pairs."""
    commands: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Found:
    setup: Setup
    slots: tuple[str, ...]
    changed: frozenset[str]
    num_limited: int
    distance: int
    newness: int
    is_default: bool
    """Whether the torch build is the one that the package index has."""


def least_change(setup: Setup, keep: Sequence[str] = ()) -> Alternative | None:
    """Returns the set nearest to one that does not work: fewest things, then nearest versions.

    Of torch 2.6 for CUDA 12.4 on an RTX 5090 it is torch 2.7.1 for CUDA 12.8, not the newest.

    Args:
        setup: Versions, as far as they are known; the card and the operating system stay.
        keep: What else has to stay: names of fields of the set, such as driver and python.

    Returns:
        The set with what changes and the commands; None when nothing in the tables does it, or
        the set works.
    """
    if not any(
        pair.verdict.state in ("no", "doubtful") for pair in pairs(setup, setup.os or "linux")
    ):
        return None
    found = alternatives(setup, setup.os or "linux", count=1, keep=keep)
    return found[0] if found else None


def alternatives(
    setup: Setup, os: OsName, count: int = 3, keep: Sequence[str] = ()
) -> tuple[Alternative, ...]:
    """Returns sets that work, by how little they change: fewest things, then nearest versions.

    The card and the operating system stay. Of every way to change as few things as possible the
    nearest version is proposed, and the newest where that is another.

    Args:
        setup: A set that does not work.
        os: Operating system.
        count: At most so many.
        keep: What has to stay.
    """
    slots = {name: list(options) for name, options in _slots(setup, os).items() if name not in keep}
    wrong = [set(pair.keys) for pair in pairs(setup, os) if pair.verdict.state not in _GOES]
    touched = {name: _touched(options) for name, options in slots.items()}
    for size in range(1, _MOST_SLOTS + 1):
        found: list[_Found] = []
        for names in _subsets(tuple(slots), size):
            # A pair that nothing in it changes for stays wrong.
            if not all(any(keys & touched[name] for name in names) for keys in wrong):
                continue
            for choice in product(*(slots[name] for name in names)):
                candidate = _merged(setup, choice)
                if candidate is not None:
                    found += _works(setup, candidate, names, os)
        if found:
            return tuple(_alternative(setup, each.setup, os) for each in _pick(found, count))
    return ()


def _slots(setup: Setup, os: OsName) -> dict[str, Iterable[_Changes]]:
    """Names what can be changed, each with its options; versions of one thing move together."""
    slots: dict[str, Iterable[_Changes]] = {}
    if setup.cub:
        slots["cub"] = [{"cub": None}, {"cub": "1.10.0"}, {"cub": "1.17.2"}]
    if setup.torch:
        slots["build"] = _builds(setup, (setup.torch,))
        slots["torch"] = _builds(setup, [row.newest for row in torch_rows()])
    if setup.pytorch3d:
        slots["pytorch3d"] = [{"pytorch3d": row.pytorch3d} for row in pytorch3d_rows()]
    if setup.tensorflow:
        slots["tensorflow"] = _tensorflows(setup)
    elif setup.cuda and setup.torch is None:
        slots["cuda"] = [{"cuda": cuda} for cuda in _toolkits()]
    if setup.python:
        slots["python"] = [{"python": each} for each in PYTHONS]
    for package in _PACKAGES:
        if getattr(setup, package):
            slots[package] = [{package: row.version} for row in package_rows(package)]
    if setup.torchvision:
        own = [torchvision_for(setup.torch)] if setup.torch else []
        named = [*own, *(row.torchvision for row in torch_rows())]
        slots["torchvision"] = [{"torchvision": each} for each in dict.fromkeys(named) if each]
    if setup.gcc:
        newest = {row.gcc_max for row in rows("host_compiler", HostCompiler)}
        slots["gcc"] = [{"gcc": str(each)} for each in sorted(newest)]
    if setup.driver:
        slots["driver"] = _drivers(setup, os)
    return slots


def _builds(setup: Setup, versions: Iterable[str]) -> Iterator[_Changes]:
    """CUDA builds of some torch releases; a toolkit that was named goes with the build."""
    key = "torch_cuda" if setup.torch_cuda else "cuda"
    for version in versions:
        row = torch_row(version)
        for build in row.builds if row else ():
            changes = {"torch": version, key: build.cuda}
            if key == "torch_cuda" and setup.cuda and setup.pytorch3d:
                changes["cuda"] = build.cuda
            yield changes


def _tensorflows(setup: Setup) -> Iterator[_Changes]:
    """TensorFlow releases; CUDA and cuDNN that were named for it go with them."""
    for row in tensorflow_rows():
        changes = {"tensorflow": row.newest}
        if setup.cuda and setup.torch is None:
            changes["cuda"] = row.cuda
        if setup.cudnn:
            changes["cudnn"] = row.cudnn
        yield changes


def _toolkits() -> list[str]:
    return list(dict.fromkeys(series(row.cuda) for row in rows("cuda_driver", CudaRelease)))


def _drivers(setup: Setup, os: OsName) -> Iterator[_Changes]:
    """The least drivers of the CUDA versions and of the card in the set, and the card's last."""
    row = tensorflow_row(setup.tensorflow) if setup.tensorflow else None
    cudas = {build_cuda(setup, os) or setup.cuda, row.cuda if row else None}
    wanted = {driver_for(cuda, os) for cuda in cudas if cuda}
    arch = arch_of(setup.capability) if setup.capability else None
    if arch is not None:
        wanted.add(first_driver(arch.compute_capability, os))
        wanted.add(str(arch.driver_last) if arch.driver_last else None)
    for driver in sorted((each for each in wanted if each), key=release):
        yield {"driver": driver}


def _subsets(names: tuple[str, ...], size: int) -> Iterator[tuple[str, ...]]:
    """Sets of slots; a build of the same torch and another torch are not two changes."""
    for subset in combinations(names, size):
        if not {"build", "torch"} <= set(subset):
            yield subset


def _touched(options: Iterable[_Changes]) -> set[str]:
    """Fields that a slot changes, or that are chosen by what it changes."""
    changed = {name for option in options for name in option}
    return changed | {_CHOSEN_BY[name] for name in changed & set(_CHOSEN_BY)}


def _merged(setup: Setup, choice: tuple[_Changes, ...]) -> Setup | None:
    changes: dict[str, str | None] = {}
    for part in choice:
        if any(changes.get(name, value) != value for name, value in part.items()):
            return None
        changes |= part
    return setup.with_changes(**changes)


def _works(setup: Setup, candidate: Setup, names: tuple[str, ...], os: OsName) -> list[_Found]:
    states = []
    for pair in pairs(candidate, os):
        state = pair.verdict.state
        if state not in _GOES:
            return []
        states.append(state)
    steps = _steps(setup, candidate)
    # CUDA follows torch and TensorFlow; alone, an older one is no newer set.
    unseen = ("cuda", "torch_cuda") if setup.torch or setup.tensorflow else ()
    if 0 in (abs(steps.get(name, 1)) for name in names):
        return []
    return [
        _Found(
            candidate,
            names,
            frozenset(each.name for each in fields(Setup) if _differs(each.name, setup, candidate)),
            states.count("limited"),
            sum(abs(step) for step in steps.values()),
            sum(step for name, step in steps.items() if name not in unseen),
            _has_default_build(candidate, os),
        )
    ]


def _differs(name: str, setup: Setup, candidate: Setup) -> bool:
    before, after = getattr(setup, name), getattr(candidate, name)
    return bool(before != after)


def _steps(setup: Setup, candidate: Setup) -> dict[str, int]:
    """How many releases each thing moves."""
    scales = {
        "torch": [row.torch for row in torch_rows()],
        "tensorflow": [row.tensorflow for row in tensorflow_rows()],
        "pytorch3d": [row.pytorch3d for row in pytorch3d_rows()],
        "cuda": _toolkits(),
        "torch_cuda": _toolkits(),
        "python": list(PYTHONS),
        "gcc": [str(each) for each in range(5, 20)],
        "torchvision": [series(row.torchvision) for row in torch_rows() if row.torchvision],
        **{name: [series(row.version) for row in package_rows(name)] for name in _PACKAGES},
    }
    steps = {}
    for name, scale in scales.items():
        before, after = getattr(setup, name), getattr(candidate, name)
        if before is not None and after is not None and CPU not in (before, after):
            steps[name] = _place(after, scale) - _place(before, scale)
    return steps


def _place(version: str, scale: list[str]) -> int:
    return sum(release(each) <= release(version) for each in scale)


def _pick(found: list[_Found], count: int) -> list[_Found]:
    """The nearest of every way, then the newest of every way."""
    nearest: dict[tuple[str, ...], _Found] = {}
    newest: dict[tuple[str, ...], _Found] = {}
    for each in found:
        best = nearest.get(each.slots)
        if best is None or _near(each) < _near(best):
            nearest[each.slots] = each
        latest = newest.get(each.slots)
        if latest is None or _new(each) > _new(latest):
            newest[each.slots] = each
    ways = sorted(nearest.values(), key=_near)
    others = sorted(newest.values(), key=_new, reverse=True)
    chosen: dict[Setup, _Found] = {}
    for each in [*ways, *others]:
        # More things changed than another way already does with fewer is no way of its own.
        if not any(other.changed < each.changed for other in chosen.values()):
            chosen.setdefault(each.setup, each)
    return list(chosen.values())[:count]


def _near(each: _Found) -> tuple[int, int, bool]:
    return each.distance, each.num_limited, not each.is_default


def _new(each: _Found) -> tuple[int, bool, int]:
    return each.newness, each.is_default, -each.num_limited


def _has_default_build(setup: Setup, os: OsName) -> bool:
    row = torch_row(setup.torch) if setup.torch else None
    return row is not None and build_cuda(setup, os) == row.pypi_cuda


def _alternative(setup: Setup, candidate: Setup, os: OsName) -> Alternative:
    lines = list(pairs(candidate, os))
    return Alternative(
        setup=candidate,
        changes=tuple(_changes(setup, candidate)),
        cares=tuple(dict.fromkeys(_cares(lines))),
        commands=commands(candidate, os),
    )


def _cares(lines: list[Pair]) -> Iterator[str]:
    for line in lines:
        if line.verdict.state == "limited" and line.verdict.fix:
            yield f"{line.title}: {line.verdict.fix}"


def _changes(setup: Setup, candidate: Setup) -> Iterator[str]:
    for name, label in _LABELS.items():
        before, after = getattr(setup, name), getattr(candidate, name)
        if before == after or (name == "torch_cuda" and after == candidate.cuda != setup.cuda):
            continue
        if after is None:
            yield f"no {label}"
        else:
            yield f"{label} {before} -> {after}" if before else f"{label} {after}"
