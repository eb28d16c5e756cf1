"""What the checks of the deep tier make of the probes' results."""

import pytest

from labcore.doctor.check import diagnose
from labcore.doctor.checks.deep import CHECKS
from labcore.doctor.machine import Machine, TorchBuild
from labcore.doctor.probes import PROBES

BY_ID = {check.id: check for check in CHECKS}
BY_PROBE = {name: BY_ID[probe.check] for name, probe in PROBES.items()}

GOOD = {
    "torch": {
        "torch": "2.12.1",
        "devices": {"cuda:0": "NVIDIA H100"},
        "errors": {"cpu": {"float32": 1e-7, "float16": None}, "cuda:0": {"float32": 1e-7}},
    },
    "torch-conv": {"cudnn": 92000, "errors": {"cpu": 1e-7, "cuda:0": 1e-4}},
    "cuda-kernel": {"kernels": 2, "microseconds": 61.2},
    "torchvision": {"torchvision": "0.27.1", "devices": ["cpu", "cuda"]},
    "pytorch3d": {"devices": ["cpu"], "pixels": 1024},
    "dataloader": {"workers": 2, "mib": 16.0},
    "gloo": {"backend": "gloo", "processes": 2},
    "nccl": {"backend": "nccl", "processes": 2},
    "tensorflow": {"tensorflow": "2.21.0", "gpus": [], "built_with_cuda": True},
    "torch-then-tensorflow": {"torch": "2.12.1", "tensorflow": "2.21.0"},
    "tensorflow-then-torch": {"torch": "2.12.1", "tensorflow": "2.21.0"},
    "tflite": {"bytes": 1032, "error": 6e-8},
    "tfmot": {"zeros": 0.5},
    "fluidsynth": {"peak": 740.0},
    "wandb": {"wandb": "0.31.0", "bytes": 2121},
}


def ask(probe: str, **result):
    machine = Machine(
        origin="here",
        os="linux",
        torch=TorchBuild(version="2.12.1", cuda="13.0"),
        probes={probe: {"seconds": 1.5, **result}},
    )
    (finding,) = diagnose(machine, CHECKS)
    return finding


def test_every_probe_is_judged_by_a_deep_check():
    assert {check.id for check in BY_PROBE.values()} == set(BY_ID)
    assert set(PROBES) == set(GOOD)
    assert all(check.deep for check in CHECKS)


@pytest.mark.parametrize("probe", GOOD)
def test_a_probe_that_went_well_is_fine_with_its_time(probe):
    finding = ask(probe, outcome="ok", result=GOOD[probe])
    assert (finding.state, finding.check) == ("ok", BY_PROBE[probe].id)
    assert finding.evidence["seconds"] == 1.5


def test_the_types_and_cards_that_computed_are_named():
    summary = ask("torch", outcome="ok", result=GOOD["torch"]).summary
    assert summary == "torch 2.12.1 computes on the CPU (float32) and NVIDIA H100"


def test_without_the_deep_tier_nothing_is_said():
    assert diagnose(Machine(origin="here"), CHECKS) == []


@pytest.mark.parametrize("probe", GOOD)
def test_what_is_not_installed_or_does_not_apply_is_no_failure(probe):
    missing = ask(probe, outcome="missing", packages=["something"])
    assert (missing.state, "something is not installed" in missing.summary) == ("unknown", True)
    skipped = ask(probe, outcome="skipped", reason="needs two GPUs")
    assert (skipped.state, "needs two GPUs" in skipped.summary) == ("unknown", True)


@pytest.mark.parametrize("probe", GOOD)
@pytest.mark.parametrize(
    "result",
    [
        {"outcome": "failed", "error": "ValueError: odd", "output": "Traceback ..."},
        {"outcome": "wrong", "error": "off by 0.3", "output": ""},
        {"outcome": "crashed", "signal": "SIGSEGV", "output": "Fatal Python error"},
        {"outcome": "crashed", "exit_code": 3, "output": ""},
        {"outcome": "timeout", "output": "File x.py in wait"},
    ],
)
def test_what_went_wrong_is_a_problem_with_a_fix(probe, result):
    finding = ask(probe, **result)
    assert finding.state in {"failure", "warning"}
    assert finding.fix
    assert finding.cause


def test_a_crash_is_told_by_its_signal():
    finding = ask("torch", outcome="crashed", signal="SIGSEGV", output="Current thread ...\n  in f")
    assert "the process crashed (SIGSEGV)" in finding.summary
    assert finding.evidence["output"] == ["Current thread ...", "  in f"]


def test_a_kill_points_to_memory():
    assert "memory was full" in ask("torch", outcome="crashed", signal="SIGKILL").cause


def test_a_hang_is_told_with_its_time():
    finding = ask("gloo", outcome="timeout", seconds=120.0)
    assert "hung and was ended after 120 s" in finding.summary
    assert "GLOO_SOCKET_IFNAME" in finding.fix


def test_a_known_error_of_a_probe_gets_its_own_cause_and_fix():
    finding = ask(
        "pytorch3d",
        outcome="failed",
        error="ImportError: libc10_cuda.so: cannot open shared object file: No such file",
        output="Traceback (most recent call last):\n...",
    )
    assert finding.state == "failure"
    assert finding.evidence["known"] == "torch-cuda-part-missing"
    assert "libc10_cuda.so is not found" in finding.summary
    assert "CUDA build of PyTorch" in finding.fix


def test_a_crash_after_the_work_was_done_is_a_warning():
    finding = ask(
        "tensorflow-then-torch", outcome="crashed", signal="SIGSEGV", finished="ok", output=""
    )
    assert finding.state == "warning"
    assert "then crashed (SIGSEGV)" in finding.summary


def test_sound_and_tracking_are_not_vital():
    for probe in ("fluidsynth", "wandb"):
        assert ask(probe, outcome="failed", error="x", output="").state == "warning"
