"""Cases for the checks of the driver and of the cards."""

from dataclasses import replace

from labcore.doctor.machine import DriverTrouble
from tests.labcore.doctor.machines import (
    A100,
    A100_CUT,
    GTX_950M,
    LAPTOP,
    RTX_4090,
    SLICE,
    SLICE_2,
    TENSORFLOW,
    TORCH,
    TORCH_CPU,
    Case,
    variables,
)


def trouble(code: int, **facts):
    return {
        "driver": None,
        "driver_cuda": None,
        "cards": None,
        "driver_trouble": DriverTrouble(code=code, text=f"NVML error {code}"),
        **facts,
    }


def old(driver: str):
    return {"driver": driver, "kernel_driver": driver, "nvml_library": driver}


CASES = [
    Case(check="gpu", state="ok", says=("RTX 4090", "580.65.06")),
    Case(check="gpu", state="ok", says=("2 x NVIDIA",), facts={"cards": (RTX_4090, RTX_4090)}),
    Case(
        check="gpu", state="ok", says=("2 MIG slices",), facts={"cards": (A100_CUT, SLICE, SLICE_2)}
    ),
    Case(check="gpu", state="ok", says=("Apple",), machine=LAPTOP, facts={"os": "macos"}),
    Case(check="gpu", state="unknown", says=("NVML error 999",), facts=trouble(999)),
    Case(check="gpu", state="unknown", facts={"cards": (), "driver": ""}),
    Case(check="driver-present", state="ok"),
    Case(
        check="driver-present",
        state="failure",
        says=("dkms autoinstall", "Secure Boot", "nouveau"),
        machine=LAPTOP,
        facts={"nvidia_pci": 1},
    ),
    Case(check="driver-present", state=None, machine=LAPTOP),
    Case(check="driver-present", state=None, machine=LAPTOP, facts={"nvidia_pci": None}),
    Case(check="nvml-load", state="ok"),
    Case(check="nvml-load", state=None, machine=LAPTOP, facts=trouble(12)),
    Case(check="nvml-load", state="failure", says=("libnvidia-ml1",), facts=trouble(12)),
    Case(
        check="nvml-load",
        state="failure",
        says=("NVIDIA_DRIVER_CAPABILITIES",),
        facts=trouble(12, container="docker"),
    ),
    Case(
        check="nvml-load",
        state="failure",
        says=("pip install nvidia-ml-py",),
        facts=trouble(12, packages={}),
    ),
    Case(check="nvml-load", state="failure", says=("usermod",), facts=trouble(4)),
    Case(check="nvml-load", state="failure", says=("reboot",), facts=trouble(999)),
    Case(check="nvml-load", state=None, facts=trouble(18)),
    Case(check="nvml-load", state=None, facts=trouble(999, container="docker")),
    Case(check="nvml-mismatch", state="ok"),
    Case(
        check="nvml-mismatch",
        state="failure",
        says=("module 535.183.01", "library 580.65.06", "reboot"),
        facts={"kernel_driver": "535.183.01"},
    ),
    Case(
        check="nvml-mismatch",
        state="failure",
        says=("reboot",),
        facts=trouble(18, kernel_driver=""),
    ),
    Case(check="nvml-mismatch", state=None, machine=LAPTOP),
    Case(
        check="nvml-container-lost",
        state="failure",
        says=("daemon-reload", "restart the container"),
        facts=trouble(999, container="docker"),
    ),
    Case(check="nvml-container-lost", state=None, facts=trouble(999)),
    Case(check="container-gpu", state=None),
    Case(check="container-gpu", state="ok", facts={"container": "docker"}),
    Case(
        check="container-gpu",
        state="warning",
        says=("--gpus all", "nvidia-container-toolkit"),
        machine=LAPTOP,
        facts={"container": "docker", "nvidia_pci": 2},
    ),
    Case(
        check="container-gpu",
        state="warning",
        says=("NVIDIA_VISIBLE_DEVICES hides",),
        machine=LAPTOP,
        facts={
            "container": "podman",
            "nvidia_pci": 1,
            "environ": {"NVIDIA_VISIBLE_DEVICES": "void"},
        },
    ),
    Case(check="container-gpu", state=None, machine=LAPTOP, facts={"container": "docker"}),
    Case(check="device-nodes", state="ok"),
    Case(
        check="device-nodes",
        state="failure",
        says=("/dev/nvidia0", "video,render"),
        facts={"device_nodes": {"/dev/nvidia0": False, "/dev/nvidiactl": True}},
    ),
    Case(
        check="device-nodes", state="warning", says=("nvidia-modprobe",), facts={"device_nodes": {}}
    ),
    Case(check="device-nodes", state=None, machine=LAPTOP),
    Case(check="cuda-compat-misuse", state=None),
    Case(
        check="cuda-compat-misuse",
        state="failure",
        says=("803", "LD_LIBRARY_PATH"),
        facts={"libcuda": "/usr/local/cuda-12.4/compat/libcuda.so.1"},
    ),
    Case(
        check="cuda-compat-misuse",
        state="ok",
        facts={"libcuda": "/usr/local/cuda-12.4/compat/libcuda.so.1", "cards": (A100,)},
    ),
    Case(check="smi-cuda-misread", state=None),
    Case(
        check="smi-cuda-misread",
        state="ok",
        says=("no contradiction", "13.3", "13.0"),
        facts={"driver_cuda": "13.3"},
    ),
    Case(check="driver-vs-cuda", state="ok"),
    Case(
        check="driver-vs-cuda",
        state="failure",
        # CUDA 13 needs the 580 branch; the cu126 builds run on the 525 branch and newer.
        says=("too old for torch's CUDA 13.0", "580", "whl/cu126"),
        facts=old("550.54.14"),
    ),
    Case(
        check="driver-vs-cuda",
        state="failure",
        says=("TensorFlow's CUDA 12.5.1", "525"),
        facts={**old("470.82.01"), "torch": TORCH_CPU, "tensorflow": TENSORFLOW},
    ),
    Case(
        check="driver-vs-cuda",
        state="ok",
        says=("driver 535.183.01 runs torch's CUDA 12.6, with limits",),
        facts={**old("535.183.01"), "torch": replace(TORCH, version="2.8.0+cu126", cuda="12.6")},
    ),
    Case(
        check="driver-vs-cuda",
        state="unknown",
        says=("not known whether driver 999.10 runs torch's CUDA 99.0",),
        facts={**old("999.10"), "torch": replace(TORCH, cuda="99.0")},
    ),
    Case(check="driver-vs-cuda", state=None, machine=LAPTOP),
    Case(check="driver-vs-cuda", state=None, facts={"driver": None}),
    Case(check="driver-minor", state=None),
    Case(
        check="driver-minor",
        state="ok",
        says=("older than CUDA 12.6", "PTX"),
        facts={**old("535.183.01"), "torch": replace(TORCH, version="2.8.0+cu126", cuda="12.6")},
    ),
    Case(check="gpu-lost", state="ok"),
    Case(
        check="gpu-lost",
        state="failure",
        says=("card 1", "Xid", "power"),
        facts={"lost_cards": ("card 1: a GPU has fallen off the bus",)},
    ),
    Case(check="gpu-lost", state=None, machine=LAPTOP),
    Case(check="ecc", state="ok"),
    Case(
        check="ecc",
        state="failure",
        says=("A100", "--gpu-reset"),
        facts={"cards": (RTX_4090, replace(A100, ecc_errors=3))},
    ),
    Case(check="ecc", state=None, facts={"cards": (replace(RTX_4090, ecc_errors=None),)}),
    Case(check="persistence", state="ok", says=("stays loaded",)),
    Case(
        check="persistence",
        state="warning",
        says=("nvidia-persistenced",),
        facts={"cards": (replace(A100, persistence=False),), "environ": {}},
    ),
    Case(
        check="persistence",
        state="ok",
        says=("the display keeps",),
        facts={"cards": (replace(RTX_4090, persistence=False),)},
    ),
    Case(check="persistence", state=None, facts={"os": "windows"}),
    Case(check="throttle", state="ok"),
    Case(
        check="throttle",
        state="ok",
        facts={"cards": (replace(RTX_4090, throttle=("software power cap",)),)},
    ),
    Case(
        check="throttle",
        state="warning",
        says=("at 92 C", "hardware thermal slowdown", "fans"),
        facts={
            "cards": (replace(RTX_4090, throttle=("hardware thermal slowdown",), temperature_c=92),)
        },
    ),
    Case(check="throttle", state=None, machine=LAPTOP),
    Case(check="compute-mode", state=None),
    Case(
        check="compute-mode",
        state="warning",
        says=("Prohibited", "-c DEFAULT"),
        facts={"cards": (replace(RTX_4090, compute_mode="Prohibited"),)},
    ),
    Case(
        check="compute-mode",
        state="warning",
        says=("one process at a time",),
        facts={"cards": (replace(RTX_4090, compute_mode="Exclusive_Process", num_processes=1),)},
    ),
    Case(
        check="compute-mode",
        state=None,
        facts={"cards": (replace(RTX_4090, compute_mode="Exclusive_Process"),)},
    ),
    Case(check="mig", state=None),
    Case(check="mig", state="ok", says=("2 MIG",), facts={"cards": (A100_CUT, SLICE, SLICE_2)}),
    Case(check="mig", state="warning", says=("mig -cgi",), facts={"cards": (A100_CUT,)}),
    Case(
        check="mig",
        state="warning",
        says=("is cut into", f"CUDA_VISIBLE_DEVICES={SLICE.uuid}"),
        facts={"cards": (A100_CUT, SLICE), **variables(CUDA_VISIBLE_DEVICES="GPU-22222222")},
    ),
    Case(
        check="mig",
        state="warning",
        says=("is cut into",),
        facts={"cards": (A100_CUT, SLICE), **variables(CUDA_VISIBLE_DEVICES="1")},
    ),
    Case(
        check="mig",
        state="warning",
        says=("several MIG slices",),
        facts={
            "cards": (A100_CUT, SLICE, SLICE_2),
            **variables(CUDA_VISIBLE_DEVICES=f"{SLICE.uuid},{SLICE_2.uuid}"),
        },
    ),
    Case(check="cvd-bad", state=None),
    Case(
        check="cvd-bad", state="ok", says=("RTX 4090",), facts=variables(CUDA_VISIBLE_DEVICES="0")
    ),
    Case(
        check="cvd-bad",
        state="ok",
        says=("A100",),
        facts={
            "cards": (RTX_4090, A100),
            **variables(CUDA_VISIBLE_DEVICES="GPU-22222222"),
        },
    ),
    Case(
        check="cvd-bad",
        state="warning",
        says=("hides every GPU", "unset"),
        facts=variables(CUDA_VISIBLE_DEVICES=""),
    ),
    Case(
        check="cvd-bad",
        state="warning",
        says=("fewer GPUs", "no GPU 5"),
        facts={"cards": (RTX_4090, A100), **variables(CUDA_VISIBLE_DEVICES="0,5,1")},
    ),
    Case(
        check="cvd-bad",
        state="failure",
        says=("hides every GPU", "no GPU 7"),
        facts=variables(CUDA_VISIBLE_DEVICES="7"),
    ),
    Case(
        check="cvd-bad",
        state="failure",
        says=("names a GPU for the second time",),
        facts=variables(CUDA_VISIBLE_DEVICES="0,0"),
    ),
    Case(
        check="cvd-bad",
        state="failure",
        says=("second time",),
        facts=variables(CUDA_VISIBLE_DEVICES="0,GPU-11111111"),
    ),
    Case(
        check="cvd-bad",
        state="failure",
        says=("fits 2 GPUs",),
        facts={"cards": (RTX_4090, A100), **variables(CUDA_VISIBLE_DEVICES="GPU-")},
    ),
    Case(
        check="cvd-bad",
        state=None,
        machine=LAPTOP,
        facts={"environ": {"CUDA_VISIBLE_DEVICES": "3"}},
    ),
    Case(check="order", state=None),
    Case(check="order", state="ok", facts={"cards": (RTX_4090, A100)}),
    Case(
        check="order",
        state="warning",
        says=("fastest first", "CUDA_DEVICE_ORDER=PCI_BUS_ID"),
        facts={"cards": (RTX_4090, A100), **variables(CUDA_VISIBLE_DEVICES="1")},
    ),
    Case(
        check="order",
        state="ok",
        facts={
            "cards": (RTX_4090, A100),
            **variables(CUDA_VISIBLE_DEVICES="1", CUDA_DEVICE_ORDER="PCI_BUS_ID"),
        },
    ),
    Case(check="cvd-late", state="ok"),
    Case(check="cvd-late", state=None, facts={"origin": "report"}),
    Case(
        check="cvd-late",
        state="warning",
        says=("torch was loaded before", "sitecustomize"),
        facts={"preloaded": ("torch",)},
    ),
    Case(check="nvml-fooled", state=None),
    Case(
        check="nvml-fooled",
        state="warning",
        says=("unset", "--deep"),
        facts=variables(PYTORCH_NVML_BASED_CUDA_CHECK="1"),
    ),
    Case(check="arch-unsupported", state="ok"),
    Case(
        check="arch-unsupported",
        state="failure",
        # CUDA 13 knows nothing below 7.5; the last builds with Maxwell code are those of cu126.
        says=("no kernels for NVIDIA GeForce GTX 950M (5.0)", "no kernel image", "cu126"),
        facts={"cards": (GTX_950M,)},
    ),
    Case(
        check="arch-unsupported",
        state="failure",
        says=("5.0",),
        facts={"cards": (GTX_950M,), "torch": replace(TORCH, archs=None)},
    ),
    Case(check="arch-unsupported", state=None, machine=LAPTOP),
    Case(check="arch-dropped-pip-default", state=None),
    Case(
        check="arch-dropped-pip-default",
        state="warning",
        says=("GTX 950M", "cu126"),
        facts={"cards": (GTX_950M,), "torch": None},
    ),
    Case(check="arch-dropped-pip-default", state=None, facts={"torch": None}),
    Case(
        check="arch-dropped-pip-default",
        state=None,
        facts={"cards": (GTX_950M,), "torch": None, "os": "windows"},
    ),
    Case(check="tf-arch", state=None),
    Case(check="tf-arch", state="ok", facts={"tensorflow": TENSORFLOW}),
    Case(
        check="tf-arch",
        state="warning",
        says=("GTX 950M", "5.0"),
        facts={"tensorflow": TENSORFLOW, "cards": (GTX_950M,)},
    ),
    Case(
        check="tf-arch",
        state="warning",
        says=("RTX 5090",),
        facts={
            "tensorflow": TENSORFLOW,
            "cards": (replace(RTX_4090, name="RTX 5090", compute_capability="12.0"),),
        },
    ),
]
