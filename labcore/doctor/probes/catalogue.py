"""Which probes there are."""

from dataclasses import dataclass

__all__ = ["PROBES", "Probe"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Probe:
    """A small piece of work that a healthy environment does without trouble."""

    name: str
    title: str
    """What is tried, in a few words."""
    run: str
    """The function, as ``module:name``; it returns JSON or raises, see the outcome module."""


PROBES: dict[str, Probe] = {
    name: Probe(name=name, run=f"{__package__}.{run}", title=title)
    for name, run, title in (
        (
            "torch",
            "torch_arithmetic:multiply",
            "PyTorch multiplies matrices on every device and type",
        ),
        ("torch-conv", "torch_arithmetic:convolve", "PyTorch convolves forwards and backwards"),
        (
            "cuda-kernel",
            "torch_arithmetic:launch_kernel",
            "the profiler sees a kernel run on the GPU",
        ),
        ("torchvision", "extensions:suppress_boxes", "torchvision's compiled operators"),
        ("pytorch3d", "extensions:rasterise_cube", "PyTorch3D's compiled part rasterises a cube"),
        (
            "dataloader",
            "processes:load_in_workers",
            "a DataLoader with two workers and shared memory",
        ),
        ("gloo", "processes:reduce_on_cpu", "two processes add up numbers over Gloo"),
        ("nccl", "processes:reduce_on_gpus", "two GPUs add up numbers over NCCL"),
        (
            "tensorflow",
            "tensorflow_work:multiply",
            "TensorFlow multiplies matrices on every device",
        ),
        (
            "torch-then-tensorflow",
            "tensorflow_work:after_torch",
            "PyTorch and TensorFlow in one process, PyTorch first",
        ),
        (
            "tensorflow-then-torch",
            "tensorflow_work:before_torch",
            "PyTorch and TensorFlow in one process, TensorFlow first",
        ),
        ("tflite", "tensorflow_work:convert", "TFLite converts a model and runs it"),
        (
            "tfmot",
            "tensorflow_work:prune",
            "the model optimization toolkit prunes a legacy Keras model",
        ),
        ("fluidsynth", "tools:play_note", "FluidSynth plays a note"),
        ("wandb", "tools:log_offline", "W&B writes an offline run"),
    )
}
