"""Checks of what builds a CUDA extension: toolkit, compilers, memory for their processes."""

from labcore.doctor.check import check
from labcore.doctor.checks.verdicts import from_verdict
from labcore.doctor.finding import Finding, ok, warning
from labcore.doctor.machine import Machine, Toolkit
from labcore.doctor.tables import COMPILERS, family, gcc_with_cuda, max_jobs


@check("build", "build", "toolkit and compiler", needs=("toolkits",))
def _build(machine: Machine) -> Finding:
    toolkit = machine.toolkit
    if toolkit is None:
        return ok("no CUDA toolkit: wheels need none, only building extensions does")
    found = {each.root: each.version for each in machine.toolkits or ()}
    others = len(machine.toolkits or ()) - 1
    more = f" and {others} more" if others else ""
    host = f", gcc {machine.gcc}" if machine.gcc else ""
    return ok(f"CUDA toolkit {toolkit.version}{more}{host}", toolkits=found, cub=toolkit.cub)


@check("nvcc-mismatch", "build", "nvcc against torch", "toolkit")
def _nvcc_mismatch(machine: Machine, toolkit: Toolkit) -> Finding | None:
    torch = machine.torch
    if torch is None or not torch.cuda:
        return None
    if toolkit.version == torch.cuda:
        return ok(f"nvcc and torch are both of CUDA {torch.cuda}")
    if family(toolkit.version) == family(torch.cuda):
        return ok(
            f"nvcc is of CUDA {toolkit.version}, torch of {torch.cuda}: one family, extensions "
            "build with a warning"
        )
    fitting = [
        each for each in machine.toolkits or () if family(each.version) == family(torch.cuda)
    ]
    return warning(
        f"nvcc is of CUDA {toolkit.version}, torch was built with {torch.cuda}",
        cause='torch refuses to build extensions: "The detected CUDA version mismatches the '
        'version that was used to compile PyTorch"; what is installed works',
        fix=f"export CUDA_HOME={fitting[0].root}"
        if fitting
        else f"to build extensions, install the CUDA {torch.cuda} toolkit beside it (conda install "
        f"-c nvidia cuda-toolkit={torch.cuda}) and set CUDA_HOME to it",
        sources=("pytorch 73047",),
        nvcc=toolkit.version,
        torch_cuda=torch.cuda,
    )


@check("cuda-home", "build", "CUDA_HOME")
def _cuda_home(machine: Machine) -> Finding | None:
    roots = [each.root for each in machine.toolkits or () if each.has_nvcc]
    if not roots or machine.cuda_home is None or machine.torch is None:
        return None
    # /usr/local/cuda is a link to the folder of one version.
    home = machine.cuda_home.rstrip("/\\")
    is_alias = home == "/usr/local/cuda" and any(each.startswith(home) for each in roots)
    if is_alias or home in [each.rstrip("/\\") for each in roots]:
        return ok(f"torch builds extensions with {machine.cuda_home}", cuda_home=machine.cuda_home)
    given = machine.variable("CUDA_HOME") or machine.variable("CUDA_PATH")
    return warning(
        f"torch would look for CUDA in {machine.cuda_home or 'no folder at all'}",
        cause="CUDA_HOME points there"
        if given
        else "it guesses the folder from the nvcc on PATH, and that is a link or a script which "
        "stands elsewhere than the toolkit; headers are then not found",
        fix=f"to build extensions: export CUDA_HOME={roots[0]}",
        cuda_home=machine.cuda_home,
        toolkits=roots,
    )


@check("host-compiler", "build", "host compiler", "toolkit")
def _host_compiler(machine: Machine, toolkit: Toolkit) -> Finding | None:
    if machine.os == "macos":
        return None
    if machine.os == "windows":
        if machine.msvc is None:
            return None
        if not machine.msvc:
            return warning(
                "no Visual C++ compiler is set up in this shell",
                cause='nvcc calls it: "Cannot find compiler cl.exe in PATH"',
                fix='open "x64 Native Tools Command Prompt for VS 2022" (Build Tools for Visual '
                "Studio, C++ workload), and work from there",
            )
        return ok(f"Visual C++ {machine.msvc}")
    if machine.gcc == "":
        return warning(
            "there is a CUDA toolkit, but no C++ compiler",
            cause="nvcc hands all code for the CPU to gcc",
            fix="sudo apt install g++ (Fedora: sudo dnf install gcc-c++; conda: conda install gxx)",
        )
    if machine.gcc is None:
        return None
    limits = COMPILERS.row(toolkit.version)
    newest = limits.gcc_max if limits is not None else None
    return from_verdict(
        gcc_with_cuda(machine.gcc, toolkit.version),
        good=f"gcc {machine.gcc} goes with CUDA {toolkit.version}",
        bad=f"gcc {machine.gcc} does not go with CUDA {toolkit.version}",
        fix=f"sudo apt install g++-{newest}, then build with CC=gcc-{newest} CXX=g++-{newest}"
        if newest
        else "",
        worst="warning",
        gcc=machine.gcc,
        cuda=toolkit.version,
    )


@check("ninja", "build", "ninja", "toolkit")
def _ninja(machine: Machine, _: Toolkit) -> Finding | None:
    if machine.has_ninja:
        return ok("ninja compiles files side by side")
    text = "no ninja: extensions are compiled one file after another (pip install ninja)"
    return None if machine.has_ninja is None else ok(text)


@check("build-jobs", "build", "memory for compilers")
def _jobs(machine: Machine) -> Finding | None:
    memory, cores = machine.usable_memory_gb, machine.usable_cores or machine.cores
    if machine.toolkit is None or not machine.has_ninja or memory is None or cores is None:
        return None
    value = machine.variable("MAX_JOBS")
    jobs = int(value) if value.isdigit() else cores
    fitting = max_jobs(jobs, memory)
    if fitting is None or jobs <= fitting:
        return ok(f"memory is enough for {jobs} compilers at once", memory_gb=memory)
    return warning(
        f"a build would start {jobs} compilers, and {memory:.0f} GB is enough for {fitting}",
        cause="each takes up to 2 GB: the system kills one, or stands still",
        fix=f"export MAX_JOBS={fitting}",
        memory_gb=memory,
        jobs=jobs,
    )
