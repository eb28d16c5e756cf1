"""What the texts of a known error can speak of: ``{torch}``, ``{driver_needed}`` and the like.

A field comes from the error's own text where that names it, else from what else is known of the
machine, else from the compatibility tables. One that is not to be had is missing, and then a text
without it is taken.
"""

import functools
import inspect
import re
import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from labcore.doctor import tables as compat
from labcore.doctor.machine import Machine
from labcore.doctor.mangled import qualified_name, symbol_story
from labcore.doctor.nearest_torch import torch_command
from labcore.doctor.pasted.facts import cuda_of_number
from labcore.doctor.pasted.places import PLACES

__all__ = ["FIELDS", "RULES", "Fields", "fill", "names_in"]


class Fields:
    """Fields by name, worked out when asked for.

    Args:
        machine: What is known of the machine.
        groups: What the error's own text says.
        places: Where the text comes from.
    """

    def __init__(
        self,
        machine: Machine,
        groups: Mapping[str, str],
        places: frozenset[str] = frozenset(),
    ) -> None:
        self.places = places
        self._found: dict[str, Any] = {
            "machine": machine,
            "os": machine.os or "linux",
            # Of no width: a text that begins with one is for that place alone.
            **{f"on_{name}": "" for name in places},
            **groups,
        }

    def get(self, name: str) -> Any:
        """Returns a field, or None."""
        if name not in self._found:
            self._found[name] = self._derived(name) if name in RULES else None
        return self._found[name]

    def _derived(self, name: str) -> Any:
        values = {}
        for parameter in _parameters(RULES[name]):
            values[parameter.name] = self.get(parameter.name)
            if values[parameter.name] is None and parameter.default is parameter.empty:
                return None
        try:
            return RULES[name](**values)
        except ValueError:  # a version that is none, from somebody's text
            return None


def names_in(text: str) -> set[str]:
    """Returns the names of the fields that a text uses."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def fill(texts: Sequence[str], fields: Fields) -> str:
    """Returns the first text whose fields are all known, filled in; empty when there is none."""
    for text in texts:
        values = {name: fields.get(name) for name in names_in(text)}
        if all(value is not None for value in values.values()):
            return text.format_map(values)
    return ""


@functools.cache
def _parameters(rule: Callable[..., Any]) -> tuple[inspect.Parameter, ...]:
    return tuple(inspect.signature(rule).parameters.values())


def _of(row: object, column: str) -> str | None:
    """Returns a column of a table's row, where there is such a row."""
    value = getattr(row, column, None)
    return None if value is None else str(value)


def _capability(machine: Machine, sm: str | None = None, card: str | None = None) -> str | None:
    if sm is not None:
        return f"{sm.rstrip('af')[:-1]}.{sm.rstrip('af')[-1]}"
    if machine.cards and machine.cards[0].compute_capability:
        return machine.cards[0].compute_capability
    found = compat.find_card(card) if card else None
    return found[1].compute_capability if found else None


def _driver_cuda(
    machine: Machine, os: compat.OsName, driver_number: str | None = None
) -> str | None:
    if driver_number is not None:
        return cuda_of_number(driver_number)
    newest = compat.newest_cuda(machine.driver, os) if machine.driver else None
    return machine.driver_cuda or newest


def _pip_nearest(
    machine: Machine,
    os: compat.OsName,
    some_driver: str | None = None,
    capability: str | None = None,
) -> str | None:
    """The least change of torch that card and driver need."""
    if os == "macos":
        return None
    return torch_command(replace(machine, driver=some_driver, os=os), capability) or None


def _pip_cuda(
    os: compat.OsName,
    torch: str | None = None,
    pip_for_card: str | None = None,
    pip_for_driver: str | None = None,
) -> str | None:
    """A CUDA build for here: of the torch that is there, unless its card needs another."""
    row = compat.TORCH.row(torch) if torch else None
    same = compat.torch_pip(torch, row.pypi_cuda, os) if torch and row is not None else None
    return pip_for_card or pip_for_driver or same


def _torch_archs(torch: str, torch_cuda: str) -> str | None:
    archs = compat.torch_archs(torch, torch_cuda) or ()
    return " ".join(f"sm_{each.split('+')[0].replace('.', '')}" for each in archs) or None


def _arch_first_cuda(capability: str, toolkit: str | None = None) -> str | None:
    arch = compat.GPUS.row(capability)
    if arch is None or (arch.cuda_last and not toolkit):  # old cards: the toolkit is too new
        return None
    return arch.cuda_min if not toolkit or _release(toolkit) < _release(arch.cuda_min) else None


def _arch_last_cuda(capability: str, toolkit: str | None = None) -> str | None:
    arch = compat.GPUS.row(capability)
    if arch is None or arch.cuda_last is None:
        return None
    return arch.cuda_last if not toolkit or _release(toolkit) > _release(arch.cuda_last) else None


def _release(version: str) -> tuple[int, ...]:
    return compat.parse_version(version).release[:2]


def _cub_fix(cub: compat.CubAdvice, os: compat.OsName) -> str:
    def variables(env: Mapping[str, str]) -> str:
        setting = "set {}={}" if os == "windows" else "export {}={}"
        return " and ".join(setting.format(*each) for each in env.items())

    if not cub.needed and not cub.env:
        return "build with CUB_HOME unset: the toolkit's own CUB is the right one"
    unpack = f"unpack CUB {cub.supply} ({cub.download}) and " if cub.supply else ""
    instead = f" (or, without it, {variables(cub.instead)})" if cub.instead else ""
    return f"{unpack}build with {variables(cub.env)}{instead}"


def _tensorflow(machine: Machine, library_cuda: str | None = None) -> str | None:
    """The version that is named, unless the missing library is of another CUDA than its own."""
    version = machine.version("tensorflow") or machine.version("tensorflow-gpu")
    row = compat.TENSORFLOW.row(version) if version else None
    if row and library_cuda and compat.family(library_cuda) != compat.family(row.cuda):
        return None
    return version


def _library_cuda(library: str | None = None, library2: str | None = None) -> str | None:
    """The CUDA whose runtime is missing: 10.1 of cudart64_101.dll; from 11 on the family counts."""
    names = r"(?:lib(?:cudart|cublas)\.so\.|cudart64_)"
    found = re.match(rf"{names}(?:(8|9|10)\.?(\d)\b|(1[1-9]))", library or library2 or "")
    return (found[3] or f"{found[1]}.{found[2]}") if found else None


def _pytorch3d_fix(
    torch: str, os: compat.OsName, torch_cuda: str | None = None, python: str | None = None
) -> str:
    wheel = compat.pytorch3d_wheel(torch, torch_cuda, os, python)
    if wheel is not None:
        return wheel.pip
    releases = compat.pytorch3d_for(torch, torch_cuda, os, python)
    plan = f"lab env plan pytorch3d --torch {torch}" + (f" --cuda {torch_cuda}" * bool(torch_cuda))
    if not releases:
        return plan
    return f"build PyTorch3D {releases[0]} from source against torch {torch}: {plan} says how"


def _library_wheel(library: str, cuda_family: str | None = None) -> str | None:
    """The pip package that has a missing CUDA library of the version asked for."""
    name, _, version = library.removeprefix("lib").partition(".so.")
    major = version.split(".")[0]
    if name == "cudnn":
        tags = {"8": ["cu11", "cu12"], "9": ["cu12", "cu13"]}.get(major, [])
        tag = next((each for each in tags if each == f"cu{cuda_family or each[2:]}"), None)
        return f'pip install "nvidia-cudnn-{tag}=={major}.*"' if tag else None
    wheels = {"cudart": "cuda-runtime", "nvrtc": "cuda-nvrtc", "cublas": "cublas"}
    if name not in wheels or major not in ("11", "12", "13"):
        return None
    return f"pip install nvidia-{wheels[name]}" + ("==13.*" if major == "13" else f"-cu{major}")


def _bytes(memory: str | None) -> float:
    """How many bytes "19.20 GiB" is; 0 where nothing is said."""
    value, _, unit = (memory or "0 GiB").partition(" ")
    return float(value) * {"KiB": 2.0**10, "GiB": 2.0**30}.get(unit, 2.0**20)


def _held_by_others(
    pid_memory: str, own_memory: str | None = None, torch_memory: str | None = None
) -> str | None:
    """What another process holds. In a container the process itself goes by a foreign number."""
    named, own = _bytes(pid_memory), _bytes(own_memory)
    is_own = own == 0 and _bytes(torch_memory) > named / 2
    return pid_memory if named > own and not is_own else None


def _numpy_here(built_size: str, size: str, numpy_type: str) -> str | None:
    """Which NumPy meets a package that another one compiled, by the size of NumPy's structures."""
    if int(built_size) < int(size):
        return "newer"
    return {"dtype": "2", "ndarray": "older"}.get(numpy_type)


def _python_range(wanted_torch: str) -> str | None:
    found = compat.python_for("torch", wanted_torch)
    return compat.span(found) if found else None


RULES: dict[str, Callable[..., Any]] = {
    "arch_first_cuda": _arch_first_cuda,
    "arch_last_cuda": _arch_last_cuda,
    "capability": _capability,
    "card": lambda machine: machine.cards[0].name if machine.cards else None,
    "cub": lambda toolkit, os, pytorch3d=None: compat.cub_for(toolkit, os, pytorch3d),
    "cub_fix": _cub_fix,
    "cub_why": lambda cub: f"{cub.why[:1].upper()}{cub.why[1:].rstrip('.')}.",
    "cuda_family": lambda torch_cuda=None, tf_cuda=None: (
        str(compat.family(torch_cuda or tf_cuda)) if torch_cuda or tf_cuda else None
    ),
    "cxx": lambda torch: _of(compat.TORCH.row(torch), "cxx"),
    "driver": lambda machine: machine.driver or None,
    "driver_cuda": _driver_cuda,
    "driver_needed": lambda torch_cuda, os: compat.driver_for(torch_cuda, os),
    "gcc": lambda machine: machine.gcc,
    "gcc_max": lambda toolkit: _of(compat.COMPILERS.row(toolkit), "gcc_max"),
    "glibc": lambda machine: machine.glibc,
    "held_by_others": _held_by_others,
    "keras": lambda machine: machine.version("keras"),
    "library_cuda": _library_cuda,
    "library_wheel": _library_wheel,
    "numpy_here": _numpy_here,
    "numpy_is_2": lambda numpy_here: "" if numpy_here == "2" else None,
    "numpy_is_newer": lambda numpy_here: "" if numpy_here == "newer" else None,
    "numpy_is_older": lambda numpy_here: "" if numpy_here == "older" else None,
    "other": lambda held_by_others, pid: pid,
    "others_memory": lambda held_by_others, pid: held_by_others,
    "own_use": lambda held_by_others=None, own_memory=None, pid_memory=None, torch_memory=None: (
        None if held_by_others else own_memory or pid_memory or torch_memory
    ),
    "pip_cuda": _pip_cuda,
    "pip_for_card": lambda pip_nearest, capability: pip_nearest,
    "pip_for_driver": lambda pip_nearest, some_driver: pip_nearest,
    "pip_nearest": _pip_nearest,
    "protobuf": lambda machine: machine.version("protobuf"),
    "python": lambda machine: machine.python,
    "python_range": _python_range,
    "pytorch3d": lambda machine: machine.version("pytorch3d") or machine.version("easypytorch3d"),
    "pytorch3d_fix": _pytorch3d_fix,
    # The driver, or one that runs what the highest CUDA version it names says.
    "some_driver": lambda os, driver=None, driver_cuda=None: (
        driver or (compat.driver_for(driver_cuda, os) if driver_cuda else None)
    ),
    "symbol_name": lambda symbol: qualified_name(symbol),
    "symbol_story": lambda symbol: symbol_story(symbol),
    "tensorflow": _tensorflow,
    "tf_cuda": lambda tensorflow: _of(compat.TENSORFLOW.row(tensorflow), "cuda"),
    "tf_cudnn": lambda tensorflow: _of(compat.TENSORFLOW.row(tensorflow), "cudnn"),
    "tf_protobuf": lambda tensorflow: _of(compat.TENSORFLOW.row(tensorflow), "protobuf"),
    "toolkit": lambda machine: machine.toolkit and compat.series(machine.toolkit.version),
    "torch": lambda machine: machine.torch and str(compat.parse_version(machine.torch.version)),
    "torch_archs": _torch_archs,
    "torch_build": lambda torch, torch_cuda=None: (
        f"torch {torch}" + (f" for CUDA {torch_cuda}" if torch_cuda else "")
    ),
    "torch_cuda": lambda machine: (machine.torch and machine.torch.cuda) or None,
    "visual_studio": lambda toolkit: _of(compat.COMPILERS.row(toolkit), "visual_studio"),
}
"""How a field that the error's text does not say is worked out from others: those that the rule's
parameters name. Without one that has no default there is no field."""

FIELDS = frozenset({*RULES, *(f"on_{name}" for name in PLACES)})
"""Fields that need not be in the error's own text."""
