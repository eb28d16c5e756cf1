"""What the compatibility tables add to an error: the driver, wheel, toolkit or flag to take."""

import re
from collections.abc import Mapping
from dataclasses import replace

from labcore.doctor import tables as compat
from labcore.doctor.machine import Machine
from labcore.doctor.mangled import qualified_name
from labcore.doctor.nearest_torch import torch_command
from labcore.doctor.pasted.fields import Derived, Fields
from labcore.doctor.pasted.places import PLACES
from labcore.doctor.pasted.symbols import symbol_story

__all__ = ["FIELDS", "fields_of"]


def fields_of(
    machine: Machine,
    groups: Mapping[str, str],
    said_card: str | None = None,
    places: frozenset[str] = frozenset(),
) -> Fields:
    """Returns the fields that the texts of an error can use."""
    return Fields(machine, groups, FIELDS, said_card, places)


def _package(*names: str) -> Derived:
    def version(fields: Fields) -> str | None:
        packages = fields.machine.packages or {}
        return next((packages[name] for name in names if name in packages), None)

    return version


def _torch(fields: Fields) -> str | None:
    torch = fields.machine.torch
    return None if torch is None else str(compat.parse_version(torch.version))


def _torch_cuda(fields: Fields) -> str | None:
    torch = fields.machine.torch
    return (torch.cuda or None) if torch is not None else None


def _torch_build(fields: Fields) -> str | None:
    torch, cuda = _torch(fields), fields.get("torch_cuda")
    return f"torch {torch}" + (f" for CUDA {cuda}" if cuda else "") if torch else None


def _driver_cuda(fields: Fields) -> str | None:
    number = fields.groups.get("driver_number")
    if number is not None:  # 11040 is 11.4
        return f"{int(number) // 1000}.{int(number) % 1000 // 10}"
    if fields.machine.driver_cuda:
        return fields.machine.driver_cuda
    return compat.newest_cuda(fields.machine.driver, fields.os) if fields.machine.driver else None


def _driver_or_stand_in(fields: Fields) -> str | None:
    """The driver, or one that runs what the highest CUDA version it names says."""
    if fields.machine.driver:
        return fields.machine.driver
    ceiling = _driver_cuda(fields)
    return compat.driver_for(ceiling, fields.os) if ceiling else None


def _card(fields: Fields) -> str | None:
    cards = fields.machine.cards
    return cards[0].name if cards else fields.said_card


def _capability(fields: Fields) -> str | None:
    code = fields.groups.get("sm")
    if code is not None:
        return f"{code.rstrip('af')[:-1]}.{code.rstrip('af')[-1]}"
    cards = fields.machine.cards
    if cards and cards[0].compute_capability:
        return cards[0].compute_capability
    name = fields.get("card")
    found = compat.find_card(name) if name else None
    return found[1].compute_capability if found else None


def _torch_command(fields: Fields) -> str | None:
    """The least change of torch that card and driver need."""
    if fields.os == "macos":
        return None
    machine = replace(fields.machine, driver=_driver_or_stand_in(fields), os=fields.os)
    return torch_command(machine, fields.get("capability")) or None


def _pip_for_driver(fields: Fields) -> str | None:
    return _torch_command(fields) if _driver_or_stand_in(fields) else None


def _pip_for_card(fields: Fields) -> str | None:
    return _torch_command(fields) if fields.get("capability") else None


def _pip_cuda(fields: Fields) -> str | None:
    """A CUDA build for here: of the torch that is there, unless its card needs another."""
    better = _pip_for_card(fields) or _pip_for_driver(fields)
    torch = _torch(fields)
    if better is not None or torch is None:
        return better
    row = compat.torch_row(torch)
    return compat.torch_pip(torch, row.pypi_cuda, fields.os) if row is not None else None


def _driver_needed(fields: Fields) -> str | None:
    cuda = fields.get("torch_cuda")
    return compat.driver_for(cuda, fields.os) if cuda else None


def _torch_archs(fields: Fields) -> str | None:
    torch, cuda = _torch(fields), fields.get("torch_cuda")
    archs = compat.torch_archs(torch, cuda) if torch and cuda else None
    return (
        " ".join(f"sm_{each.split('+')[0].replace('.', '')}" for each in archs) if archs else None
    )


def _wanted_arch(fields: Fields) -> compat.GpuArch | None:
    capability = fields.get("capability")
    return compat.arch_of(capability) if capability else None


def _arch_first_cuda(fields: Fields) -> str | None:
    arch, toolkit = _wanted_arch(fields), fields.get("toolkit")
    if arch is None or (arch.cuda_last and not toolkit):  # old cards: the toolkit is too new
        return None
    too_old = not toolkit or _release(toolkit) < _release(arch.cuda_min)
    return arch.cuda_min if too_old else None


def _arch_last_cuda(fields: Fields) -> str | None:
    arch, toolkit = _wanted_arch(fields), fields.get("toolkit")
    if arch is None or arch.cuda_last is None:
        return None
    return arch.cuda_last if not toolkit or _release(toolkit) > _release(arch.cuda_last) else None


def _release(version: str) -> tuple[int, ...]:
    return compat.parse_version(version).release[:2]


def _toolkit(fields: Fields) -> str | None:
    toolkit = fields.machine.toolkit
    return compat.series(toolkit.version) if toolkit else None


def _gcc_max(fields: Fields) -> str | None:
    toolkit = fields.get("toolkit")
    row = compat.host_compiler(toolkit) if toolkit else None
    return str(row.gcc_max) if row is not None else None


def _visual_studio(fields: Fields) -> str | None:
    toolkit = fields.get("toolkit")
    row = compat.host_compiler(toolkit) if toolkit else None
    return row.visual_studio if row is not None else None


def _cub(fields: Fields) -> compat.CubAdvice | None:
    toolkit = fields.get("toolkit")
    if toolkit is None:
        return None
    return compat.cub_for(toolkit, fields.os, fields.get("pytorch3d"))


def _cub_why(fields: Fields) -> str | None:
    advice = _cub(fields)
    return f"{advice.why[:1].upper()}{advice.why[1:].rstrip('.')}." if advice is not None else None


def _cub_fix(fields: Fields) -> str | None:
    advice = _cub(fields)
    if advice is None:
        return None
    if not advice.needed and not advice.env:
        return "build with CUB_HOME unset: the toolkit's own CUB is the right one"
    parts = []
    if advice.supply:
        parts.append(f"unpack CUB {advice.supply} ({advice.download}) and build with")
    else:
        parts.append("build with")
    parts.append(_variables(advice.env, fields.os))
    if advice.instead:
        parts.append(f"(or, without it, {_variables(advice.instead, fields.os)})")
    return " ".join(parts)


def _variables(variables: Mapping[str, str], os: compat.OsName) -> str:
    setting = "set {}={}" if os == "windows" else "export {}={}"
    return " and ".join(setting.format(*each) for each in variables.items())


def _tensorflow(fields: Fields) -> str | None:
    """The version that is named, unless the missing library is of another CUDA than its own."""
    version = _package("tensorflow", "tensorflow-gpu")(fields)
    row = compat.tensorflow_row(version) if version else None
    asked = fields.get("library_cuda")
    if row is not None and asked and compat.family(asked) != compat.family(row.cuda):
        return None
    return version


def _library_cuda(fields: Fields) -> str | None:
    """The CUDA whose runtime is missing: 10.1 of cudart64_101.dll; from 11 on the family counts."""
    library = fields.groups.get("library") or fields.groups.get("library2") or ""
    names = r"(?:lib(?:cudart|cublas)\.so\.|cudart64_)"
    found = re.match(rf"{names}(?:(8|9|10)\.?(\d)\b|(1[1-9]))", library)
    return (found[3] or f"{found[1]}.{found[2]}") if found else None


def _tensorflow_row(fields: Fields) -> compat.TensorFlowRow | None:
    version = fields.get("tensorflow")
    return compat.tensorflow_row(version) if version else None


def _of_tensorflow(column: str) -> Derived:
    """What the release of TensorFlow was built with, or asks for."""
    return lambda fields: getattr(_tensorflow_row(fields), column, None)


def _pytorch3d_fix(fields: Fields) -> str | None:
    torch = _torch(fields)
    if torch is None:
        return None
    cuda, python = fields.get("torch_cuda"), fields.get("python")
    wheel = compat.pytorch3d_wheel(torch, cuda, fields.os, python)
    if wheel is not None:
        return wheel.pip
    releases = compat.pytorch3d_for(torch, cuda, fields.os, python)
    plan = f"lab env plan pytorch3d --torch {torch}" + (f" --cuda {cuda}" if cuda else "")
    if not releases:
        return plan
    return f"build PyTorch3D {releases[0]} from source against torch {torch}: {plan} says how"


def _library_wheel(fields: Fields) -> str | None:
    """The pip package that has a missing CUDA library of the version asked for."""
    library = fields.get("library")
    if library is None:
        return None
    name, _, version = library.removeprefix("lib").partition(".so.")
    major = version.split(".")[0]
    if not major.isdigit():
        return None
    if name == "cudnn":
        families = {"8": ("cu11", "cu12"), "9": ("cu12", "cu13")}.get(major)
        family = fields.get("cuda_family")
        fits = families and (f"cu{family}" in families if family else True)
        tag = (f"cu{family}" if family else families[0]) if families and fits else None
        return f'pip install "nvidia-cudnn-{tag}=={major}.*"' if tag else None
    wheels = {"cudart": "cuda-runtime", "nvrtc": "cuda-nvrtc", "cublas": "cublas"}
    if name not in wheels or int(major) not in (11, 12, 13):
        return None
    return f"pip install nvidia-{wheels[name]}" + ("==13.*" if major == "13" else f"-cu{major}")


def _cuda_family(fields: Fields) -> str | None:
    cuda = fields.get("torch_cuda") or fields.get("tf_cuda")
    return str(compat.family(cuda)) if cuda else None


def _python_range(fields: Fields) -> str | None:
    wanted = fields.get("wanted_torch")
    found = compat.python_for("torch", wanted) if wanted else None
    return compat.span(found) if found else None


def _cxx(fields: Fields) -> str | None:
    torch = _torch(fields)
    row = compat.torch_row(torch) if torch else None
    return str(row.cxx) if row is not None else None


def _symbol_name(fields: Fields) -> str | None:
    symbol = fields.groups.get("symbol")
    return qualified_name(symbol) if symbol else None


def _symbol_story(fields: Fields) -> str | None:
    symbol = fields.groups.get("symbol")
    return symbol_story(symbol) if symbol else None


def _place(name: str) -> Derived:
    return lambda fields: "" if name in fields.places else None


def _bytes(fields: Fields, name: str) -> float:
    """How many bytes a group such as "19.20 GiB" says; 0 where it is not there."""
    value, _, unit = fields.groups.get(name, "0 GiB").partition(" ")
    return float(value) * {"KiB": 2.0**10, "GiB": 2.0**30}.get(unit, 2.0**20)


def _others_memory(fields: Fields) -> str | None:
    """What another process holds. In a container the process itself goes by a foreign number."""
    named, own = _bytes(fields, "pid_memory"), _bytes(fields, "own_memory")
    is_own = own == 0 and _bytes(fields, "torch_memory") > named / 2
    return fields.groups.get("pid_memory") if named > own and not is_own else None


def _own_use(fields: Fields) -> str | None:
    if _others_memory(fields) is not None:
        return None
    groups = fields.groups
    return groups.get("own_memory") or groups.get("pid_memory") or groups.get("torch_memory")


def _numpy_direction(fields: Fields) -> tuple[str, str] | None:
    built, here = (int(fields.groups.get(name, 0)) for name in ("built_size", "size"))
    if not built or fields.groups.get("type") not in ("dtype", "ndarray"):
        return None
    old = "1" if fields.groups["type"] == "dtype" else "1.20 or newer"
    if fields.groups["type"] == "dtype" and built > here:
        return (
            "A package was compiled for NumPy 1 and meets NumPy 2",
            'pip install "numpy<2"; or a newer release of the package that the traceback names',
        )
    if built < here:
        return (
            "A package was compiled for another NumPy than the newer one that is here",
            "pip install --force-reinstall --no-cache-dir the package that the traceback names; "
            'or an older NumPy: pip install "numpy<2"',
        )
    return (
        f"A package was compiled for NumPy {old} and meets an older one",
        "pip install -U numpy (in the range that the package allows), then start Python anew",
    )


FIELDS: dict[str, Derived] = {
    # Of no width: a text that begins with one is for that place alone.
    **{f"on_{name}": _place(name) for name in PLACES},
    "arch_first_cuda": _arch_first_cuda,
    "arch_last_cuda": _arch_last_cuda,
    "capability": _capability,
    "card": _card,
    "cub_fix": _cub_fix,
    "cub_why": _cub_why,
    "cuda_family": _cuda_family,
    "cxx": _cxx,
    "driver": lambda fields: fields.machine.driver or None,
    "driver_cuda": _driver_cuda,
    "driver_needed": _driver_needed,
    "gcc": lambda fields: fields.machine.gcc,
    "gcc_max": _gcc_max,
    "glibc": lambda fields: fields.machine.glibc,
    "library_cuda": _library_cuda,
    "library_wheel": _library_wheel,
    "keras": _package("keras"),
    "numpy": _package("numpy"),
    "numpy_direction": lambda fields: (_numpy_direction(fields) or (None, None))[0],
    "numpy_direction_fix": lambda fields: (_numpy_direction(fields) or (None, None))[1],
    "other": lambda fields: fields.groups.get("pid") if _others_memory(fields) else None,
    "others_memory": lambda fields: _others_memory(fields) if "pid" in fields.groups else None,
    "own_use": _own_use,
    "pip_cuda": _pip_cuda,
    "pip_for_card": _pip_for_card,
    "pip_for_driver": _pip_for_driver,
    "protobuf": _package("protobuf"),
    "python": lambda fields: fields.machine.python,
    "python_range": _python_range,
    "pytorch3d": _package("pytorch3d", "easypytorch3d"),
    "pytorch3d_fix": _pytorch3d_fix,
    "symbol_name": _symbol_name,
    "symbol_story": _symbol_story,
    "tensorflow": _tensorflow,
    "tf_cuda": _of_tensorflow("cuda"),
    "tf_cudnn": _of_tensorflow("cudnn"),
    "tf_protobuf": _of_tensorflow("protobuf"),
    "toolkit": _toolkit,
    "torch": _torch,
    "torch_archs": _torch_archs,
    "torch_build": _torch_build,
    "torch_cuda": _torch_cuda,
    "visual_studio": _visual_studio,
}
"""Fields that are not in the error's own text, each with how it is found."""
