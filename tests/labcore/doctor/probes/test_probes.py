"""The probes themselves, on what is installed here."""

import importlib.util

import pytest

from labcore.doctor.probes import PROBES, run_probes
from labcore.doctor.probes.outcome import WrongResult

pytestmark = pytest.mark.ml

# Import names without which a probe has nothing to try.
PACKAGES = {
    "torch": ("torch",),
    "torch-conv": ("torch",),
    "dataloader": ("torch",),
    "gloo": ("torch",),
    "torchvision": ("torch", "torchvision"),
    "pytorch3d": ("torch", "pytorch3d"),
    "tensorflow": ("tensorflow",),
    "torch-then-tensorflow": ("torch", "tensorflow"),
    "tensorflow-then-torch": ("torch", "tensorflow"),
    "tflite": ("tensorflow",),
    "tfmot": ("tensorflow", "tensorflow_model_optimization"),
    "fluidsynth": ("fluidsynth", "pretty_midi"),
    "wandb": ("wandb",),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", PACKAGES)
def test_a_probe_succeeds_where_its_packages_are_and_says_what_is_missing_elsewhere(name):
    if name == "fluidsynth" and importlib.util.find_spec("fluidsynth"):
        pytest.importorskip("fluidsynth", reason="needs libfluidsynth", exc_type=ImportError)
    found = run_probes([name])[name]
    missing = [each for each in PACKAGES[name] if importlib.util.find_spec(each) is None]
    assert found["outcome"] == ("missing" if missing else "ok"), found
    if missing:
        assert set(found["packages"]) <= set(missing)


def test_a_wrong_product_is_noticed(monkeypatch):
    torch = pytest.importorskip("torch")
    from labcore.doctor.probes import torch_arithmetic

    good = torch.Tensor.__matmul__
    monkeypatch.setattr(
        torch.Tensor,
        "__matmul__",
        lambda a, b: good(a, b) * (1.001 if a.dtype == torch.float32 else 1),
    )
    with pytest.raises(WrongResult, match=r"float32 on cpu is off by 0\.001"):
        torch_arithmetic.multiply()


def test_products_are_within_the_rounding_of_each_type():
    pytest.importorskip("torch")
    from labcore.doctor.probes.torch_arithmetic import convolve, multiply

    errors = multiply()["errors"]["cpu"]
    assert errors["float32"] < 1e-6 < errors["float16"] < errors["bfloat16"] < 1e-2
    assert convolve()["errors"]["cpu"] < 1e-5


def test_a_wrong_gradient_is_noticed(monkeypatch):
    torch = pytest.importorskip("torch")
    from labcore.doctor.probes import torch_arithmetic

    good = torch.autograd.grad

    def spoilt(output, inputs):
        first, second = good(output, inputs)
        return first, second * (1.01 if second.dtype == torch.float32 else 1)

    monkeypatch.setattr(torch.autograd, "grad", spoilt)
    with pytest.raises(WrongResult, match="convolution on cpu"):
        torch_arithmetic.convolve()


def test_a_note_that_cannot_be_heard_is_noticed(monkeypatch):
    pytest.importorskip("numpy")
    pytest.importorskip("pretty_midi")
    fluidsynth = pytest.importorskip(
        "fluidsynth", reason="needs libfluidsynth", exc_type=ImportError
    )
    from labcore.doctor.probes.tools import play_note

    assert play_note()["peak"] > 100
    monkeypatch.setattr(fluidsynth.Synth, "noteon", lambda *arguments: 0)
    with pytest.raises(WrongResult, match="silent"):
        play_note()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # fork beside threads, from 3.12 on
def test_a_batch_that_workers_lose_is_noticed(monkeypatch):
    pytest.importorskip("torch")
    from labcore.doctor.probes import processes

    assert processes.load_in_workers()["workers"] == 2
    monkeypatch.setattr(processes._Counted, "__len__", lambda self: 31)
    with pytest.raises(WrongResult, match="add up to 465, not 496"):
        processes.load_in_workers()


def test_probes_for_gpus_are_skipped_where_there_is_none():
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("there is a GPU: tests/gpu covers it")
    found = run_probes(["cuda-kernel", "nccl"])
    assert {each["outcome"] for each in found.values()} == {"skipped"}
    assert found["nccl"]["reason"] == "needs two GPUs, PyTorch sees 0"


def test_every_probe_that_needs_no_gpu_is_tried_here():
    assert set(PACKAGES) == set(PROBES) - {"cuda-kernel", "nccl"}
