"""Checks of LD_LIBRARY_PATH, which the loader asks before the libraries inside wheels."""

from collections.abc import Callable

from labcore.doctor.check import check
from labcore.doctor.finding import Finding, ok, say, warning
from labcore.doctor.machine import Machine

_NVJITLINK = ("libnvJitLink", "libcusparse")
_CUDNN = "libcudnn"


@check("nvjitlink", "torch", "LD_LIBRARY_PATH against libnvJitLink", needs=("libraries",))
def _nvjitlink(machine: Machine) -> Finding | None:
    return _hidden(
        machine,
        lambda name: name.startswith(_NVJITLINK),
        "libnvJitLink and libcusparse",
        cause='libcusparse of one CUDA release meets libnvJitLink of another: "undefined '
        'symbol: __nvJitLinkAddData_12_1", and torch cannot be imported',
        sources=("pytorch 111469", "pytorch 131312", "pytorch 134929", "pytorch 140797"),
        grave=True,
    )


@check("ldpath-cudnn", "torch", "LD_LIBRARY_PATH against cuDNN", needs=("libraries",))
def _cudnn(machine: Machine) -> Finding | None:
    return _hidden(
        machine,
        lambda name: name.startswith(_CUDNN),
        "cuDNN",
        cause="torch was compiled against the wheel's cuDNN and gets another: \"cuDNN version "
        'incompatibility", or a crash in the first convolution',
        sources=("pytorch 104808", "pytorch 121222", "tensorflow 50217", "tensorflow 60913"),
        grave=bool(machine.cards),
    )


@check("ldpath-cuda", "torch", "LD_LIBRARY_PATH against other CUDA libraries", needs=("libraries",))
def _other(machine: Machine) -> Finding | None:
    return _hidden(
        machine,
        lambda name: not name.startswith((*_NVJITLINK, _CUDNN)),
        "other CUDA libraries",
        cause="the framework was built and tested with the wheels' libraries, and gets others",
        sources=("pytorch 131312",),
        grave=False,
    )


@check("ld-preload", "torch", "LD_PRELOAD")
def _preload(machine: Machine) -> Finding | None:
    loaded = machine.variable("LD_PRELOAD")
    cuda = [part for part in loaded.replace(" ", ":").split(":") if "libcud" in part]
    if cuda:
        return warning(
            f"LD_PRELOAD puts {cuda[0]} into every program",
            cause="it wins over every framework's own library",
            fix="unset LD_PRELOAD",
            ld_preload=loaded,
        )
    return None


def _hidden(
    machine: Machine,
    is_meant: Callable[[str], bool],
    what: str,
    *,
    cause: str,
    sources: tuple[str, ...],
    grave: bool,
) -> Finding | None:
    """Looks for libraries of wheels that others in LD_LIBRARY_PATH hide.

    The same release twice is no harm.
    """
    wheels = {each.name: each for each in machine.libraries or () if each.where == "wheel"}
    hidden = [
        (each, wheels[each.name])
        for each in machine.libraries or ()
        if each.where == "ld_library_path"
        and each.name in wheels
        and is_meant(each.name)
        and not _same(each.version, wheels[each.name].version)
    ]
    if not hidden:
        return ok(f"nothing hides the wheels' {what}") if wheels else None
    library, wheel = hidden[0]
    others = f" and {len(hidden) - 1} more" if len(hidden) > 1 else ""
    return say(
        "failure" if grave else "warning",
        f"LD_LIBRARY_PATH hides the wheel's {library.name} {wheel.version or ''}{others}".rstrip(),
        cause=f"{library.path} comes first; {cause}",
        fix="unset LD_LIBRARY_PATH (in ~/.bashrc too): wheels bring their own CUDA; for a program "
        "that needs it, set it for that command only",
        sources=sources,
        hides={each.path: other.path for each, other in hidden},
        ld_library_path=machine.variable("LD_LIBRARY_PATH"),
    )


def _same(one: str | None, other: str | None) -> bool:
    """File names and wheels write versions of different length: 9.1.0 and 9.1.0.70."""
    parts, others = (one or "").split("."), (other or "").split(".")
    known = min(len(parts), len(others))
    return known > 1 and parts[:known] == others[:known]
