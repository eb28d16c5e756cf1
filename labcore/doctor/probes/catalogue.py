"""Which probes there are."""

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["PROBES", "Probe"]

_HERE = "labcore.doctor.probes"


@dataclass(frozen=True, kw_only=True, slots=True)
class Probe:
    """A small piece of work that a healthy environment does without trouble."""

    name: str
    title: str
    """What is tried, in a few words."""
    run: str
    """The function, as ``module:name``; it returns JSON or raises, see the outcome module."""
    environ: Mapping[str, str] = field(default_factory=dict)
    """Variables of its process."""


def _listed(*probes: Probe) -> dict[str, Probe]:
    return {probe.name: probe for probe in probes}


PROBES: dict[str, Probe] = _listed(
    Probe(
        name="torch",
        title="PyTorch multiplies matrices on every device and type",
        run=f"{_HERE}.torch_arithmetic:multiply",
    ),
    Probe(
        name="torch-conv",
        title="PyTorch convolves forwards and backwards",
        run=f"{_HERE}.torch_arithmetic:convolve",
    ),
    Probe(
        name="cuda-kernel",
        title="the profiler sees a kernel run on the GPU",
        run=f"{_HERE}.torch_arithmetic:launch_kernel",
    ),
    Probe(
        name="torchvision",
        title="torchvision's compiled operators",
        run=f"{_HERE}.extensions:suppress_boxes",
    ),
    Probe(
        name="pytorch3d",
        title="PyTorch3D's compiled part rasterises a cube",
        run=f"{_HERE}.extensions:rasterise_cube",
    ),
    Probe(
        name="dataloader",
        title="a DataLoader with two workers and shared memory",
        run=f"{_HERE}.processes:load_in_workers",
    ),
    Probe(
        name="gloo",
        title="two processes add up numbers over Gloo",
        run=f"{_HERE}.processes:reduce_on_cpu",
    ),
    Probe(
        name="nccl",
        title="two GPUs add up numbers over NCCL",
        run=f"{_HERE}.processes:reduce_on_gpus",
    ),
    Probe(
        name="tensorflow",
        title="TensorFlow multiplies matrices on every device",
        run=f"{_HERE}.tensorflow_work:multiply",
        environ={"TF_FORCE_GPU_ALLOW_GROWTH": "true"},
    ),
    Probe(
        name="torch-then-tensorflow",
        title="PyTorch and TensorFlow in one process, PyTorch first",
        run=f"{_HERE}.tensorflow_work:after_torch",
        environ={"TF_FORCE_GPU_ALLOW_GROWTH": "true"},
    ),
    Probe(
        name="tensorflow-then-torch",
        title="PyTorch and TensorFlow in one process, TensorFlow first",
        run=f"{_HERE}.tensorflow_work:before_torch",
        environ={"TF_FORCE_GPU_ALLOW_GROWTH": "true"},
    ),
    Probe(
        name="tflite",
        title="TFLite converts a model and runs it",
        run=f"{_HERE}.tensorflow_work:convert",
        environ={"TF_FORCE_GPU_ALLOW_GROWTH": "true"},
    ),
    Probe(
        name="tfmot",
        title="the model optimization toolkit prunes a legacy Keras model",
        run=f"{_HERE}.tensorflow_work:prune",
        environ={"TF_FORCE_GPU_ALLOW_GROWTH": "true", "TF_USE_LEGACY_KERAS": "1"},
    ),
    Probe(
        name="fluidsynth",
        title="FluidSynth plays a note",
        run=f"{_HERE}.sound:play_note",
    ),
    Probe(
        name="wandb",
        title="W&B writes an offline run",
        run=f"{_HERE}.tracking:log_offline",
        environ={"WANDB_MODE": "offline", "WANDB_SILENT": "true", "WANDB_CONSOLE": "off"},
    ),
)
