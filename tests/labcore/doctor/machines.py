"""Machines for the checks to look at, and a table form for what they should say."""

from dataclasses import dataclass, field, replace
from typing import Any

from labcore.doctor.finding import STATES, Finding
from labcore.doctor.machine import (
    Card,
    CompiledExtension,
    Library,
    Machine,
    TensorFlowBuild,
    Toolkit,
    TorchBuild,
)

WHEELS = "/env/lib/python3.11/site-packages/nvidia"
RTX_4090 = Card(
    name="NVIDIA GeForce RTX 4090",
    uuid="GPU-11111111-aaaa-bbbb-cccc-000000000001",
    index=0,
    compute_capability="8.9",
    memory_mib=24564,
    memory_used_mib=400,
    ecc_errors=0,
    persistence=True,
    compute_mode="Default",
    temperature_c=40,
    num_processes=0,
)
GTX_950M = replace(
    RTX_4090, name="NVIDIA GeForce GTX 950M", compute_capability="5.0", memory_mib=2048
)
A100 = replace(
    RTX_4090,
    name="NVIDIA A100-SXM4-40GB",
    uuid="GPU-22222222-aaaa-bbbb-cccc-000000000002",
    index=1,
    compute_capability="8.0",
    memory_mib=40960,
)
A100_CUT = replace(A100, mig_enabled=True)
SLICE = replace(
    A100, uuid="MIG-33333333-aaaa-bbbb-cccc-000000000003", mig_profile="1g.5gb", memory_mib=4864
)
SLICE_2 = replace(SLICE, uuid="MIG-44444444-aaaa-bbbb-cccc-000000000004")
TORCH = TorchBuild(
    version="2.12.1+cu130",
    cuda="13.0",
    cudnn="9.20.0.48",
    archs=("sm_75", "sm_80", "sm_86", "sm_90", "sm_100", "sm_120"),
)
TORCH_CPU = TorchBuild(version="2.12.1+cpu", cuda="", archs=())
TENSORFLOW = TensorFlowBuild(
    version="2.21.0",
    cuda="12.5.1",
    cudnn="9",
    archs=("sm_60", "sm_70", "sm_80", "sm_89", "compute_90"),
)
TOOLKIT = Toolkit(
    version="13.0",
    root="/usr/local/cuda-13.0",
    cub="3.0.1",
    thrust="3.0.1",
    has_nvcc=True,
)
PYTORCH3D = CompiledExtension(
    package="pytorch3d",
    path="/env/pytorch3d/_C.so",
    has_cuda=True,
    needs_cuda_runtime="libcudart.so.13",
    has_runpath=True,
)
CUDNN = Library(
    name="libcudnn.so.9",
    path=f"{WHEELS}/cudnn/lib/libcudnn.so.9",
    where="wheel",
    version="9.20.0.48",
)
NVJITLINK = Library(
    name="libnvJitLink.so.13",
    path=f"{WHEELS}/cu13/lib/libnvJitLink.so.13",
    where="wheel",
    version="13.0.88",
)
CUBLAS = Library(
    name="libcublas.so.13",
    path=f"{WHEELS}/cu13/lib/libcublas.so.13",
    where="wheel",
    version="13.1.1.3",
)

WORKSTATION = Machine(
    origin="here",
    os="linux",
    os_name="Debian GNU/Linux 12 (bookworm)",
    kernel="6.1.0-28-amd64",
    architecture="x86_64",
    glibc="2.36",
    is_wsl=False,
    container="",
    is_cluster="",
    cores=16,
    usable_cores=16,
    memory_gb=64.0,
    open_files=1024,
    encoding="utf-8",
    shm_gb=32.0,
    disk_free_gb={"/home/tester/lab": 400.0},
    nvidia_pci=1,
    kernel_driver="580.65.06",
    nvml_library="580.65.06",
    driver="580.65.06",
    driver_cuda="13.0",
    cards=(RTX_4090,),
    device_nodes={"/dev/nvidia0": True, "/dev/nvidiactl": True},
    libcuda="/lib/x86_64-linux-gnu/libcuda.so.1",
    python="3.11.7",
    in_venv=True,
    is_conda=False,
    packages={
        "torch": "2.12.1",
        "torchvision": "0.27.1",
        "easypytorch3d": "0.7.9.post1",
        "nvidia-ml-py": "13.580.82",
        "nvidia-cudnn-cu13": "9.20.0.48",
        "numpy": "2.4.6",
        "protobuf": "7.36.2",
        "wandb": "0.31.0",
    },
    requirements={"torchvision": ("numpy", "torch==2.12.1"), "wandb": ("protobuf>=5.28,<8",)},
    owners={},
    modules={"pynvml": "nvidia-ml-py"},
    has_bytecode=True,
    torch=TORCH,
    extensions=(PYTORCH3D, replace(PYTORCH3D, package="torchvision", path="/env/tv/_C.so")),
    toolkits=(TOOLKIT,),
    cuda_home="/usr/local/cuda-13.0",
    gcc="12.2.0",
    msvc="",
    has_ninja=True,
    libdevice="",
    libraries=(CUDNN, NVJITLINK, CUBLAS),
    environ={"DISPLAY": ":0"},
    tools={
        "git": "/usr/bin/git",
        "ffmpeg": "/usr/bin/ffmpeg",
        "chromium": "/usr/bin/chromium",
        "nvidia-smi": "/usr/bin/nvidia-smi",
        "libfluidsynth": "/lib/libfluidsynth.so.3",
        "libOSMesa": "",
        "libEGL": "/lib/libEGL.so.1",
    },
    wandb_login=True,
    wandb_mode="",
    cache_dirs={"/home/tester/.cache/torch": True},
)
"""A desktop with one GPU, where everything is as it should be."""

LAPTOP = replace(
    WORKSTATION,
    cores=4,
    usable_cores=4,
    memory_gb=8.0,
    nvidia_pci=0,
    kernel_driver="",
    nvml_library="",
    driver="",
    driver_cuda="",
    cards=(),
    device_nodes={},
    libcuda="",
    toolkits=(),
    cuda_home="",
    gcc="",
    wandb_login=False,
)
"""A laptop without an NVIDIA card."""

WITH_TENSORFLOW: dict[str, Any] = {
    "tensorflow": TENSORFLOW,
    "torch": None,
    "packages": {
        **{k: v for k, v in (WORKSTATION.packages or {}).items() if k != "torch"},
        "tensorflow": "2.21.0",
        "tf-keras": "2.21.0",
        "tensorflow-model-optimization": "0.8.1",
    },
    "requirements": {"tensorflow": ("protobuf>=6.31.1,<8",)},
    "libdevice": "/env/nvidia/cuda_nvcc/nvvm/libdevice/libdevice.10.bc",
    "libraries": tuple(
        Library(name=name, path=f"{WHEELS}/x/lib/{name}", where="wheel", version=version)
        for name, version in {
            "libcudnn.so.9": "9.3.0.75",
            "libcudart.so.12": "12.5.82",
            "libcublas.so.12": "12.5.3.2",
            "libcublasLt.so.12": "12.5.3.2",
            "libcufft.so.11": "11.2.3.61",
            "libcusolver.so.11": "11.6.3.83",
            "libcusparse.so.12": "12.5.1.3",
        }.items()
    ),
}
"""What makes the workstation one with TensorFlow in place of torch."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """What a check should say of a machine."""

    check: str
    state: str | None
    """The worst state among its findings; None when it should say nothing."""
    says: tuple[str, ...] = ()
    """Words that must be in what it says, cause and fix included."""
    facts: dict[str, Any] = field(default_factory=dict)
    """How the machine differs from the workstation."""
    machine: Machine = WORKSTATION

    def look(self) -> Machine:
        return replace(self.machine, **self.facts)

    def __str__(self) -> str:
        return f"{self.check}-{self.state}-{'_'.join(self.facts)}"


def worst(findings: list[Finding]) -> str | None:
    return min((each.state for each in findings), key=STATES.index, default=None)


def words_of(findings: list[Finding]) -> str:
    return "\n".join(
        part for each in findings for part in (each.summary, each.cause, each.fix) if part
    )


def variables(**values: str) -> dict[str, Any]:
    return {"environ": {**(WORKSTATION.environ or {}), **values}}


def packages(**values: str) -> dict[str, Any]:
    named = {name.replace("_", "-"): value for name, value in values.items()}
    return {"packages": {**(WORKSTATION.packages or {}), **named}}


def on_path(name: str, version: str) -> Library:
    return Library(
        name=name, path=f"/usr/local/cuda/lib64/{name}", where="ld_library_path", version=version
    )
