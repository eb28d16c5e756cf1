"""Checks of NVIDIA's driver: is it there, does it answer, may it be used from here?"""

from collections import Counter

from labcore.doctor.check import check
from labcore.doctor.finding import Finding, failure, ok, unknown, warning
from labcore.doctor.machine import Card, DriverTrouble, Machine

_NO_PERMISSION, _NOT_LOADED, _NO_LIBRARY, _MISMATCH, _UNKNOWN = 4, 9, 12, 18, 999
_RESTART = (
    "sudo reboot (or, with nothing on the GPUs: sudo rmmod nvidia_uvm nvidia_drm nvidia_modeset "
    "nvidia, then sudo modprobe nvidia); restart containers afterwards"
)


@check("gpu", "gpu", "the GPUs")
def _gpu(machine: Machine) -> Finding:
    if machine.cards:
        kinds = Counter(card.name for card in machine.whole_cards or machine.cards)
        counted = ", ".join(f"{n} x {name}" if n > 1 else name for name, n in kinds.items())
        driver = f", driver {machine.driver}" if machine.driver else ""
        slices = sum(card.mig_profile is not None for card in machine.cards)
        mig = f", {slices} MIG slice{'s' if slices > 1 else ''}" if slices else ""
        return ok(f"{counted}{mig}{driver}", gpus=len(machine.cards), driver=machine.driver)
    if machine.cards is None:
        why = machine.driver_trouble.text if machine.driver_trouble else ""
        return unknown("the GPUs cannot be listed", cause=why)
    if machine.os == "macos":
        return ok("no NVIDIA GPU: everything runs on the CPU or on Apple's GPU")
    if machine.nvidia_pci:
        return unknown("a card of NVIDIA is here, but no driver answers")
    return ok("no NVIDIA GPU: everything runs on the CPU", nvidia_pci=machine.nvidia_pci)


@check("driver-present", "gpu", "driver for the card", "nvidia_pci")
def _driver_present(machine: Machine, devices: int) -> Finding | None:
    if machine.container:
        return None
    if machine.kernel_driver or machine.driver:
        return ok(f"driver {machine.driver or machine.kernel_driver} is loaded")
    return failure(
        "an NVIDIA card is on the bus, but its driver is not loaded",
        cause="either no driver is installed, or its kernel module was not rebuilt after a kernel "
        "update, or Secure Boot refuses it, or nouveau holds the card",
        fix="install it (Debian: sudo apt install nvidia-driver; Ubuntu: sudo ubuntu-drivers "
        "install) and reboot; when it is installed: sudo dkms autoinstall && sudo modprobe "
        "nvidia, and read what sudo dmesg says about it",
        nvidia_pci=devices,
        kernel=machine.kernel,
    )


@check("nvml-load", "gpu", "management library")
def _nvml_load(machine: Machine) -> Finding | None:
    trouble = machine.driver_trouble
    if trouble is None:
        text = "NVIDIA's management library answers"
        return ok(text, driver=machine.driver) if machine.driver else None
    # The ordinary machine without a GPU, and what other checks tell better.
    is_told = {
        _NOT_LOADED: True,
        _MISMATCH: True,
        _NO_LIBRARY: not (machine.kernel_driver or machine.device_nodes),
        _UNKNOWN: bool(machine.container),
    }
    if is_told.get(trouble.code):
        return None
    no_binding = machine.packages is not None and machine.version("nvidia-ml-py") is None
    fixes = {
        _NO_LIBRARY: "pip install nvidia-ml-py"
        if no_binding
        else "start the container with NVIDIA_DRIVER_CAPABILITIES=compute,utility"
        if machine.container
        else "install the driver's libraries of the same version: sudo apt install libnvidia-ml1 "
        f"(Debian), libnvidia-compute-{(machine.kernel_driver or '580').split('.')[0]} (Ubuntu)",
        _NO_PERMISSION: "sudo usermod -aG video,render $USER, then log in again",
    }
    return failure(
        f"the GPUs cannot be asked: {trouble.text}",
        cause=f"NVML answers with error {trouble.code}",
        fix=fixes.get(trouble.code, f"read what nvidia-smi and sudo dmesg say; then {_RESTART}"),
        code=trouble.code,
    )


@check("nvml-mismatch", "gpu", "driver against libraries")
def _nvml_mismatch(machine: Machine) -> Finding | None:
    loaded, library = machine.kernel_driver, machine.nvml_library
    differ = bool(loaded and library and loaded != library)
    said = machine.driver_trouble is not None and machine.driver_trouble.code == _MISMATCH
    if not (differ or said):
        text = f"kernel module and libraries are both {loaded}"
        return ok(text) if loaded and library else None
    versions = f": module {loaded}, library {library}" if differ else ""
    return failure(
        f"driver and library versions differ{versions}",
        cause="the driver was updated while its old kernel module stayed loaded; nothing on the "
        "GPU starts until both are the same",
        fix=_RESTART,
        sources=("nvidia-docker 365", "nvidia-docker 584", "nvidia-container-toolkit 394"),
        kernel_driver=loaded,
        nvml_library=library,
    )


@check("nvml-container-lost", "gpu", "GPUs lost by a running container", "driver_trouble")
def _nvml_container_lost(machine: Machine, trouble: DriverTrouble) -> Finding | None:
    if trouble.code != _UNKNOWN or not machine.container:
        return None
    return failure(
        "this container has lost its GPUs",
        cause="systemctl daemon-reload on the host rewrites control groups, and a container that "
        "got its GPUs through them loses them while it runs",
        fix="restart the container; for good: use CDI (docker run --device nvidia.com/gpu=all) or "
        'set "exec-opts": ["native.cgroupdriver=cgroupfs"] in /etc/docker/daemon.json',
        sources=("nvidia-docker 1618", "nvidia-docker 1650"),
        container=machine.container,
    )


@check("container-gpu", "gpu", "GPUs inside a container", "container")
def _container_gpu(machine: Machine, container: str) -> Finding | None:
    hidden = machine.variable("NVIDIA_VISIBLE_DEVICES") in {"void", "none"}
    if machine.cards or machine.device_nodes:
        return ok("the container sees the GPUs", container=container)
    if machine.nvidia_pci:
        return warning(
            "this machine has an NVIDIA card, but the container was started without it",
            cause="a container sees GPUs only when asked to"
            + ("; NVIDIA_VISIBLE_DEVICES hides them" if hidden else ""),
            fix="docker run --gpus all (podman: --device nvidia.com/gpu=all; apptainer: --nv); the "
            "host needs nvidia-container-toolkit",
            container=container,
            nvidia_pci=machine.nvidia_pci,
        )
    return None


@check("device-nodes", "gpu", "rights to /dev/nvidia*")
def _device_nodes(machine: Machine) -> Finding | None:
    nodes = machine.device_nodes
    if not nodes:
        if machine.kernel_driver and not machine.container and not machine.is_wsl:
            return warning(
                "the driver is loaded, but there is no /dev/nvidia*",
                cause="its device files are made on first use, by root",
                fix="sudo nvidia-modprobe -u -c=0, or sudo nvidia-smi once after boot",
                kernel_driver=machine.kernel_driver,
            )
        return None
    shut = sorted(node for node, may_open in nodes.items() if not may_open)
    if not shut:
        return ok("the device files may be opened", nodes=sorted(nodes))
    return failure(
        f"this user may not open {', '.join(shut)}",
        cause="CUDA then finds no device, though nvidia-smi as root shows it",
        fix="sudo usermod -aG video,render $USER, then log in again",
        nodes=dict(nodes),
    )


@check("cuda-compat-misuse", "gpu", "forward-compatibility libraries", "cards")
def _cuda_compat(machine: Machine, cards: tuple[Card, ...]) -> Finding | None:
    folders = machine.variable("LD_LIBRARY_PATH").split(":")
    in_path = [part for part in folders if "compat" in part.lower()]
    if not in_path and "/compat/" not in (machine.libcuda or ""):
        return None
    consumer = [card.name for card in cards if "geforce" in card.name.lower()]
    if not consumer:
        return ok("CUDA's forward-compatibility libraries are in use", libcuda=machine.libcuda)
    return failure(
        "CUDA's forward-compatibility libraries are in the way",
        cause=f"they work on data-centre cards only, not on a {consumer[0]}: errors 803 and 804",
        fix="take the compat folder out of LD_LIBRARY_PATH (sudo apt remove 'cuda-compat-*') and "
        "update the driver instead",
        sources=("nv-compat",),
        libcuda=machine.libcuda,
        ld_library_path=in_path,
    )


@check("smi-cuda-misread", "gpu", "nvidia-smi's CUDA version", "driver_cuda")
def _smi_misread(machine: Machine, newest: str) -> Finding | None:
    toolkit = machine.toolkit.version if machine.toolkit is not None else newest
    if toolkit == newest:
        return None
    return ok(
        f"nvidia-smi says CUDA {newest}, nvcc {toolkit}: no contradiction; the first "
        "is the most that the driver can run, the second the toolkit that is installed",
        driver_cuda=newest,
        toolkit=toolkit,
        sources=("pytorch 31285",),
    )
