"""Checks of CUB, which PyTorch3D's kernels use: the toolkit's own, or another by CUB_HOME."""

from labcore.doctor.check import check
from labcore.doctor.checks.frameworks.pytorch3d import installed_release
from labcore.doctor.finding import Finding, ok, warning
from labcore.doctor.machine import Machine, Toolkit
from labcore.doctor.tables import cub_for, family


@check("cub-check", "build", "CUB against Thrust", "toolkit")
def _cub_check(machine: Machine, toolkit: Toolkit) -> Finding | None:
    version = machine.cub_home_version
    if not version or not toolkit.thrust:
        return None
    if version == toolkit.thrust:
        return ok(f"CUB in CUB_HOME and the toolkit's Thrust are both {version}")
    if "THRUST_IGNORE_CUB_VERSION_CHECK" in machine.variable("NVCC_FLAGS"):
        return ok("CUB and Thrust differ, and their check is turned off by NVCC_FLAGS")
    advice = cub_for(toolkit.version, machine.os or "linux", installed_release(machine))
    if advice.needed:
        return ok(
            f"CUB {version} stands in for that of CUDA {toolkit.version}, as it should; "
            "PyTorch3D's build turns off Thrust's check of versions itself",
            why=advice.why,
        )
    return warning(
        f"CUB_HOME holds CUB {version}, the toolkit's Thrust is {toolkit.thrust}",
        cause='Thrust stops with "The version of CUB in your include path is not compatible with '
        "this release of Thrust\"; PyTorch3D's own build turns that check off, other builds do not",
        fix="unset CUB_HOME; or, where the other CUB is meant: export "
        "NVCC_FLAGS=-DTHRUST_IGNORE_CUB_VERSION_CHECK (no need to edit the toolkit's headers)",
        cub_home=version,
        thrust=toolkit.thrust,
    )


@check("cub-home", "build", "CUB_HOME", "toolkit")
def _cub_home(machine: Machine, toolkit: Toolkit) -> Finding | None:
    given = machine.variable("CUB_HOME")
    if not given:
        return None
    if machine.cub_home_version == "":
        return warning(
            f"CUB_HOME={given} holds no CUB",
            cause="the folder must contain cub/cub.cuh; often the inner folder cub/ is given, or "
            "the path is old",
            fix="unset CUB_HOME; or export CUB_HOME=$PWD/cub-1.17.2, the folder that contains cub/",
            sources=("p3d-install-md",),
        )
    advice = cub_for(toolkit.version, machine.os or "linux", installed_release(machine))
    if advice.needed:
        return ok(f"CUB_HOME is set, and CUDA {toolkit.version} wants it", why=advice.why)
    return warning(
        f"CUB_HOME is set, and CUDA {toolkit.version} brings the CUB that it needs",
        cause=advice.why,
        fix="unset CUB_HOME",
        sources=advice.sources,
        cub_home=given,
    )


@check("cub-small-macro", "build", "CUB on Windows", "toolkit")
def _small_macro(machine: Machine, toolkit: Toolkit) -> Finding | None:
    if machine.os != "windows":
        return None
    used = machine.cub_home_version or toolkit.cub
    if used is None or not used.startswith("1.15."):
        return ok(f"CUDA {toolkit.version} compiles with the headers of Windows", cub=used)
    advice = cub_for(toolkit.version, "windows", installed_release(machine))
    fix = "; ".join(f'$env:{name} = "{value}"' for name, value in advice.env.items())
    if advice.supply:
        fix = f"put CUB {advice.supply} into a folder and set CUB_HOME to it"
    return warning(
        f"CUB {used} of CUDA {toolkit.version} does not compile on Windows",
        cause="a header of Windows defines small as a macro, and CUB 1.15 has a member of that "
        'name: "dispatch_segmented_sort.cuh(338): invalid combination of type specifiers"',
        fix=fix
        or "build with a newer PyTorch3D or another CUDA: lab env plan pytorch3d --os windows",
        sources=advice.sources or ("pytorch3d 1227", "pytorch3d 1487", "pytorch3d 1614"),
        why=advice.why,
    )


@check("cub-missing", "build", "toolkits without CUB", "toolkit")
def _missing(machine: Machine, toolkit: Toolkit) -> Finding | None:
    if family(toolkit.version) >= 11:
        return None
    if machine.origin == "report" and installed_release(machine) is None:
        return None  # nobody there says that PyTorch3D is wanted
    if machine.cub_home_version:
        return ok(f"CUDA {toolkit.version} has no CUB; CUB_HOME gives {machine.cub_home_version}")
    advice = cub_for(toolkit.version, machine.os or "linux", installed_release(machine))
    return warning(
        f"CUDA {toolkit.version} brings no CUB",
        cause='PyTorch3D stops with "cub/cub.cuh: No such file or directory"',
        fix=f"unpack CUB {advice.supply} ({advice.download}), then export "
        f"CUB_HOME=$PWD/cub-{advice.supply} (the folder that contains cub/)",
        sources=advice.sources,
    )
