"""Cases for the checks of what builds CUDA extensions, the notes' Windows set-up among them."""

from dataclasses import replace

from labcore.doctor.machine import Machine, Toolkit, TorchBuild
from tests.labcore.doctor.machines import LAPTOP, TOOLKIT, WORKSTATION, Case, variables

CUDA_118 = Toolkit(
    version="11.8", root="/usr/local/cuda-11.8", cub="1.15.1", thrust="1.15.1", has_nvcc=True
)
CUDA_102 = Toolkit(version="10.2", root="/usr/local/cuda-10.2", thrust="1.9.7", has_nvcc=True)
WINDOWS = Machine(
    origin="report",
    os="windows",
    packages={"torch": "2.0.1", "pytorch3d": "0.7.4"},
    torch=TorchBuild(version="2.0.1+cu117", cuda="11.7"),
    toolkits=(
        Toolkit(
            version="11.7",
            root=r"C:\Program Files\NVIDIA GPU Computing Toolkit\CUDA\v11.7",
            cub="1.15.0",
            thrust="1.15.0",
            has_nvcc=True,
        ),
    ),
    environ={},
    msvc="14.29.30133",
)
"""CUDA 11.7 with torch 2.0.1 on Windows."""


def cub(home: str, version: str, **facts):
    return {**variables(CUB_HOME=home), "cub_home_version": version, **facts}


CASES = [
    Case(check="build", state="ok", says=("CUDA toolkit 13.0", "gcc 12.2.0")),
    Case(check="build", state="ok", says=("and 1 more",), facts={"toolkits": (TOOLKIT, CUDA_118)}),
    Case(check="build", state="ok", says=("wheels need none",), machine=LAPTOP),
    Case(check="nvcc-mismatch", state="ok", says=("both of CUDA 13.0",)),
    Case(
        check="nvcc-mismatch",
        state="ok",
        says=("one family",),
        facts={"toolkits": (replace(TOOLKIT, version="13.1"),)},
    ),
    Case(
        check="nvcc-mismatch",
        state="warning",
        says=("nvcc is of CUDA 11.8", "cuda-toolkit=13.0", "what is installed works"),
        facts={"toolkits": (CUDA_118,), "cuda_home": CUDA_118.root},
    ),
    Case(
        check="nvcc-mismatch",
        state="warning",
        says=("export CUDA_HOME=/usr/local/cuda-13.0",),
        facts={"toolkits": (CUDA_118, TOOLKIT), "cuda_home": CUDA_118.root},
    ),
    Case(check="nvcc-mismatch", state=None, machine=LAPTOP),
    Case(check="nvcc-mismatch", state=None, facts={"torch": None}),
    Case(check="cuda-home", state="ok"),
    Case(check="cuda-home", state="ok", facts={"cuda_home": "/usr/local/cuda"}),
    Case(
        check="cuda-home",
        state="warning",
        says=(
            "CUDA in /usr/local\n",
            "a link or a script",
            "export CUDA_HOME=/usr/local/cuda-13.0",
        ),
        facts={"cuda_home": "/usr/local"},
    ),
    Case(
        check="cuda-home",
        state="warning",
        says=("CUDA_HOME points there",),
        facts={"cuda_home": "/opt/old", **variables(CUDA_HOME="/opt/old")},
    ),
    Case(check="cuda-home", state="warning", says=("no folder at all",), facts={"cuda_home": ""}),
    Case(check="cuda-home", state=None, facts={"cuda_home": None}),
    Case(check="cuda-home", state=None, machine=LAPTOP),
    Case(check="host-compiler", state="ok"),
    Case(
        check="host-compiler",
        state="warning",
        says=("gcc 12.2.0", "CUDA 11.7", "unsupported GNU version", "g++-11"),
        facts={"toolkits": (replace(TOOLKIT, version="11.7"),)},
    ),
    Case(check="host-compiler", state="warning", says=("apt install g++",), facts={"gcc": ""}),
    Case(check="host-compiler", state=None, facts={"gcc": None}),
    Case(check="host-compiler", state=None, machine=LAPTOP),
    Case(check="host-compiler", state="ok", machine=WINDOWS),
    Case(
        check="host-compiler",
        state="warning",
        says=("cl.exe", "Native Tools"),
        machine=WINDOWS,
        facts={"msvc": ""},
    ),
    Case(check="ninja", state="ok"),
    Case(check="ninja", state="ok", says=("pip install ninja",), facts={"has_ninja": False}),
    Case(check="ninja", state=None, facts={"has_ninja": None}),
    Case(check="build-jobs", state="ok"),
    Case(
        check="build-jobs",
        state="warning",
        says=("16 compilers", "MAX_JOBS=8"),
        facts={"memory_gb": 16.0},
    ),
    Case(
        check="build-jobs",
        state="ok",
        facts={"memory_gb": 16.0, **variables(MAX_JOBS="4")},
    ),
    Case(check="build-jobs", state=None, facts={"memory_gb": None}),
    Case(check="build-jobs", state=None, machine=LAPTOP),
    Case(check="cub-check", state=None),
    Case(check="cub-check", state="ok", facts=cub("/opt/cub", "3.0.1")),
    Case(
        check="cub-check",
        state="warning",
        says=("CUB 1.17.2", "Thrust is 3.0.1", "unset CUB_HOME"),
        facts=cub("/opt/cub", "1.17.2"),
    ),
    Case(
        check="cub-check",
        state="ok",
        facts=cub("/opt/cub", "1.17.2")
        | variables(CUB_HOME="/opt/cub", NVCC_FLAGS="-DTHRUST_IGNORE_CUB_VERSION_CHECK"),
    ),
    Case(
        check="cub-check",
        state="ok",  # the notes' swap, which this very toolkit needs on Windows
        says=("turns off Thrust's check",),
        machine=WINDOWS,
        facts={"environ": {"CUB_HOME": r"C:\cub-1.17.2"}, "cub_home_version": "1.17.2"},
    ),
    Case(check="cub-home", state=None),
    Case(
        check="cub-home",
        state="warning",
        says=("brings the CUB that it needs", "unset CUB_HOME"),
        facts=cub("/opt/cub", "1.17.2"),
    ),
    Case(
        check="cub-home",
        state="warning",
        says=("holds no CUB", "the folder that contains cub/"),
        facts=cub("/opt/cub-1.17.2/cub", ""),
    ),
    Case(
        check="cub-home",
        state="ok",
        machine=WINDOWS,
        facts={"environ": {"CUB_HOME": r"C:\cub-1.17.2"}, "cub_home_version": "1.17.2"},
    ),
    Case(check="cub-small-macro", state=None),
    Case(
        check="cub-small-macro",
        state="warning",
        says=("CUB 1.15.0", "dispatch_segmented_sort.cuh(338)", "CUB 1.17.2", "CUB_HOME"),
        machine=WINDOWS,
    ),
    Case(
        check="cub-small-macro",
        state="ok",
        machine=WINDOWS,
        facts={"cub_home_version": "1.17.2"},
    ),
    Case(check="cub-missing", state=None),
    Case(
        check="cub-missing",
        state="warning",
        says=("CUDA 10.2 brings no CUB", "CUB 1.10.0", "CUB_HOME"),
        facts={"toolkits": (CUDA_102,)},
    ),
    Case(check="cub-missing", state="ok", facts=cub("/opt/cub", "1.10.0", toolkits=(CUDA_102,))),
    Case(check="cub-missing", state=None, machine=WORKSTATION, facts={"toolkits": None}),
]
