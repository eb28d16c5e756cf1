"""TensorFlow against CUDA, cuDNN, GPUs and torch, by its tested configurations."""

import pytest

from labcore.doctor.tables import (
    TENSORFLOW,
    tensorflow_archs,
    tensorflow_runs_on,
    tensorflow_with_cuda,
    tensorflow_with_torch,
)


def test_a_row_holds_the_tested_configuration():
    row = TENSORFLOW.row("2.4.1")
    assert (row.cuda, row.cudnn, row.python) == ("11.0", "8.0", ">=3.6,<3.9")
    assert TENSORFLOW.row("2.21.0").protobuf == ">=6.31.1,<8"
    assert TENSORFLOW.row("1.15") is None


@pytest.mark.parametrize(
    ("tf", "cuda", "cudnn", "state"),
    [
        ("2.1", "10.1", "7.6", "yes"),
        ("2.4.1", "11.0", "8.0.5", "yes"),
        ("2.4.1", "11.0", None, "yes"),
        ("2.4.1", "11.2", "8.1", "limited"),
        ("2.4.1", "10.1", "7.6", "no"),
        ("2.4.1", "11.0", "7.6", "no"),
        ("2.5", "11.2", "8.0", "no"),
        ("2.5", "11.2", "8.6", "yes"),
        ("2.5", "11.0", "8.1", "no"),
        ("2.1", "11.1", None, "no"),
        ("2.30", "13.0", None, "unknown"),
    ],
)
def test_an_installed_cuda_and_cudnn_go_with_a_release(tf, cuda, cudnn, state):
    assert tensorflow_with_cuda(tf, cuda, cudnn).state == state


def test_releases_that_bring_cuda_say_so():
    assert '"tensorflow[and-cuda]==2.21.0"' in tensorflow_with_cuda("2.21", "13.0").fix
    assert "and-cuda" not in tensorflow_with_cuda("2.4", "10.1").fix


@pytest.mark.parametrize(
    ("tf", "capability", "state"),
    [
        ("2.1", "8.6", "no"),
        ("2.3", "8.6", "no"),
        ("2.4.1", "8.6", "yes"),
        ("2.21", "5.0", "no"),
        ("2.16", "5.0", "yes"),
        ("2.21", "6.1", "yes"),
        ("2.21", "7.5", "yes"),
        ("2.21", "9.0", "yes"),
        ("2.10", "9.0", "limited"),
        ("2.21", "12.0", "no"),
        ("2.1", "7.5", "unknown"),
        ("2.4", "4.4", "unknown"),
        ("2.30", "8.6", "unknown"),
    ],
)
def test_the_wheel_runs_on_the_gpus_that_it_has_code_for(tf, capability, state):
    assert tensorflow_runs_on(tf, capability).state == state


def test_a_card_that_is_too_new_is_told_why_and_what_has_code_for_it():
    verdict = tensorflow_runs_on("2.1", "8.6")
    assert "CUDA 10.1, which is older than Ampere" in verdict.why
    assert "TensorFlow 2.4 (CUDA 11.0, cuDNN 8.0, Python 3.6 to 3.8) is the first" in verdict.fix
    assert "2.21" in verdict.fix


def test_a_card_that_is_too_old_is_told_the_last_release_for_it():
    assert "2.16 (CUDA 12.3" in tensorflow_runs_on("2.21", "5.0").fix
    assert "no TensorFlow in the table" in tensorflow_runs_on("2.21", "3.0").fix


def test_native_windows_has_no_gpu_after_2_10():
    assert tensorflow_runs_on("2.10.1", "8.6", os="windows").state == "yes"
    verdict = tensorflow_runs_on("2.11", "8.6", os="windows")
    assert verdict.state == "no"
    assert "WSL2" in verdict.fix
    assert tensorflow_runs_on("2.21", "8.6", os="macos").state == "no"


@pytest.mark.parametrize(
    ("tf", "torch", "state"),
    [
        ("2.20.0", "2.10.0", "yes"),
        ("2.21.0", "2.10.0", "limited"),
        ("2.21.0", "2.12.1", "limited"),
        ("2.19.1", "2.6.0", "limited"),
        ("2.10", "2.0.1", "limited"),
        ("2.4", "1.8", "limited"),
        ("2.4.1", "2.12.1", "no"),
        ("2.21", "2.14", "unknown"),
        ("2.21", "2.99", "unknown"),
        ("9.9", "2.12.1", "unknown"),
    ],
)
def test_tensorflow_and_torch_share_an_environment(tf, torch, state):
    assert tensorflow_with_torch(tf, torch).state == state


def test_two_cuda_families_are_told_by_what_they_overwrite():
    verdict = tensorflow_with_torch("2.21.0", "2.12.1")
    assert "nvidia/cudnn/lib" in verdict.why
    assert "plain tensorflow" in verdict.fix


def test_no_common_python_is_the_first_obstacle():
    assert "no Python version has both" in tensorflow_with_torch("2.4.1", "2.12.1").why


def test_the_build_information_of_tensorflow_means_machine_code_too():
    listed = ["sm_60", "sm_89", "compute_90"]
    assert set(tensorflow_archs(listed)) == {*listed, "sm_90"}
