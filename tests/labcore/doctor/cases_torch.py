"""Cases for the checks of torch, of its libraries and of PyTorch3D."""

from dataclasses import replace

from tests.labcore.doctor.machines import (
    CUBLAS,
    CUDNN,
    LAPTOP,
    NVJITLINK,
    PYTORCH3D,
    TORCH,
    TORCH_CPU,
    WORKSTATION,
    Case,
    on_path,
    packages,
    variables,
)

WHEELS = (CUDNN, NVJITLINK, CUBLAS)
TORCHVISION = replace(PYTORCH3D, package="torchvision", path="/env/torchvision/_C.so")
CLOBBERED = {
    "owners": {"nvidia/cudnn/lib/libcudnn.so.9": ("nvidia-cudnn-cu12", "nvidia-cudnn-cu13")}
}
WITHOUT_TORCH = {
    "torch": None,
    "packages": {
        name: version for name, version in (WORKSTATION.packages or {}).items() if name != "torch"
    },
}


def extension(**changes):
    return {"extensions": (replace(PYTORCH3D, **changes),)}


CASES = [
    Case(check="torch", state="ok", says=("2.12.1+cu130", "CUDA 13.0")),
    Case(check="torch", state="ok", says=("for the CPU",), facts={"torch": TORCH_CPU}),
    Case(
        check="torch",
        state="ok",
        says=("ROCm 6.2",),
        facts={"torch": replace(TORCH_CPU, hip="6.2")},
    ),
    Case(check="torch", state="ok", says=("not installed", "[torch]"), facts=WITHOUT_TORCH),
    Case(
        check="torch",
        state="failure",
        says=("its files are not there", "--force-reinstall"),
        facts={"torch": None},
    ),
    Case(check="torch", state="unknown", facts={"torch": None, "packages": None}),
    Case(check="torch-cpu-build", state="ok"),
    Case(
        check="torch-cpu-build",
        state="warning",
        says=("CPU build", "RTX 4090", "pip install torch"),
        facts={"torch": TORCH_CPU},
    ),
    Case(check="torch-cpu-build", state=None, machine=LAPTOP, facts={"torch": TORCH_CPU}),
    Case(check="torch-cpu-build", state=None, facts={"torch": replace(TORCH_CPU, hip="6.2")}),
    Case(check="torch-cpu-build", state=None, facts={"torch": replace(TORCH, cuda=None)}),
    Case(check="pip-file-clobber", state="ok"),
    Case(
        check="pip-file-clobber",
        state="failure",
        says=(
            "nvidia-cudnn-cu12 and nvidia-cudnn-cu13",
            "here nvidia-cudnn-cu12 is on disk",
            "--no-deps nvidia-cudnn-cu13",
        ),
        facts=CLOBBERED,
    ),
    Case(check="pip-file-clobber", state="warning", machine=LAPTOP, facts=CLOBBERED),
    Case(check="torch-companions", state="ok", says=("torchvision",)),
    Case(
        check="torch-companions",
        state="failure",
        says=("torchvision wants torch==2.11.0, and 2.12.1 is installed", "operators"),
        facts={"requirements": {"torchvision": ("torch==2.11.0",)}},
    ),
    Case(
        check="torch-companions",
        state="failure",
        says=("torchvision 0.15.2",),
        facts={**packages(torchvision="0.15.2"), "requirements": None},
    ),
    Case(check="torch-companions", state="ok", facts={"requirements": None}),
    Case(check="torch-companions", state=None, facts=WITHOUT_TORCH),
    Case(check="extension-abi", state="ok"),
    Case(
        check="extension-abi",
        state="failure",
        says=("torchvision", "c10::Error", "--force-reinstall"),
        facts={"extensions": (replace(TORCHVISION, missing_symbols=("c10::Error::Error",)),)},
    ),
    Case(check="extension-abi", state=None, facts={"extensions": None}),
    Case(check="debug-switches", state=None),
    Case(
        check="debug-switches",
        state="warning",
        says=("CUDA_LAUNCH_BLOCKING=1", "slower", "unset"),
        facts=variables(CUDA_LAUNCH_BLOCKING="1"),
    ),
    Case(check="debug-switches", state=None, facts=variables(CUDA_LAUNCH_BLOCKING="0")),
    Case(check="nvjitlink", state="ok"),
    Case(
        check="nvjitlink",
        state="failure",
        says=("libnvJitLink.so.13", "/usr/local/cuda/lib64", "unset LD_LIBRARY_PATH"),
        facts={"libraries": (*WHEELS, on_path("libnvJitLink.so.13", "13.1.80"))},
    ),
    Case(
        check="nvjitlink",
        state="ok",
        facts={"libraries": (*WHEELS, on_path("libnvJitLink.so.13", "13.0.88"))},
    ),
    Case(
        check="nvjitlink",
        state="ok",  # other names do not hide anything
        facts={"libraries": (*WHEELS, on_path("libnvJitLink.so.12", "12.4.127"))},
    ),
    Case(check="ldpath-cudnn", state="ok"),
    Case(
        check="ldpath-cudnn",
        state="failure",
        says=("libcudnn.so.9 9.20.0.48", "unset LD_LIBRARY_PATH"),
        facts={"libraries": (*WHEELS, on_path("libcudnn.so.9", "9.1.0"))},
    ),
    Case(
        check="ldpath-cudnn",
        state="warning",
        machine=LAPTOP,
        facts={"libraries": (*WHEELS, on_path("libcudnn.so.9", "9.1.0"))},
    ),
    Case(
        check="ldpath-cudnn",
        state="ok",  # 9.20.0 and 9.20.0.48 are one release
        facts={"libraries": (*WHEELS, on_path("libcudnn.so.9", "9.20.0"))},
    ),
    Case(check="ldpath-cudnn", state=None, facts={"libraries": ()}),
    Case(check="ldpath-cuda", state="ok"),
    Case(
        check="ldpath-cuda",
        state="warning",
        says=("libcublas.so.13",),
        facts={"libraries": (*WHEELS, on_path("libcublas.so.13", "13.2.0.1"))},
    ),
    Case(check="ld-preload", state=None, facts=variables(LD_PRELOAD="/lib/libjemalloc.so")),
    Case(
        check="ld-preload",
        state="warning",
        says=("/opt/libcudart.so.11", "unset LD_PRELOAD"),
        facts=variables(LD_PRELOAD="/lib/libjemalloc.so:/opt/libcudart.so.11"),
    ),
    Case(check="pytorch3d", state="ok", says=("0.7.9.post1 (from easypytorch3d)",)),
    Case(check="pytorch3d", state="ok", says=("not installed",), facts={"packages": {}}),
    Case(check="pytorch3d", state="unknown", facts={"packages": None}),
    Case(check="p3d-torch", state="ok", says=("symbols are all there",)),
    Case(check="p3d-torch", state="ok", says=("goes with",), facts={"extensions": ()}),
    Case(
        check="p3d-torch",
        state="warning",
        # Compiled for torch 2.11 and 2.12 alone.
        says=("0.7.9.post1", "torch 2.13.0", "lab env plan pytorch3d"),
        facts={"extensions": (), "torch": replace(TORCH, version="2.13.0+cu130")},
    ),
    Case(
        check="p3d-torch",
        state="warning",  # the compiled part wants the CUDA 13 build
        says=("0.7.9.post1", "2.12.1+cpu"),
        facts={"extensions": (), "torch": TORCH_CPU},
    ),
    Case(
        check="p3d-torch",
        state="ok",
        facts={
            "extensions": None,
            "packages": {"pytorch3d": "0.7.4"},
            "torch": replace(TORCH, version="2.0.1+cu117", cuda="11.7"),
            "python": "3.10.4",
        },
    ),
    Case(
        check="p3d-torch",
        state="warning",
        says=("PyTorch3D 0.3.0 was not made for torch 2.12.1",),
        facts={"extensions": None, "packages": {"pytorch3d": "0.3.0"}},
    ),
    Case(check="p3d-torch", state=None, facts={"torch": None}),
    Case(check="p3d-abi", state="ok"),
    Case(
        check="p3d-abi",
        state="failure",
        says=("2 symbols", "c10::impl::foo", "undefined symbol", "lab env plan pytorch3d"),
        facts=extension(missing_symbols=("c10::impl::foo()", "at::bar()")),
    ),
    Case(
        check="p3d-abi",
        state="failure",
        says=('pip install "torch>=2.11,<2.13"',),
        facts={
            **extension(missing_symbols=("c10::impl::foo()",)),
            "requirements": {"easypytorch3d": ("torch>=2.11,<2.13",)},
        },
    ),
    Case(check="p3d-abi", state=None, facts={"extensions": None}),
    Case(check="p3d-needed", state="ok"),
    Case(
        check="p3d-needed",
        state="failure",
        says=("libc10_cuda.so, libcudart.so.13", "this torch is a CPU build"),
        facts={
            **extension(missing_libraries=("libc10_cuda.so", "libcudart.so.13")),
            "torch": TORCH_CPU,
        },
    ),
    Case(
        check="p3d-needed",
        state="failure",
        says=("another CUDA family",),
        facts=extension(missing_libraries=("libcudart.so.12",)),
    ),
    Case(check="p3d-needed", state=None, facts={"extensions": None}),
    Case(check="import-order", state="ok"),
    Case(
        check="import-order",
        state="warning",
        says=("libc10.so", "import torch before pytorch3d"),
        facts=extension(has_runpath=False),
    ),
    Case(check="import-order", state=None, facts=extension(has_runpath=None)),
    Case(check="p3d-cuda-missing", state="ok"),
    Case(
        check="p3d-cuda-missing",
        state="warning",
        says=("Not compiled with GPU support", "FORCE_CUDA=1"),
        facts=extension(has_cuda=False),
    ),
    Case(check="p3d-cuda-missing", state=None, machine=LAPTOP, facts=extension(has_cuda=False)),
]
