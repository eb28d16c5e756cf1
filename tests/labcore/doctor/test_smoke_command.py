"""``lab smoke`` from the command line: exit codes, reports, what is printed."""

import json
import os
import subprocess
import sys

import pytest

from labcore.cli.main import main
from labcore.doctor.smoke import Outcome

GOOD = Outcome(
    name="musicvae: smoke", state="passed", device="RTX 3090", kernel_ms=120.4, num_kernels=4321,
    peak_memory_mib=77.0, step_ms=4.25, seconds=9.0,
)  # fmt: skip
SKIPPED = Outcome(name="nccl: two GPUs", state="skipped", reason="needs two GPUs")
BAD = Outcome(name="toy: smoke", state="failed", reason="ended with exit code 1", log="boom")


@pytest.fixture
def type_smoke(monkeypatch, capsys, tmp_path):
    def type_smoke(*words):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["lab", "smoke", *words])
        with pytest.raises(SystemExit) as stopped:
            main()
        captured = capsys.readouterr()
        return stopped.value.code, captured.out, captured.err

    return type_smoke


@pytest.fixture
def ends_with(monkeypatch):
    """Makes every run end one way and every probe another: there is no GPU here to really try."""

    def ends_with(run, probe):
        monkeypatch.setattr("labcore.cli.machine.smoke.execute", lambda *args, **options: run)
        monkeypatch.setattr("labcore.cli.machine.smoke.try_probe", lambda *args, **options: probe)

    return ends_with


def report(tmp_path):
    return json.loads((tmp_path / "runs/gpu_smoke/gpu_smoke.json").read_text())


def test_no_gpu_is_exit_3_with_the_reason_and_an_empty_report(driver, type_smoke, tmp_path):
    driver("driver_not_loaded")
    code, _, error = type_smoke()
    assert code == 3
    assert "there is no GPU to try" in error
    assert "--allow-no-gpu" in error
    told = report(tmp_path)
    assert told == {"driver": None, "gpus": [], "used_gpu": False, "cases": []}


def test_no_gpu_can_be_allowed(driver, type_smoke):
    driver("driver_not_loaded")
    code, output, _ = type_smoke("--allow-no-gpu")
    assert code == 0
    assert "No GPU here" in output


def test_success_needs_kernels_and_says_how_many(driver, type_smoke, ends_with, tmp_path):
    driver("one_24gb")
    ends_with(GOOD, SKIPPED)
    code, output, _ = type_smoke()
    assert code == 0
    assert "RTX 3090, 26 GB, compute capability 8.6, driver 580.65.06" in output
    assert "4,321 kernels in 120 ms, peak 77 MiB, 4.2 ms a step" in output
    told = report(tmp_path)
    assert told["used_gpu"] is True
    assert told["gpus"][0]["name"] == "NVIDIA GeForce RTX 3090"
    assert told["cases"][-1]["reason"] == "needs two GPUs"


def test_one_failure_fails_it_all(driver, type_smoke, ends_with):
    driver("one_24gb")
    ends_with(GOOD, BAD)
    code, output, error = type_smoke()
    assert code == 1
    assert "FAILED" in output
    assert "cases failed" in error


def test_a_test_of_which_all_is_skipped_has_not_passed(driver, type_smoke, ends_with):
    driver("one_24gb")
    ends_with(SKIPPED, SKIPPED)
    code, _, error = type_smoke()
    assert code == 1
    assert "no case ran on the GPU" in error


def test_one_plugin_leaves_the_probes_out(driver, type_smoke, ends_with, tmp_path):
    driver("one_24gb")
    ends_with(GOOD, BAD)
    code, _, _ = type_smoke("--plugin", "musicvae")
    assert code in {0, 1}  # the packages of musicvae may be missing here
    told = report(tmp_path)
    assert all(case["name"] != BAD.name for case in told["cases"])


def test_an_unknown_plugin_gets_the_nearest(driver, type_smoke):
    driver("one_24gb")
    code, _, error = type_smoke("--plugin", "musicvea")
    assert code == 2
    assert "did you mean musicvae?" in error


@pytest.mark.ml
@pytest.mark.parametrize("check", ["0", "1"])
def test_a_driver_without_a_working_gpu_behind_it_fails(stub_machine, tmp_path, check):
    """Real runs of musicvae, typed in a shell: torch cannot use the stub's card."""
    environment = {
        **os.environ,
        **stub_machine("one_24gb").environment(),
        "PYTORCH_NVML_BASED_CUDA_CHECK": check,
    }
    done = subprocess.run(
        [sys.executable, "-m", "labcore", "smoke", "--plugin", "musicvae"],
        cwd=tmp_path, env=environment,
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    told = report(tmp_path)
    first = told["cases"][0]
    assert "cannot be used" in first["log"], first
    assert first["reason"] == "ended with exit code 3", first
    assert told["used_gpu"] is False
    assert done.returncode == 1
    assert "FAILED   musicvae: smoke  ended with exit code 3" in done.stdout
    assert "skipped  musicvae: two processes  needs two GPUs" in done.stdout
    assert "2 of 3 cases failed" in done.stderr
