"""Plans for PyTorch3D: versions, steps, settings, and the scripts made of them."""

import ast
import re
import subprocess
from dataclasses import replace

import pytest

from labcore.doctor import diagnose
from labcore.doctor.checks import all_checks
from labcore.doctor.machine import Card, Machine, Toolkit, TorchBuild
from labcore.doctor.plans import Plan, Target, described, plan_pytorch3d, snippet, target_of
from labcore.doctor.plans.build import arch_list
from labcore.doctor.plans.pytorch3d import CUBE
from labcore.doctor.tables import max_jobs, parse_version
from labcore.errors import RequirementError, UsageError

HERE = Target(
    os="linux",
    python="3.11.7",
    torch="2.12.1",
    torch_cuda="13.0",
    has_torch=True,
    toolkit="13.0",
    toolkit_root="/usr/local/cuda-13.0",
    gcc="12.2.0",
    num_cores=8,
    memory_gb=15.5,
    is_here=True,
)


def environment(plan: Plan) -> dict[str, str]:
    return {name: value for step in plan.steps for name, value in step.env.items()}


def commands(plan: Plan) -> list[str]:
    return [command for step in plan.steps for command in step.commands]


def asked(pytorch3d: str | None = None, here: Target = HERE, **options) -> Plan:
    return plan_pytorch3d(described(here, **options), pytorch3d)


def test_this_machine_is_read_from_the_facts_of_the_doctor():
    machine = Machine(
        origin="here",
        os="linux",
        python="3.11.7",
        driver="580.95.05",
        cards=(
            Card(name="NVIDIA GeForce RTX 3080", compute_capability="8.6"),
            Card(name="NVIDIA GeForce RTX 2080 Ti", compute_capability="7.5"),
        ),
        torch=TorchBuild(version="2.12.1+cu130", cuda="13.0"),
        toolkits=(Toolkit(version="13.0", root="/usr/local/cuda-13.0"),),
        cuda_home="/usr/local",
        gcc="12.2.0",
        cores=16,
        usable_cores=8,
        memory_gb=15.5,
        environ={"CUB_HOME": "/opt/cub"},
    )
    target = target_of(machine)
    assert target.capabilities == ("7.5", "8.6")
    assert (target.torch, target.torch_cuda, target.has_torch) == ("2.12.1", "13.0", True)
    assert (target.num_cores, target.toolkit_is_found, target.has_cub_home) == (8, False, True)


def test_the_doctor_and_the_plan_speak_of_one_toolkit_and_one_number_of_jobs():
    at_home = Toolkit(version="12.4", root="/opt/cuda-12.4", has_nvcc=True)
    machine = Machine(
        origin="here",
        os="linux",
        torch=TorchBuild(version="2.6.0+cu124", cuda="12.4"),
        toolkits=(Toolkit(version="11.8", root="/usr/local/cuda-11.8", has_nvcc=True), at_home),
        cuda_home="/opt/cuda-12.4/",
        has_ninja=True,
        cores=32,
        memory_gb=64.0,
        memory_limit_gb=12.0,  # of a container, or of a job of a cluster
    )
    target = target_of(machine)
    assert (target.toolkit, target.memory_gb) == ("12.4", 12.0)
    said = {each.check: each for each in diagnose(machine, all_checks())}
    assert "CUDA toolkit 12.4" in said["build"].summary
    assert "both of CUDA 12.4" in said["nvcc-mismatch"].summary
    assert said["build-jobs"].fix == f"export MAX_JOBS={max_jobs(32, 12.0)}"
    plan = plan_pytorch3d(target, "0.7.8")
    assert environment(plan)["MAX_JOBS"] == str(max_jobs(32, 12.0))


def test_a_machine_of_which_nothing_is_known_still_gets_a_plan():
    plan = plan_pytorch3d(target_of(Machine(origin="here", os="linux")))
    assert plan.method == "wheel"
    assert "pip install torch==2.12.1" in commands(plan)


def test_the_installed_torch_2_12_gets_the_wheel_and_compiles_nothing():
    plan = asked()
    assert plan.method == "wheel"
    assert commands(plan) == ["pip install easypytorch3d==0.7.9.post1"]
    assert environment(plan) == {}
    assert plan.facts["torch"] == "2.12.1 (CUDA 13.0), installed"
    assert any("third party" in note for note in plan.notes)


def test_a_named_torch_keeps_this_machines_python_and_compiler():
    plan = asked(torch="2.0.1", cuda="11.7", gpu="RTX 3080")
    assert plan.method == "source"
    assert plan.facts["PyTorch3D"] == "0.7.7"
    settings = environment(plan)
    assert settings["TORCH_CUDA_ARCH_LIST"] == "8.6"
    assert settings["FORCE_CUDA"] == "1"
    assert settings["CUDA_HOME"] == "/usr/local/cuda-11.7"
    # gcc 12.2 is too new for CUDA 11.7.
    assert (settings["CC"], settings["CXX"]) == ("gcc-11", "g++-11")
    assert settings["MAX_JOBS"] == "7"
    assert "CUB_HOME" not in settings
    assert commands(plan)[0] == "pip install torch==2.0.1"
    assert commands(plan)[-1] == (
        "pip install --no-build-isolation "
        '"git+https://github.com/facebookresearch/pytorch3d.git@v0.7.7"'
    )


def test_the_windows_set_of_the_notes_gets_its_cub_by_cub_home():
    plan = asked("0.7.4", torch="2.0.1", cuda="11.7", os="windows", gpu="RTX 3080")
    settings = environment(plan)
    assert settings["CUB_HOME"] == "./cub-1.17.2"
    assert settings["CUDA_HOME"].endswith(r"CUDA\v11.7")
    assert settings["DISTUTILS_USE_SDK"] == "1"
    assert "CC" not in settings
    # Nothing of the Linux machine that asks is in a plan for Windows.
    assert "MAX_JOBS" not in settings
    assert "Python" not in plan.facts
    cub = next(step for step in plan.steps if "CUB" in step.title)
    assert "no header of the toolkit has to be edited" in cub.why
    assert "WIN32_LEAN_AND_MEAN" in cub.why


def test_cuda_11_8_with_an_old_pytorch3d_gets_the_flag_in_place_of_a_cub():
    settings = environment(asked("0.7.4", torch="2.0.1", cuda="11.8", os="windows"))
    assert settings["NVCC_FLAGS"] == "-DWIN32_LEAN_AND_MEAN"
    assert "CUB_HOME" not in settings


def test_cuda_before_11_7_is_given_the_cub_of_the_instructions():
    plan = asked("0.7.2", torch="1.13.1", cuda="11.6", python="3.10")
    assert environment(plan)["CUB_HOME"] == "./cub-1.10.0"


def test_a_cub_home_that_is_set_and_must_not_be_is_removed():
    here = replace(HERE, has_cub_home=True)
    plan = asked(here=here, torch="2.4.1", cuda="12.1")
    assert [step.unset for step in plan.steps if step.unset] == [("CUB_HOME",)]
    assert "unset CUB_HOME" in snippet(plan)


def test_cuda_13_from_source_gets_the_flags_of_pulsar_and_the_right_toolkit():
    plan = asked(here=replace(HERE, toolkit_is_found=False), torch="2.13")
    settings = environment(plan)
    assert "-static-global-template-stub=false" in settings["NVCC_FLAGS"]
    assert settings["CUDA_HOME"] == "/usr/local/cuda-13.0"
    assert "CC" not in settings


def test_a_torch_that_has_no_code_for_the_card_is_replaced():
    plan = asked(gpu="GTX 950M")
    assert plan.method == "source"
    assert plan.facts["GPU"] == "GeForce GTX 950M (5.0)"
    assert "to install" in plan.facts["torch"]
    assert environment(plan)["TORCH_CUDA_ARCH_LIST"] == "5.0"


def test_a_driver_that_is_too_old_for_cuda_13_gets_an_older_build():
    here = replace(HERE, torch=None, torch_cuda=None, has_torch=False, driver="535.183.01")
    plan = asked(here=here)
    assert "CUDA 12" in plan.facts["torch"]


def test_a_toolkit_of_another_family_is_left_alone():
    plan = asked(torch="2.4.1")
    assert plan.facts["CUDA toolkit"] == "12.1, to install"
    assert environment(plan)["CUDA_HOME"] == "/usr/local/cuda-12.1"


def test_a_cpu_build_of_torch_is_built_for_the_cpu():
    here = replace(HERE, torch="2.13.0", torch_cuda="", toolkit=None, toolkit_root=None)
    settings = environment(asked(here=here))
    assert settings == {"PYTORCH3D_FORCE_NO_CUDA": "1", "MAX_JOBS": "7"}


def test_a_mac_is_built_for_the_cpu_with_clang():
    plan = asked(os="macos")
    assert environment(plan)["CC"] == "clang"
    assert "CPU build" in plan.title


def test_versions_that_do_not_go_together_are_told_with_what_does():
    plan = asked("0.7.4", torch="2.1.0", cuda="11.8")
    assert (plan.method, plan.steps) == ("none", ())
    assert "C++17" in plan.problems[0].verdict.why
    assert plan.alternatives
    assert plan.title.endswith("these do not go together")


def test_a_torch_past_the_table_is_not_known():
    plan = asked(torch="2.99")
    assert plan.method == "none"
    assert plan.title.endswith("the tables do not know")


def test_options_that_leave_no_torch_are_an_error():
    with pytest.raises(RequirementError, match="no torch in the tables"):
        asked(
            here=replace(HERE, torch=None, torch_cuda=None, has_torch=False),
            python="3.6",
            gpu="5090",
        )


def test_a_wrong_card_is_answered_with_near_ones():
    with pytest.raises(UsageError, match="did you mean GeForce RTX 4090"):
        described(HERE, gpu="RTX 4095")


def test_naming_the_versions_that_are_here_changes_nothing():
    assert asked(torch="2.12", cuda="13.0").steps == asked().steps


@pytest.mark.parametrize(
    ("num_cores", "memory_gb", "jobs"),
    [(8, 64.0, 8), (16, 15.5, 7), (4, 1.0, 1), (None, 16.0, None), (8, None, None)],
)
def test_jobs_leave_each_compiler_its_memory(num_cores, memory_gb, jobs):
    assert max_jobs(num_cores, memory_gb) == jobs


@pytest.mark.parametrize(
    ("toolkit", "capabilities", "archs"),
    [
        ("11.7", ["8.6"], "8.6"),
        ("11.7", ["8.9"], "8.6+PTX"),
        ("11.0", ["8.6", "7.5"], "7.5;8.0+PTX"),
        ("12.6", ["12.0"], ""),
        ("11.7", [], "3.7;5.0;6.0;7.0;7.5;8.0;8.6"),
    ],
)
def test_code_is_made_for_the_cards_as_far_as_the_toolkit_knows_them(toolkit, capabilities, archs):
    assert arch_list(toolkit, capabilities, "2.0.1", "11.7") == archs


# Scripts.

PLANS = {
    "wheel": {},
    "source": {"torch": "2.0.1", "cuda": "11.7", "gpu": "RTX 3080"},
    "old cuda": {"torch": "1.13.1", "cuda": "11.6", "python": "3.10"},
    "cuda 13": {"torch": "2.13"},
    "macos": {"os": "macos"},
}
WINDOWS = {
    "cub": {"torch": "2.0.1", "cuda": "11.7", "os": "windows", "gpu": "RTX 3080"},
    "flag": {"torch": "2.0.1", "cuda": "11.8", "os": "windows"},
    "new": {"torch": "2.12.1", "cuda": "13.0", "os": "windows"},
}


@pytest.mark.parametrize("options", PLANS.values(), ids=PLANS)
def test_a_bash_script_is_accepted_by_bash(options):
    script = snippet(asked(**options))
    done = subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert script.startswith("# PyTorch3D")
    assert "set -euo pipefail" in script


@pytest.mark.parametrize("options", PLANS.values(), ids=PLANS)
def test_a_bash_script_sets_the_variables_that_the_plan_has(options, tmp_path):
    plan = asked(**options)
    wanted = environment(plan)
    exports = "\n".join(each for each in snippet(plan).splitlines() if each.startswith("export "))
    shown = "\n".join(f'printf "%s\\n" "${name}"' for name in wanted)
    done = subprocess.run(
        ["bash", "-c", f"{exports}\n{shown}"],
        cwd=tmp_path,
        text=True,
        capture_output=True,
        check=True,
    )
    values = [value.replace("./", f"{tmp_path}/", 1) for value in wanted.values()]
    assert done.stdout.split("\n")[:-1] == values


@pytest.mark.parametrize("options", WINDOWS.values(), ids=WINDOWS)
def test_a_powershell_script_has_whole_quotes_and_assignments(options):
    script = snippet(asked(**options))
    assert '$ErrorActionPreference = "Stop"' in script
    assert "export " not in script
    outside = re.sub(r"(?ms)^@'\n.*?^'@", "", script)
    for line in outside.splitlines():
        if line.startswith("#"):
            continue
        assert line.count('"') % 2 == 0, line
        assert line.count("'") % 2 == 0, line
        if line.startswith("$env:"):
            assert re.fullmatch(r'\$env:[A-Z0-9_]+ = "[^"]*"', line), line
    # A here-string ends only where '@ starts a line.
    assert script.count("\n@'\n") == script.count("\n'@ | python -\n") == 1


def test_the_scripts_draw_a_cube_from_another_folder():
    ast.parse(CUBE)
    assert "'@" not in CUBE
    bash = snippet(asked())
    assert CUBE in bash
    assert bash.index('cd "${TMPDIR:-/tmp}"') < bash.index("from pytorch3d import _C")
    windows = snippet(asked(os="windows", torch="2.12.1"))
    assert windows.index("Push-Location $env:TEMP") < windows.index("from pytorch3d import _C")


@pytest.mark.parametrize(
    "gpu", ["GTX 950M", "RTX 2080 Ti", "A100", "RTX 3080", "RTX 4090", "RTX 5090"]
)
@pytest.mark.parametrize("os", ["linux", "windows"])
def test_every_kind_of_card_gets_a_plan_whose_code_is_for_it(os, gpu):
    plan = asked(os=os, gpu=gpu)
    assert plan.method in ("wheel", "source")
    archs = environment(plan).get("TORCH_CUDA_ARCH_LIST")
    if archs is not None:
        capability = plan.facts["GPU"].rpartition("(")[2].rstrip(")")
        assert archs.split(".")[0] == capability.split(".")[0]
        assert parse_version(archs.removesuffix("+PTX")) <= parse_version(capability)
