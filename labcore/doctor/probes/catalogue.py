"""Which probes there are, and what the doctor says of what came of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from labcore.doctor.check import Area
from labcore.doctor.finding import State

__all__ = ["PROBES", "Probe"]


@dataclass(frozen=True, slots=True)
class Probe:
    """A small piece of work that a healthy environment does without trouble."""

    name: str
    title: str
    """What is tried, in a few words."""
    run: str
    """The function, as ``module:name``; it returns JSON or raises, see the outcome module."""
    check: str = ""
    """Id of the check that judges it."""
    area: Area = "torch"
    good: str | Callable[[Mapping[str, Any]], str] = ""
    """One line on the result of a probe that went well: a template of its values, or a function."""
    bad: str = ""
    """What does not work, as a sentence's beginning."""
    fix: str = ""
    """What to try when the error itself is not a known one."""
    worst: State = "failure"


def _torch(result: Mapping[str, Any]) -> str:
    types = ", ".join(name for name, error in result["errors"]["cpu"].items() if error is not None)
    gpus = ", ".join(result["devices"].values())
    where = f"the CPU ({types})" + (f" and {gpus}" if gpus else "")
    return f"torch {result['torch']} computes on {where}"


def _tensorflow(result: Mapping[str, Any]) -> str:
    where = f"the CPU and {len(result['gpus'])} GPUs" if result["gpus"] else "the CPU"
    return f"TensorFlow {result['tensorflow']} computes on {where}"


_REINSTALL = (
    "pip install --force-reinstall --no-cache-dir {}, in an environment of its own if it stays"
)
_SEPARATE = (
    "run the two in processes of their own (the lab does); else import them in the order that "
    "works, or put them in two environments"
)

_PROBES = (
    Probe(
        "torch", "PyTorch multiplies matrices on every device and type",
        "torch_arithmetic:multiply", "torch-probe", "torch",
        good=_torch,
        bad="torch does not compute",
        fix=_REINSTALL.format("torch"),
    ),
    Probe(
        "torch-conv", "PyTorch convolves forwards and backwards",
        "torch_arithmetic:convolve", "conv-probe", "torch",
        good="convolutions and their gradients are right on {errors}",
        bad="convolutions do not work in torch",
        fix="unset LD_LIBRARY_PATH and try again: another cuDNN may be in front; then "
        + _REINSTALL.format("torch"),
    ),
    Probe(
        "cuda-kernel", "the profiler sees a kernel run on the GPU",
        "torch_arithmetic:launch_kernel", "gpu-smoke", "torch",
        good="{kernels} kinds of kernels ran on the GPU, {microseconds:.0f} µs by the profiler",
        bad="no kernel runs on the GPU",
        fix="read the error below: lab doctor -v --deep --only gpu-smoke; a driver or build that "
        "does not fit is told by the checks driver-vs-cuda and arch-unsupported",
    ),
    Probe(
        "torchvision", "torchvision's compiled operators",
        "extensions:suppress_boxes", "torchvision-probe", "torch",
        good="torchvision {torchvision}'s compiled operators work on {devices}",
        bad="torchvision's compiled operators do not work",
        fix="install the pair in one command: pip install --force-reinstall torch torchvision",
    ),
    Probe(
        "pytorch3d", "PyTorch3D's compiled part rasterises a cube",
        "extensions:rasterise_cube", "p3d-probe", "pytorch3d",
        good="PyTorch3D rasterises a cube rightly on {devices}",
        bad="PyTorch3D does not work",
        fix="install or build it for the installed torch: lab env plan pytorch3d",
    ),
    Probe(
        "dataloader", "a DataLoader with two workers and shared memory",
        "processes:load_in_workers", "dataloader-probe", "torch",
        good="{workers} loader workers passed {mib:.0f} MiB through shared memory",
        bad="a DataLoader with workers does not work",
        fix="give the container shared memory (docker run --shm-size=8g), or use num_workers=0",
    ),
    Probe(
        "gloo", "two processes add up numbers over Gloo",
        "processes:reduce_on_cpu", "gloo-probe", "torch",
        good="two processes add up numbers over Gloo",
        bad="processes do not reach each other over Gloo",
        fix="the host's own name must resolve (add it to /etc/hosts), or export "
        "GLOO_SOCKET_IFNAME=lo for one machine",
    ),
    Probe(
        "nccl", "two GPUs add up numbers over NCCL",
        "processes:reduce_on_gpus", "nccl-probe", "torch",
        good="two GPUs add up numbers over NCCL",
        bad="two GPUs do not reach each other over NCCL",
        fix="NCCL_DEBUG=WARN lab doctor -v --deep --only nccl-probe names the call; in a container "
        "--ipc=host; NCCL_P2P_DISABLE=1 rules out direct transfers",
    ),
    Probe(
        "tensorflow", "TensorFlow multiplies matrices on every device",
        "tensorflow_work:multiply", "tf-probe", "tensorflow",
        good=_tensorflow,
        bad="TensorFlow does not compute",
        fix=_REINSTALL.format("tensorflow"),
    ),
    Probe(
        "torch-then-tensorflow", "PyTorch and TensorFlow in one process, PyTorch first",
        "tensorflow_work:after_torch", "torch-tf-one-process", "tensorflow",
        good="torch and then TensorFlow work in one process",
        bad="torch and then TensorFlow do not work in one process",
        fix=_SEPARATE,
        worst="warning",
    ),
    Probe(
        "tensorflow-then-torch", "PyTorch and TensorFlow in one process, TensorFlow first",
        "tensorflow_work:before_torch", "tf-torch-one-process", "tensorflow",
        good="TensorFlow and then torch work in one process",
        bad="TensorFlow and then torch do not work in one process",
        fix=_SEPARATE,
        worst="warning",
    ),
    Probe(
        "tflite", "TFLite converts a model and runs it",
        "tensorflow_work:convert", "tflite-probe", "tensorflow",
        good="TFLite converts a model and runs it, {error:.1g} off",
        bad="TFLite does not convert or run a model",
        fix=_REINSTALL.format("tensorflow"),
    ),
    Probe(
        "tfmot", "the model optimization toolkit prunes a legacy Keras model",
        "tensorflow_work:prune", "tfmot-probe", "tensorflow",
        good="the model optimization toolkit prunes a legacy Keras model",
        bad="the model optimization toolkit does not work",
        fix="pip install tf-keras of TensorFlow's own version, with TF_USE_LEGACY_KERAS=1",
    ),
    Probe(
        "fluidsynth", "FluidSynth plays a note",
        "tools:play_note", "fluidsynth-probe", "tools",
        good="FluidSynth plays a note that can be heard",
        bad="FluidSynth does not play; sound is made of plain sine tones",
        fix="sudo apt install libfluidsynth3 (macOS: brew install fluid-synth)",
        worst="warning",
    ),
    Probe(
        "wandb", "W&B writes an offline run",
        "tools:log_offline", "wandb-probe", "tools",
        good="wandb {wandb} writes an offline run",
        bad="W&B does not write an offline run",
        fix=_REINSTALL.format("wandb") + "; hooks=[-wandb] runs without it",
        worst="warning",
    ),
)  # fmt: skip

PROBES = {probe.name: replace(probe, run=f"{__package__}.{probe.run}") for probe in _PROBES}
