"""PyTorch3D against torch, and CUB against CUDA, by upstream's instructions and issues."""

import pytest

from labcore.doctor.tables import (
    COMPILERS,
    CUB,
    PYTORCH3D,
    cub_for,
    cub_with,
    gcc_with_cuda,
    pytorch3d_for,
    pytorch3d_wheel,
    pytorch3d_with,
)


@pytest.mark.parametrize(
    ("pytorch3d", "torch", "cuda", "state"),
    [
        ("0.7.4", "2.0.1", "11.7", "yes"),
        ("0.7.3", "2.0.1", "11.7", "limited"),
        ("0.7.4", "2.1.0", "11.8", "no"),  # C++14 against C++17
        ("0.7.5", "2.1.0", "11.8", "yes"),
        ("0.7.7", "1.13.1", "11.7", "no"),
        ("0.7.8", "2.4.1", "12.1", "yes"),
        ("0.7.9", "2.12.1", "13.0", "yes"),
        ("0.7.9", "2.11.0", "13.0", "yes"),
        ("0.7.9", "2.12.1", "12.6", "limited"),
        ("0.7.9", "2.12.1", "", "limited"),
        ("0.7.9", "2.13.0", "13.0", "limited"),
        ("0.7.5", "2.12.1", "13.0", "no"),
        ("0.4.0", "2.0.1", None, "no"),
        ("0.8.0", "2.12.1", None, "unknown"),
        ("0.7.9", "2.99", None, "unknown"),
    ],
)
def test_a_release_goes_with_the_torch_that_it_names_or_has_a_wheel_for(
    pytorch3d, torch, cuda, state
):
    assert pytorch3d_with(pytorch3d, torch, cuda).state == state


def test_a_wheel_is_named_with_its_command():
    assert pytorch3d_with("0.7.9", "2.12.1", "13.0").fix == (
        "pip install easypytorch3d==0.7.9.post1"
    )


def test_a_cpu_only_torch_is_told_that_the_other_build_runs_without_a_gpu_too():
    verdict = pytorch3d_with("0.7.9", "2.12.1", "")
    assert "torch build for CUDA 13, which also runs without a GPU" in verdict.fix


def test_a_language_standard_that_does_not_do_is_told():
    verdict = pytorch3d_with("0.7.4", "2.1.0")
    assert "needs C++17" in verdict.why
    assert "C++14" in verdict.why
    assert verdict.fix == "PyTorch3D 0.7.9, the newest that names torch 2.1.0"


def test_cuda_13_names_the_flags_that_no_release_sets():
    assert "-static-global-template-stub=false" in pytorch3d_with("0.7.9", "2.13", "13.0").fix


def test_the_releases_for_a_torch_are_listed_best_first():
    assert pytorch3d_for("2.0.1")[:5] == ["0.7.7", "0.7.6", "0.7.5", "0.7.4", "0.7.3"]
    assert pytorch3d_for("2.12.1", "13.0") == ["0.7.9"]
    assert pytorch3d_for("1.4") == []


def test_a_newer_python_makes_a_release_untried_and_an_older_one_rules_it_out():
    assert pytorch3d_for("2.0.1", python="3.11")[0] == "0.7.7"
    assert "0.7.7" not in pytorch3d_for("2.0.1", python="3.7")


@pytest.mark.parametrize(
    ("torch", "cuda", "os", "python", "found"),
    [
        ("2.12.1", "13.0", "linux", "3.11", True),
        ("2.12.1", None, "linux", None, True),
        ("2.12.1", "12.6", "linux", "3.11", False),
        ("2.12.1", "", "linux", "3.11", False),
        ("2.13.0", "13.0", "linux", "3.11", False),
        ("2.12.1", "13.0", "linux", "3.9", False),
        ("2.12.1", "13.0", "windows", "3.11", True),
    ],
)
def test_a_wheel_fits_the_torch_that_it_is_compiled_for(torch, cuda, os, python, found):
    assert (pytorch3d_wheel(torch, cuda, os, python) is not None) == found


def test_a_wheel_that_was_not_tried_is_not_promised():
    assert pytorch3d_with("0.7.9", "2.12.1", "13.0", "windows").state == "limited"


def test_an_unknown_release_has_no_row():
    assert PYTORCH3D.row("0.7.4").torch == ">=1.10,<=2.0.1"
    assert PYTORCH3D.row("0.7.99") is None


@pytest.mark.parametrize(
    ("cuda", "cub", "thrust"),
    [
        ("10.2", None, "1.9.7"),
        ("11.0", "1.9.9", "1.9.9"),
        ("11.7", "1.15.0", "1.15.0"),
        ("11.8", "1.15.1", "1.15.1"),
        ("12.2", "2.1.0", "2.1.0"),
        ("12.2.2", "2.2.0", "2.2.0"),
        ("13.0", "3.0.1", "3.0.1"),
    ],
)
def test_a_toolkit_brings_its_cub_and_thrust(cuda, cub, thrust):
    row = CUB.row(cuda)
    assert row is not None
    assert (row.cub, row.thrust) == (cub, thrust)
    assert CUB.row("14.0") is None


@pytest.mark.parametrize(
    ("cuda", "os", "pytorch3d", "needed", "supply"),
    [
        ("10.2", "linux", "0.7.4", True, "1.10.0"),
        ("11.3", "linux", None, True, "1.10.0"),
        ("11.6", "linux", None, True, "1.10.0"),
        ("11.7", "linux", "0.7.4", False, None),
        ("11.6", "windows", "0.7.4", True, "1.17.2"),
        ("11.7", "windows", "0.7.4", True, "1.17.2"),
        ("11.8", "windows", "0.7.4", False, None),
        ("11.8", "windows", "0.7.5", True, "1.17.2"),
        ("11.8", "linux", "0.7.4", False, None),
        ("12.1", "windows", "0.7.9", False, None),
        ("13.0", "linux", None, False, None),
        ("11.7", "macos", None, False, None),
    ],
)
def test_a_build_is_given_a_cub_where_it_needs_one(cuda, os, pytorch3d, needed, supply):
    advice = cub_for(cuda, os, pytorch3d)
    assert (advice.needed, advice.supply) == (needed, supply)
    assert ("CUB_HOME" in advice.env) == needed


def test_windows_gets_the_reason_and_two_ways_out():
    advice = cub_for("11.7", "windows", "0.7.4")
    assert advice.bundled == "1.15.0"
    assert '"small"' in advice.why
    assert "dispatch_segmented_sort.cuh" in advice.why
    assert "no header of the toolkit has to be edited" in advice.why
    assert advice.instead == {"NVCC_FLAGS": "-DWIN32_LEAN_AND_MEAN"}
    assert advice.download == "https://github.com/NVIDIA/cub/archive/refs/tags/1.17.2.zip"


def test_cuda_11_8_before_pytorch3d_0_7_5_gets_the_flag_only():
    advice = cub_for("11.8", "windows", "0.7.4")
    assert advice.env == {"NVCC_FLAGS": "-DWIN32_LEAN_AND_MEAN"}
    assert "DebugSyncStream" in advice.why


@pytest.mark.parametrize(
    ("cub", "cuda", "os", "pytorch3d", "word"),
    [
        ("1.17.2", "11.7", "windows", "0.7.4", ""),
        ("1.16.0", "11.7", "windows", "0.7.4", ""),
        ("1.15.0", "11.7", "windows", "0.7.4", "still has the name"),
        ("2.1.0", "11.7", "windows", "0.7.4", "belongs to CUDA 12"),
        ("1.17.2", "11.8", "windows", "0.7.4", "DebugSyncStream"),
        ("1.10.0", "12.1", "linux", None, "replaces the 2.0.1"),
        ("1.10.0", "10.2", "linux", None, ""),
        ("1.7.0", "10.2", "linux", None, "older than"),
    ],
)
def test_a_cub_in_cub_home_is_right_or_told_why_not(cub, cuda, os, pytorch3d, word):
    verdict = cub_with(cuda, os, pytorch3d, cub)
    assert word in verdict.why
    assert verdict.state == ("no" if word else "yes")


@pytest.mark.parametrize(
    ("gcc", "cuda", "state"),
    [
        ("11.4.0", "11.7", "yes"),
        ("12.2.0", "11.7", "no"),
        ("12.2.0", "12.1", "yes"),
        ("14.1", "12.6", "no"),
        ("15.1", "13.0", "yes"),
        ("12.2.0", "15.0", "unknown"),
    ],
)
def test_nvcc_takes_host_compilers_up_to_a_version(gcc, cuda, state):
    assert gcc_with_cuda(gcc, cuda).state == state


def test_a_compiler_that_is_too_new_gets_the_variables_for_an_older_one():
    assert gcc_with_cuda("12.2.0", "11.7").fix == "export CC=gcc-11 CXX=g++-11"
    assert "17.9" in COMPILERS.row("11.7").visual_studio
    assert COMPILERS.row("10.0") is None
