"""torch against CUDA, GPUs, Python and torchvision, by its release notes."""

import pytest

from labcore.doctor.tables import (
    TORCH,
    best_build,
    python_fits,
    python_for,
    torch_archs,
    torch_for,
    torch_pip,
    torch_runs_on,
    torch_with_cuda,
    torchvision_with,
)


def builds_of(torch):
    row = TORCH.row(torch)
    assert row is not None
    return row.builds


def test_a_release_knows_its_builds():
    assert [build.cuda for build in builds_of("2.0.1")] == ["11.7", "11.8"]
    assert [build.cuda for build in builds_of("2.12")] == ["12.6", "13.0", "13.2"]
    assert TORCH.row("1.0") is None
    row = TORCH.row("2.12.1+cu130")
    assert (row.pypi_cuda, row.build("13.0").cudnn) == ("13.0", "9.20.0.48")


def test_the_gpus_of_the_installed_wheel_are_those_that_were_measured():
    # torch._C._cuda_getArchFlags() of torch 2.12.1 from PyPI.
    measured = {"7.5", "8.0", "8.6", "9.0", "10.0", "12.0"}
    assert {arch.removesuffix("+PTX") for arch in torch_archs("2.12.1", "13.0")} == measured
    assert torch_archs("2.12.1", "11.8") is None


@pytest.mark.parametrize(
    ("torch", "cuda", "state"),
    [
        ("2.0.1", "11.7", "yes"),
        ("2.0.1", "12.1", "no"),
        ("2.7.1", "cu118", "yes"),
        ("2.8", "11.8", "no"),
        ("2.16", "13.0", "unknown"),
        ("2.15", "13.2", "unknown"),
        ("1.6", "10.2", "unknown"),
    ],
)
def test_a_release_was_published_for_some_cuda_versions(torch, cuda, state):
    assert torch_with_cuda(torch, cuda).state == state


def test_a_missing_build_names_the_nearest_and_what_the_toolkit_is_for():
    verdict = torch_with_cuda("2.0.1", "11.3")
    assert "11.7, 11.8" in verdict.why
    assert "torch build for CUDA 11.7" in verdict.fix
    assert "only for compiling extensions" in verdict.fix


def test_an_unknown_release_names_the_ends_of_the_table():
    assert "goes from 1.7 to 2.15" in torch_with_cuda("2.99", "13.0").why


@pytest.mark.parametrize(
    ("torch", "cuda", "capability", "state"),
    [
        ("2.0.1", "11.7", "8.6", "yes"),
        ("1.7.1", "11.0", "8.6", "yes"),  # by its code for 8.0
        ("2.12.1", "13.0", "5.0", "no"),
        ("2.12.1", "12.6", "5.0", "yes"),
        ("2.8.0", "12.8", "6.1", "no"),
        ("2.6.0", "12.6", "12.0", "no"),
        ("2.7.1", "12.8", "12.0", "yes"),
        ("2.8.0", "12.9", "8.6", "yes"),
        ("2.9.1", "12.8", "7.0", "yes"),
        ("2.11.0", "12.8", "7.0", "no"),
        ("2.4.1", "12.4", "12.0", "doubtful"),
        ("2.10.0", "13.0", "11.0", "unknown"),
        ("2.12.1", "13.0", "13.0", "unknown"),
        ("2.0.1", "12.6", "8.6", "no"),
    ],
)
def test_a_build_runs_on_the_gpus_that_it_has_code_for(torch, cuda, capability, state):
    assert torch_runs_on(torch, cuda, capability).state == state


def test_a_card_without_code_is_sent_to_the_build_that_has_it():
    assert torch_runs_on("2.12.1", "13.0", "5.0").fix == (
        "torch 2.12 has it in the build for CUDA 12.6"
    )
    assert "torch 2.7" in torch_runs_on("2.12.1", "12.6", "3.7").fix
    assert "compute on the CPU" in torch_runs_on("2.12.1", "13.0", "3.0").fix


@pytest.mark.parametrize(
    ("capability", "driver", "os", "torch", "cuda"),
    [
        ("5.0", None, "linux", "2.14.0", "12.6"),
        ("8.6", "460.32", "linux", "2.7.1", "11.8"),
        ("8.6", "580.95.05", "linux", "2.14.0", "13.0"),
        ("8.6", "535.54.03", "windows", "2.14.0", "12.6"),
        ("12.0", "572.61", "windows", "2.11.0", "12.8"),
        ("3.7", "470.82.01", "linux", "2.7.1", "11.8"),
        (None, "418.87", "linux", "1.8.1", "10.1"),
    ],
)
def test_the_newest_torch_for_a_machine(capability, driver, os, torch, cuda):
    choice = torch_for(capability=capability, driver=driver, os=os)
    assert choice is not None
    assert (choice.torch, choice.cuda) == (torch, cuda)
    assert f"torch=={torch}" in choice.pip


def test_python_narrows_the_choice():
    choice = torch_for(capability="8.6", driver=None, os="linux", python="3.9.18")
    assert choice is not None
    assert choice.torch == "2.8.0"


def test_no_torch_is_an_answer():
    assert torch_for(capability="3.0", driver=None, os="linux") is None
    assert torch_for(capability="8.6", driver="390.10", os="linux") is None


def test_a_mac_gets_the_cpu_build():
    choice = torch_for(capability=None, driver=None, os="macos", python="3.10")
    assert choice is not None
    assert choice.cuda is None
    assert choice.pip == f"pip install torch=={choice.torch}"


@pytest.mark.parametrize(
    ("torch", "cuda", "os", "command"),
    [
        ("2.12.1", "13.0", "linux", "pip install torch==2.12.1"),
        (
            "2.12.1",
            "13.0",
            "windows",
            "pip install torch==2.12.1 --index-url https://download.pytorch.org/whl/cu130",
        ),
        (
            "2.0",
            "11.8",
            "linux",
            "pip install torch==2.0.1 --index-url https://download.pytorch.org/whl/cu118",
        ),
        (
            "2.5.0",
            None,
            "linux",
            "pip install torch==2.5.0 --index-url https://download.pytorch.org/whl/cpu",
        ),
        (
            "1.7.1",
            "11.0",
            "linux",
            "pip install torch==1.7.1+cu110 -f https://download.pytorch.org/whl/torch_stable.html",
        ),
    ],
)
def test_the_command_names_the_index_of_the_build(torch, cuda, os, command):
    assert torch_pip(torch, cuda, os) == command


def test_torchvision_comes_along_when_asked_for():
    assert torch_pip("2.12", "13.0", "linux", torchvision="0.27.1") == (
        "pip install torch==2.12.1 torchvision==0.27.1"
    )


@pytest.mark.parametrize(
    ("torchvision", "torch", "state"),
    [
        ("0.15.2", "2.0.1", "yes"),
        ("0.27.0+cu130", "2.12.1", "yes"),
        ("0.26.0", "2.12.1", "no"),
        ("0.15.2", "2.99", "unknown"),
    ],
)
def test_torchvision_is_compiled_for_one_torch(torchvision, torch, state):
    assert torchvision_with(torchvision, torch).state == state


def test_a_wrong_torchvision_says_which_torch_it_is_for():
    verdict = torchvision_with("0.26.0", "2.12.1")
    assert "it is for torch 2.11" in verdict.why
    assert verdict.fix == 'pip install "torchvision==0.27.*"'


def test_the_build_of_a_release_is_chosen_for_the_card_and_else_the_default():
    assert best_build("2.12.1", capability="5.0", driver=None, os="linux").cuda == "12.6"
    assert best_build("2.12.1", capability="8.6", driver=None, os="linux").cuda == "13.0"
    assert best_build("2.12.1", capability="3.5", driver=None, os="linux").cuda == "13.0"
    assert best_build("2.99", capability="8.6", driver=None, os="linux") is None


@pytest.mark.parametrize(
    ("package", "version", "python", "state"),
    [
        ("torch", "2.12.1", "3.11.7", "yes"),
        ("torch", "2.15", "3.10", "no"),
        ("torch", "2.0.1", "3.12", "no"),
        ("tensorflow", "2.4.1", "3.8", "yes"),
        ("tensorflow", "2.4.1", "3.9", "no"),
        ("pytorch3d", "0.7.4", "3.10", "yes"),
        ("pytorch3d", "0.7.4", "3.12", "limited"),
        ("pytorch3d", "0.7.8", "3.7", "no"),
        ("torch", "3.0", "3.12", "unknown"),
        ("torch", "2.0.1", "newest", "unknown"),
    ],
)
def test_a_python_goes_with_the_releases_that_have_wheels_for_it(package, version, python, state):
    assert python_fits(package, version, python).state == state


def test_a_python_that_does_not_go_is_answered_with_the_newest_that_does():
    assert python_fits("torch", "2.0.1", "3.12").fix == "Python 3.11"
    assert python_for("torch", "2.0.1") == ">=3.8,<3.12"
    assert python_for("tensorflow", "1.15") is None
