"""Whether a set of versions goes together, and what goes instead: the fewest, smallest changes."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations, product
from typing import Any, get_args

from labcore.doctor.tables.cuda import COMPILERS, TOOLKITS, driver_for
from labcore.doctor.tables.gpu import first_driver
from labcore.doctor.tables.packages import PYTHONS, Companion, package_rows
from labcore.doctor.tables.pairs import Pair, pairs
from labcore.doctor.tables.pytorch3d import PYTORCH3D
from labcore.doctor.tables.setup import CPU, Setup, commands
from labcore.doctor.tables.tables import release, series
from labcore.doctor.tables.tensorflow import TENSORFLOW
from labcore.doctor.tables.torch import TORCH, torchvision_for

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
_GOES = ("yes", "limited")
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Explanation:
    """The answer for one operating system."""

    setup: Setup
    lines: tuple[Pair, ...]
    works: bool | None
    """None when something decisive is not known."""
    commands: tuple[str, ...]
    """How to install the set; empty when it does not go together."""
    alternatives: tuple[Alternative, ...]
    """What goes instead; empty when the set does."""


@dataclass(frozen=True, slots=True)
class _Found:
    setup: Setup
    slots: tuple[str, ...]
    changed: frozenset[str]
    near: tuple[int, int, bool]
    """Releases moved, conditions, whether the torch build is not the index's own: least first."""
    new: tuple[int, bool, int]
    """Releases moved forward, whether the build is the index's own, conditions: most first."""


def explain(setup: Setup) -> Explanation:
    """Judges a set pair by pair, for its operating system or else for Linux."""
    lines = tuple(pairs(setup))
    states = {line.verdict.state for line in lines}
    works = None if states & {"unknown", "doubtful"} or not states else True
    works = False if "no" in states else works
    return Explanation(
        setup=setup,
        lines=lines,
        works=works,
        commands=commands(setup) if works else (),
        alternatives=_alternatives(setup, lines, count=3),
    )


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
    found = _alternatives(setup, tuple(pairs(setup)), count=1, keep=keep)
    return found[0] if found else None


def _alternatives(
    setup: Setup, lines: tuple[Pair, ...], count: int, keep: Sequence[str] = ()
) -> tuple[Alternative, ...]:
    """Returns sets that work, by how little they change; none for one that is not refused.

    Of every way to change as few things as possible the nearest version is proposed, and the
    newest where that is another.
    """
    if not any(line.verdict.state in ("no", "doubtful") for line in lines):
        return ()
    slots = {name: list(options) for name, options in _slots(setup).items() if name not in keep}
    wrong = [set(line.keys) for line in lines if line.verdict.state not in _GOES]
    touched = {
        name: {field for option in options for field in option} for name, options in slots.items()
    }
    for size in range(1, _MOST_SLOTS + 1):
        found: list[_Found] = []
        for names in combinations(slots, size):
            # A build of the same torch and another torch are not two changes, and a pair that
            # nothing in it changes for stays wrong.
            if {"build", "torch"} <= set(names) or not all(
                any(keys & touched[name] for name in names) for keys in wrong
            ):
                continue
            for choice in product(*(slots[name] for name in names)):
                candidate = _merged(setup, choice)
                way = None if candidate is None else _works(setup, candidate, names)
                found += [way] if way is not None else []
        if found:
            return tuple(_alternative(setup, each.setup) for each in _pick(found)[:count])
    return ()


def _slots(setup: Setup) -> dict[str, Iterable[_Changes]]:
    """Names what can be changed, each with its options; versions of one thing move together."""
    slots: dict[str, Iterable[_Changes]] = {}
    if setup.cub:
        slots["cub"] = [{"cub": None}, {"cub": "1.10.0"}, {"cub": "1.17.2"}]
    if setup.torch:
        slots["build"] = _builds(setup, [setup.torch])
        slots["torch"] = _builds(setup, _versions("torch"))
    if setup.tensorflow:
        slots["tensorflow"] = _tensorflows(setup)
    alone = [] if setup.torch or setup.tensorflow else ["cuda"]
    for name in ("pytorch3d", *alone, "python", *get_args(Companion), "gcc"):
        if getattr(setup, name):
            own = torchvision_for(setup.torch) if name == "torchvision" and setup.torch else None
            options = [*([own] if own else []), *_versions(name)]
            slots[name] = [{name: each} for each in dict.fromkeys(options)]
    if setup.driver:
        slots["driver"] = _drivers(setup)
    return slots


def _versions(name: str) -> list[str]:
    """The versions of a thing that can be proposed, oldest first."""
    if name == "torch":
        return [row.newest for row in TORCH.rows]
    if name == "torchvision":
        return [row.torchvision for row in TORCH.rows if row.torchvision]
    if name == "tensorflow":
        return [row.newest for row in TENSORFLOW.rows]
    if name == "pytorch3d":
        return [row.pytorch3d for row in PYTORCH3D.rows]
    if name in ("cuda", "torch_cuda"):
        return list(dict.fromkeys(series(row.cuda) for row in TOOLKITS.rows))
    if name == "python":
        return list(PYTHONS)
    if name == "gcc":
        return [str(each) for each in sorted({row.gcc_max for row in COMPILERS.rows})]
    return [row.version for row in package_rows(name)]


def _builds(setup: Setup, versions: Iterable[str]) -> Iterator[_Changes]:
    """CUDA builds of some torch releases; a toolkit that was named goes with the build."""
    key = "torch_cuda" if setup.torch_cuda else "cuda"
    for version in versions:
        row = TORCH.row(version)
        for build in row.builds if row else ():
            changes = {"torch": version, key: build.cuda}
            if setup.cuda and setup.pytorch3d:
                changes["cuda"] = build.cuda
            yield changes


def _tensorflows(setup: Setup) -> Iterator[_Changes]:
    """TensorFlow releases; CUDA and cuDNN that were named for it go with them."""
    for row in TENSORFLOW.rows:
        changes = {"tensorflow": row.newest}
        if setup.cuda and setup.torch is None:
            changes["cuda"] = row.cuda
        if setup.cudnn:
            changes["cudnn"] = row.cudnn
        yield changes


def _drivers(setup: Setup) -> Iterator[_Changes]:
    """The least drivers of the CUDA versions and of the card in the set, and the card's last."""
    cudas = {setup.build or setup.cuda, setup.tensorflow_cuda}
    wanted = {driver_for(cuda, setup.system) for cuda in cudas if cuda}
    if setup.card is not None:
        arch = setup.card[1]
        last = str(arch.driver_last) if arch.driver_last else None
        wanted |= {first_driver(arch, setup.system), last}
    for driver in sorted((each for each in wanted if each), key=release):
        yield {"driver": driver}


def _merged(setup: Setup, choice: tuple[_Changes, ...]) -> Setup | None:
    changes: dict[str, Any] = {}
    for name, value in (item for part in choice for item in part.items()):
        if changes.setdefault(name, value) != value:
            return None
    return replace(setup, **changes)


def _works(setup: Setup, candidate: Setup, names: tuple[str, ...]) -> _Found | None:
    num_limited = 0
    for pair in pairs(candidate):
        if pair.verdict.state not in _GOES:
            return None
        num_limited += pair.verdict.state == "limited"
    steps = _steps(setup, candidate)
    # CUDA follows torch and TensorFlow; alone, an older one is no newer set.
    unseen = ("cuda", "torch_cuda") if setup.torch or setup.tensorflow else ()
    if 0 in (steps.get(name, 1) for name in names):
        return None
    before, after = asdict(setup), asdict(candidate)
    row = TORCH.row(candidate.torch) if candidate.torch else None
    is_default = row is not None and candidate.build == row.pypi_cuda
    distance = sum(abs(step) for step in steps.values())
    newness = sum(step for name, step in steps.items() if name not in unseen)
    return _Found(
        candidate,
        names,
        frozenset(name for name in before if before[name] != after[name]),
        (distance, num_limited, not is_default),
        (newness, is_default, -num_limited),
    )


def _steps(setup: Setup, candidate: Setup) -> dict[str, int]:
    """How many releases each thing moves."""
    steps = {}
    for name in set(_LABELS) - {"driver", "cudnn", "cub"}:
        before, after = getattr(setup, name), getattr(candidate, name)
        if before is not None and after is not None and CPU not in (before, after):
            has_patches = name == "pytorch3d"
            scale = [each if has_patches else series(each) for each in _versions(name)]
            steps[name] = _place(after, scale) - _place(before, scale)
    return steps


def _place(version: str, scale: list[str]) -> int:
    """How many releases there are up to a version; one past the last counts as one more."""
    past = release(series(version)) > release(scale[-1])
    return sum(release(each) <= release(version) for each in scale) + past


def _pick(found: list[_Found]) -> list[_Found]:
    """The nearest of every way, then the newest of every way."""
    nearest: dict[tuple[str, ...], _Found] = {}
    newest: dict[tuple[str, ...], _Found] = {}
    for each in found:
        nearest[each.slots] = min(nearest.get(each.slots, each), each, key=lambda way: way.near)
        newest[each.slots] = max(newest.get(each.slots, each), each, key=lambda way: way.new)
    ways = sorted(nearest.values(), key=lambda way: way.near)
    others = sorted(newest.values(), key=lambda way: way.new, reverse=True)
    chosen: dict[Setup, _Found] = {}
    for each in [*ways, *others]:
        # More things changed than another way already does with fewer is no way of its own.
        if not any(other.changed < each.changed for other in chosen.values()):
            chosen.setdefault(each.setup, each)
    return list(chosen.values())


def _alternative(setup: Setup, candidate: Setup) -> Alternative:
    cares = [
        f"{line.title}: {line.verdict.fix}"
        for line in pairs(candidate)
        if line.verdict.state == "limited" and line.verdict.fix
    ]
    return Alternative(
        setup=candidate,
        changes=tuple(_changes(setup, candidate)),
        cares=tuple(dict.fromkeys(cares)),
        commands=commands(candidate),
    )


def _changes(setup: Setup, candidate: Setup) -> Iterator[str]:
    for name, label in _LABELS.items():
        before, after = getattr(setup, name), getattr(candidate, name)
        if before == after or (name == "torch_cuda" and after == candidate.cuda != setup.cuda):
            continue
        if after is None:
            yield f"no {label}"
        else:
            yield f"{label} {before} -> {after}" if before else f"{label} {after}"
