"""The steps of building PyTorch3D from source."""

from collections.abc import Iterator, Sequence

from labcore.doctor.plans.plan import HERE, Step
from labcore.doctor.plans.target import Target
from labcore.doctor.tables import (
    COMPILERS,
    cub_for,
    gcc_with_cuda,
    max_jobs,
    older_code,
    parse_version,
    pulsar_flags,
    series,
    source_pip,
    toolkit_makes_code,
    torch_archs,
)

_TOOLKITS = {
    "linux": "/usr/local/cuda-{}",
    "windows": r"C:\Program Files\NVIDIA GPU Computing Toolkit\CUDA\v{}",
}


def build_steps(target: Target, pytorch3d: str) -> Iterator[Step]:
    """Yields compilers, CUB, settings and the build itself, in the order that works."""
    yield Step(
        title="Install what the build needs",
        why="the build runs in this environment (--no-build-isolation), because it imports torch",
        commands=("pip install setuptools wheel ninja iopath fvcore",),
    )
    if target.torch_cuda:
        toolkit = target.toolkit or series(target.torch_cuda)
        yield _compilers(target, toolkit)
        yield from _cub(target, toolkit, pytorch3d)
        yield _settings(target, toolkit, pytorch3d)
    else:
        clang = {"CC": "clang", "CXX": "clang++"} if target.os == "macos" else {}
        yield Step(
            title="Set up a CPU build",
            why="a C++17 compiler is enough; 10 to 20 minutes of one core",
            env={"PYTORCH3D_FORCE_NO_CUDA": "1", **clang, **_jobs(target)},
        )
    yield Step(
        title="Build and install",
        why="upstream's documented command, at the tag of the release",
        commands=(source_pip(pytorch3d),),
    )


def arch_list(toolkit: str, capabilities: Sequence[str], torch: str, cuda: str) -> str:
    """Returns TORCH_CUDA_ARCH_LIST: the GPUs to make code for.

    Of a GPU that the toolkit does not know yet, the nearest older capability and PTX are taken.
    Without a GPU it is what torch itself was built for, as far as the toolkit makes it.

    Args:
        toolkit: Version of the CUDA toolkit.
        capabilities: Of the GPUs; none when they are not known.
        torch: Version of torch.
        cuda: CUDA of its build.
    """
    wanted = list(capabilities) or [
        arch for arch in torch_archs(torch, cuda) or () if not arch.endswith("+PTX")
    ]
    archs: set[str] = set()
    for capability in wanted:
        state = toolkit_makes_code(toolkit, capability).state
        if state == "yes":
            archs.add(capability)
        elif state == "limited":
            archs.add(f"{older_code(capability, toolkit)}+PTX")
    return ";".join(sorted(archs, key=lambda arch: parse_version(arch.removesuffix("+PTX"))))


def _compilers(target: Target, toolkit: str) -> Step:
    assert target.torch_cuda is not None
    compiler = COMPILERS.row(toolkit)
    why = f"nvcc of CUDA {toolkit}: its first number has to be that of torch's CUDA"
    env: dict[str, str] = {}
    is_windows = target.os == "windows"
    if is_windows:
        studio = compiler.visual_studio if compiler else "the Visual Studio that NVIDIA names"
        why += f", with {studio}. Work in its x64 Native Tools prompt"
        env["DISTUTILS_USE_SDK"] = "1"
    elif compiler is None:
        why += "; the table does not have its newest gcc, NVIDIA's installation guide does"
    else:
        why += f", with gcc {compiler.gcc_max} or older"
    if target.toolkit_root is None or not target.toolkit_is_found:
        root = target.toolkit_root or _TOOLKITS[target.os].format(series(toolkit))
        env = {"CUDA_HOME": root, **env}
        why += (
            "; CUDA_HOME names it, where torch by itself would take another folder"
            if target.toolkit_root
            else "; CUDA_HOME is where it is usually installed"
        )
    too_new = target.gcc and gcc_with_cuda(target.gcc, toolkit).state == "no"
    if compiler is not None and not is_windows and (target.gcc is None or too_new):
        env |= {"CC": f"gcc-{compiler.gcc_max}", "CXX": f"g++-{compiler.gcc_max}"}
    check = ("nvcc --version",) if target.toolkit_root is None else ()
    return Step(title="Choose toolkit and compiler", why=why, env=env, commands=check)


def _cub(target: Target, toolkit: str, pytorch3d: str) -> Iterator[Step]:
    advice = cub_for(toolkit, target.os, pytorch3d)
    if advice.supply is not None:
        instead = "".join(
            f'. Instead of it {name}="{value}" does too' for name, value in advice.instead.items()
        )
        yield Step(
            title=f"Get CUB {advice.supply}",
            why=f"{advice.why}{instead}. CUB_HOME is the folder that holds cub/",
            download=advice.download,
            env={"CUB_HOME": f"{HERE}cub-{advice.supply}"},
        )
    elif advice.env or target.has_cub_home:
        # The compiler flags that stand for a CUB are set with the others.
        yield Step(
            title="Use the CUB of the toolkit",
            why=advice.why,
            unset=("CUB_HOME",) if target.has_cub_home else (),
        )


def _settings(target: Target, toolkit: str, pytorch3d: str) -> Step:
    assert target.torch is not None
    assert target.torch_cuda is not None
    archs = arch_list(toolkit, target.capabilities, target.torch, target.torch_cuda)
    env = {"FORCE_CUDA": "1", "TORCH_CUDA_ARCH_LIST": archs}
    why = "FORCE_CUDA builds the CUDA part even where no GPU is seen"
    advice = cub_for(toolkit, target.os, pytorch3d)
    flags = [advice.env["NVCC_FLAGS"]] if "NVCC_FLAGS" in advice.env else []
    if pulsar_flags(toolkit):
        flags.append(pulsar_flags(toolkit))
        why += "; with CUDA 13 pulsar needs the nvcc flags, and no release sets them itself"
    if flags:
        env["NVCC_FLAGS"] = " ".join(flags)
    jobs = _jobs(target)
    if jobs:
        why += "; MAX_JOBS leaves 2 GB of memory to each compiler"
    else:
        why += "; set MAX_JOBS to the smaller of cores and half the memory in GB"
    return Step(title="Set up the build", why=why, env=env | jobs)


def _jobs(target: Target) -> dict[str, str]:
    jobs = max_jobs(target.num_cores, target.memory_gb)
    return {} if jobs is None else {"MAX_JOBS": str(jobs)}
