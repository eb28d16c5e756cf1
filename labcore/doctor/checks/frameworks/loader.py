"""Checks of LD_LIBRARY_PATH, which the loader asks before the libraries inside wheels."""

from labcore.doctor.check import check
from labcore.doctor.finding import Finding, failure, ok, warning
from labcore.doctor.machine import Library, Machine

_NVJITLINK = ("libnvJitLink", "libcusparse")
_FIX = (
    "unset LD_LIBRARY_PATH (in ~/.bashrc too): wheels bring their own CUDA; for a program that "
    "needs it, set it for that command only"
)


@check("nvjitlink", "torch", "LD_LIBRARY_PATH against libnvJitLink", needs=("libraries",))
def _nvjitlink(machine: Machine) -> Finding | None:
    shadows = [pair for pair in _shadows(machine) if pair[0].name.startswith(_NVJITLINK)]
    if shadows:
        return _shadowed(
            machine,
            shadows,
            cause='libcusparse of one CUDA release meets libnvJitLink of another: "undefined '
            'symbol: __nvJitLinkAddData_12_1", and torch cannot be imported',
            sources=("pytorch 111469", "pytorch 131312", "pytorch 134929", "pytorch 140797"),
            grave=True,
        )
    if _has_wheels(machine):
        return ok("nothing hides the wheels' libnvJitLink and libcusparse")
    return None


@check("ldpath-cudnn", "torch", "LD_LIBRARY_PATH against cuDNN", needs=("libraries",))
def _cudnn(machine: Machine) -> Finding | None:
    shadows = [pair for pair in _shadows(machine) if pair[0].name.startswith("libcudnn")]
    if shadows:
        return _shadowed(
            machine,
            shadows,
            cause="torch was compiled against the wheel's cuDNN and gets another: \"cuDNN version "
            'incompatibility", or a crash in the first convolution',
            sources=("pytorch 104808", "pytorch 121222", "tensorflow 50217", "tensorflow 60913"),
            grave=bool(machine.cards),
        )
    if _has_wheels(machine):
        return ok("nothing hides the wheels' cuDNN")
    return None


@check("ldpath-cuda", "torch", "LD_LIBRARY_PATH against other CUDA libraries", needs=("libraries",))
def _other(machine: Machine) -> Finding | None:
    apart = (*_NVJITLINK, "libcudnn")
    shadows = [pair for pair in _shadows(machine) if not pair[0].name.startswith(apart)]
    if shadows:
        return _shadowed(
            machine,
            shadows,
            cause="the framework was built and tested with the wheels' libraries, and gets others",
            sources=("pytorch 131312",),
            grave=False,
        )
    if _has_wheels(machine):
        return ok("nothing hides the wheels' other CUDA libraries")
    return None


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


def _shadows(machine: Machine) -> list[tuple[Library, Library]]:
    """Returns libraries of LD_LIBRARY_PATH beside those of wheels that they hide.

    The same release twice is no harm.
    """
    wheels = {each.name: each for each in machine.libraries or () if each.where == "wheel"}
    return [
        (each, wheels[each.name])
        for each in machine.libraries or ()
        if each.where == "ld_library_path"
        and each.name in wheels
        and not _same(each.version, wheels[each.name].version)
    ]


def _shadowed(
    machine: Machine,
    shadows: list[tuple[Library, Library]],
    *,
    cause: str,
    sources: tuple[str, ...],
    grave: bool,
) -> Finding:
    library, wheel = shadows[0]
    others = f" and {len(shadows) - 1} more" if len(shadows) > 1 else ""
    say = failure if grave else warning
    return say(
        f"LD_LIBRARY_PATH hides the wheel's {library.name} {wheel.version or ''}{others}".rstrip(),
        cause=f"{library.path} comes first; {cause}",
        fix=_FIX,
        sources=sources,
        hides={each.path: other.path for each, other in shadows},
        ld_library_path=machine.variable("LD_LIBRARY_PATH"),
    )


def _has_wheels(machine: Machine) -> bool:
    return any(each.where == "wheel" for each in machine.libraries or ())


def _same(one: str | None, other: str | None) -> bool:
    """File names and wheels write versions of different length: 9.1.0 and 9.1.0.70."""
    if not one or not other:
        return False
    return (
        all(a == b for a, b in zip(one.split("."), other.split("."), strict=False))
        and min(one.count("."), other.count(".")) >= 1
    )
