"""Whole texts as people paste them, with what must be found in each, in this order."""

from pathlib import Path

import pytest

from labcore.doctor.checks import all_checks
from labcore.doctor.pasted import UNKNOWN_ERROR, diagnose_report, read
from labcore.doctor.pasted.errors import ONLY_WRAPPERS

REPORTS = Path(__file__).parent / "reports"

# Failures and warnings, the root cause first; what follows from it is folded in.
FOUND = {
    "build_arch_89": ["gpu-architecture"],
    "build_cpp17": ["cpp-standard"],
    "build_gcc_too_new": ["gcc-too-new"],
    "build_killed": ["compiler-out-of-memory"],
    "build_nvcc_mismatch": ["nvcc-mismatch"],
    "cudart_missing": ["cuda-library-missing"],
    "cudnn_ld_path": ["cudnn-version"],
    "device_assert": ["device-assert"],
    "env_2_11_driver_470": ["driver-vs-cuda"],
    "env_available_false_unexplained": ["cuda-unavailable"],
    "env_cpu_build_windows": ["torch-cpu-only"],
    "env_gtx950m_new_torch": ["arch-unsupported"],
    "env_rtx5090_torch_2_6": ["no-kernel-image"],
    "glibcxx_conda": ["glibcxx-too-old"],
    "loader_bus_error": ["shared-memory-full"],
    "mail_hard_wrapped": ["driver-too-old"],
    "nccl_shm_docker": ["nccl-shared-memory"],
    "no_wheel_torch": ["no-wheel-torch"],
    "numpy2": ["numpy-abi"],
    "nvml_mismatch": ["nvml-version-mismatch"],
    "oom_two_ranks": ["cuda-out-of-memory"],
    "p3d_build_isolation": ["build-isolation"],
    "p3d_cub_version": ["cub-thrust-version"],
    "p3d_cuda102_no_cub": ["cub-not-found"],
    "p3d_undefined_symbol": ["pytorch3d-undefined-symbol"],
    "p3d_windows_117": ["cub-segmented-sort"],
    "p3d_windows_118_debugsync": ["cub-debug-sync"],
    "tf_cudnn_handle": ["tf-cudnn-start"],
    "tf_missing_cudnn": ["tf-library-missing"],
    "tf_protobuf": ["protobuf-descriptors"],
    "tfmot_keras3": ["tfmot-keras3"],
    "two_separate_errors": ["weights-only"],
    "windows_fbgemm": ["dll-load"],
}
QUIET = [
    "env_1_5_windows_healthy",
    "env_1_7_conda_healthy",
    "env_a100_mig_healthy",
    "env_macos_healthy",
    "env_rocm_healthy",
    "env_vllm_style_healthy",
    "env_wsl_healthy",
    "quiet_build_ok",
    "quiet_nvidia_smi",
    "quiet_pip_install",
    "quiet_prose",
    "quiet_source_code",
    "quiet_training_log",
    "tf_noise_on_cpu",
]
# The line that is quoted as not understood.
NOT_KNOWN = {
    "build_unknown_cpp_error": "src/ops.cpp:41:17: error: no matching function for call",
    "two_separate_errors": "RuntimeError: the checkpoint of Net has no head:",
    "unknown_in_worker": "IndexError: list index out of range",
    "unknown_keyerror": "KeyError: 'cuda'",
}


def diagnosis(name: str):
    report = read((REPORTS / f"{name}.txt").read_text(encoding="utf-8"))
    return report, diagnose_report(report, all_checks())


def test_every_report_has_an_expectation():
    files = {file.stem for file in REPORTS.glob("*.txt")}
    others = {"build_only_wrappers"}
    assert files == {*FOUND, *QUIET, *NOT_KNOWN, *others}
    assert len(FOUND) >= 25
    assert len(QUIET) >= 10


@pytest.mark.parametrize("name", FOUND)
def test_what_is_wrong_is_found_and_nothing_else(name):
    _, findings = diagnosis(name)
    bad = [each.check for each in findings if each.state in {"failure", "warning"}]
    assert bad == FOUND[name]
    assert all(each.fix and each.cause for each in findings if each.state == "failure")


@pytest.mark.parametrize("name", QUIET)
def test_a_text_with_nothing_wrong_in_it_gives_no_problem(name):
    _, findings = diagnosis(name)
    assert [each.check for each in findings if each.state in {"failure", "warning"}] == []
    assert UNKNOWN_ERROR not in {each.check for each in findings}


@pytest.mark.parametrize("name", NOT_KNOWN)
def test_an_error_that_is_not_known_is_quoted_and_not_guessed_at(name):
    report, _ = diagnosis(name)
    unknown = [each for each in report.errors if each.check == UNKNOWN_ERROR]
    assert len(unknown) == 1
    assert NOT_KNOWN[name] in unknown[0].summary
    assert unknown[0].state == "unknown"
    assert unknown[0].fix == ""


def test_a_log_with_only_the_last_lines_of_a_failed_build_asks_for_the_others():
    report, _ = diagnosis("build_only_wrappers")
    (only,) = report.errors
    assert only.check == ONLY_WRAPPERS
    assert "further up" in only.cause
    assert "first line with" in only.fix


def test_noise_of_tensorflow_is_told_to_be_harmless():
    report, _ = diagnosis("tf_noise_on_cpu")
    assert {each.check for each in report.errors} == {
        "tf-no-gpu-here",
        "tf-factory-noise",
        "tf-start-noise",
    }
    assert {each.state for each in report.errors} == {"ok"}


def test_consequences_are_folded_into_the_root_with_their_lines():
    report, _ = diagnosis("tf_missing_cudnn")
    (root,) = report.errors
    assert [line.split(":")[0] for line in root.evidence["also"]] == ["line 3"]
    report, _ = diagnosis("device_assert")
    assert "CUBLAS_STATUS_NOT_INITIALIZED" in report.errors[0].evidence["also"][0]


def test_an_error_says_in_which_line_it_stands_and_how_often():
    report, _ = diagnosis("p3d_windows_117")
    evidence = report.errors[0].evidence
    text = (REPORTS / "p3d_windows_117.txt").read_text(encoding="utf-8").splitlines()
    assert "dispatch_segmented_sort.cuh(338)" in text[evidence["line"] - 1]
    assert evidence["times"] == 3


def test_the_notes_build_on_windows_gets_another_cub_or_the_flag():
    report, _ = diagnosis("p3d_windows_117")
    assert "CUB 1.17.2" in report.errors[0].fix
    assert "set NVCC_FLAGS=-DWIN32_LEAN_AND_MEAN" in report.errors[0].fix


def test_a_card_in_a_block_is_judged_by_its_name():
    report, findings = diagnosis("env_gtx950m_new_torch")
    assert report.machine.cards is not None
    assert report.machine.cards[0].compute_capability == "5.0"
    (bad,) = [each for each in findings if each.state == "failure"]
    assert "cu126" in bad.fix
