"""``lab env plan`` as a user types it, on a machine with torch 2.12.1 and no GPU."""

import json
import subprocess

import pytest
from click.testing import CliRunner, Result

from labcore.cli.machine.env import env
from labcore.doctor.machine import Machine, Toolkit, TorchBuild
from labcore.errors import UsageError

MACHINE = Machine(
    origin="here",
    os="linux",
    python="3.11.7",
    driver="",
    cards=(),
    torch=TorchBuild(version="2.12.1+cu130", cuda="13.0"),
    toolkits=(Toolkit(version="13.0", root="/usr/local/cuda-13.0"),),
    cuda_home="/usr/local/cuda-13.0",
    gcc="12.2.0",
    cores=8,
    usable_cores=8,
    memory_gb=16.0,
    environ={},
)


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("labcore.cli.machine.env.gather_here", lambda: MACHINE)


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(env, list(arguments), standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return result


def test_the_group_shows_its_commands():
    result = CliRunner().invoke(env, ["--help"])
    assert "plan" in result.output


def test_this_machine_gets_the_wheel():
    result = run("plan", "pytorch3d")
    assert result.return_value == 0
    assert "PyTorch3D 0.7.9 for torch 2.12.1 (CUDA 13.0) on Linux: a wheel" in result.output
    assert "pip install easypytorch3d==0.7.9.post1" in result.output
    assert "from pytorch3d import _C" in result.output


def test_a_described_build_is_explained_step_by_step():
    output = run("plan", "pytorch3d", "--torch", "2.0.1", "--cuda", "cu117", "--gpu", "3080").output
    titles = [
        line for line in output.splitlines() if line[:2] in ("1.", "2.", "3.", "4.", "5.", "6.")
    ]
    assert [title.split(" ", 1)[1] for title in titles] == [
        "Install torch",
        "Install what the build needs",
        "Choose toolkit and compiler",
        "Set up the build",
        "Build and install",
        "Check the result",
    ]
    assert "export TORCH_CUDA_ARCH_LIST=8.6" in output
    assert "LD_LIBRARY_PATH" in output


def test_windows_is_answered_in_powershell():
    arguments = ("--torch", "2.0.1", "--cuda", "11.7", "--os", "windows", "--pytorch3d", "0.7.4")
    assert "$env:CUB_HOME" in run("plan", "pytorch3d", *arguments).output
    script = run("plan", "pytorch3d", *arguments, "--shell", "powershell").output
    assert script.startswith("# PyTorch3D 0.7.4 for torch 2.0.1 (CUDA 11.7) on Windows")
    assert "Expand-Archive cub.zip" in script


def test_a_script_is_all_that_is_printed():
    script = run("plan", "pytorch3d", "--torch", "2.4.1", "--shell", "bash").output
    done = subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_shell_of_the_other_system_is_refused_with_what_to_type():
    with pytest.raises(UsageError) as caught:
        run("plan", "pytorch3d", "--shell", "powershell")
    assert "--shell bash" in str(caught.value.fix)
    assert "--os" in str(caught.value.fix)


def test_versions_that_do_not_go_together_are_told_and_exit_with_3():
    result = run("plan", "pytorch3d", "--torch", "2.1.0", "--cuda", "11.8", "--pytorch3d", "0.7.4")
    assert result.return_value == 3
    assert "these do not go together" in result.output
    assert "C++17" in result.output
    assert "What goes instead" in result.output
    script = run("plan", "pytorch3d", "--torch", "2.1.0", "--pytorch3d", "0.7.4", "--shell", "bash")
    assert "pip install" not in script.output.partition("What goes instead")[0]


def test_a_torch_past_the_tables_offers_nothing_made_up():
    result = run("plan", "pytorch3d", "--torch", "2.99")
    assert result.return_value == 3
    assert "the tables do not know" in result.output
    assert "What goes instead" not in result.output


def test_every_option_that_is_no_version_is_told():
    with pytest.raises(UsageError) as caught:
        run("plan", "pytorch3d", "--torch", "newest", "--cuda", "rocm", "--python", "3.11")
    assert len(caught.value.problems) == 2


def test_json_has_the_steps_and_the_settings():
    made = json.loads(run("plan", "pytorch3d", "--torch", "2.13", "--json").output)
    assert made["method"] == "source"
    settings = {name: value for step in made["steps"] for name, value in step["env"].items()}
    assert settings["FORCE_CUDA"] == "1"
    assert settings["MAX_JOBS"] == "8"
    assert made["cares"][0]["verdict"]["state"] == "limited"
