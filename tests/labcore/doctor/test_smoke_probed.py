"""The doctor's probes as cases of the smoke test."""

import pytest

from labcore.doctor.probes import PROBES
from labcore.doctor.smoke import PROBED, try_probe

SAW = {"kernels": 12, "microseconds": 3400.0, "devices": ["cpu", "cuda"]}


@pytest.fixture
def judge(monkeypatch):
    def judge(name, told, num_gpus=2):
        found = {name: {"seconds": 1.5, **told}}
        monkeypatch.setattr("labcore.doctor.smoke.run_probes", lambda names, limit_s: found)
        return try_probe(name, num_gpus=num_gpus, timeout_s=60)

    return judge


def test_the_probes_are_ones_that_the_doctor_has():
    assert set(PROBED) <= set(PROBES)


@pytest.mark.parametrize("name", ["cuda-kernel", "pytorch3d"])
def test_kernels_that_were_seen_make_it_pass(name, judge):
    outcome = judge(name, {"outcome": "ok", "result": SAW})
    assert outcome.used_gpu
    assert (outcome.num_kernels, outcome.kernel_ms) == (12, 3.4)


def test_pytorch3d_that_ran_on_the_cpu_alone_has_failed(judge):
    outcome = judge("pytorch3d", {"outcome": "ok", "result": {"devices": ["cpu"], "pixels": 1024}})
    assert outcome.state == "failed"
    assert "no kernel was seen" in outcome.reason


def test_a_torch_that_sees_no_gpu_on_a_gpu_machine_has_failed(judge):
    outcome = judge("cuda-kernel", {"outcome": "skipped", "reason": "PyTorch sees no GPU"})
    assert (outcome.state, outcome.reason) == ("failed", "PyTorch sees no GPU")


def test_what_is_not_installed_is_skipped(judge):
    outcome = judge("pytorch3d", {"outcome": "missing", "packages": ["pytorch3d"]})
    assert (outcome.state, outcome.reason) == ("skipped", "not installed: pytorch3d")


def test_a_crash_has_failed_with_its_last_words(judge):
    told = {"outcome": "crashed", "signal": "SIGSEGV", "output": "Fatal Python error"}
    outcome = judge("pytorch3d", told)
    assert (outcome.state, outcome.reason) == ("failed", "SIGSEGV")
    assert outcome.log == "Fatal Python error"


def test_one_gpu_has_nobody_to_talk_to(judge):
    assert judge("nccl", {"outcome": "ok"}, num_gpus=1).state == "skipped"
    assert judge("nccl", {"outcome": "ok", "result": {}}).state == "passed"
