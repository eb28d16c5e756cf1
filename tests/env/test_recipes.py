"""The recipes of env/ agree with pyproject.toml, with each other and with the tables."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from labcore.doctor.tables import (
    TORCH,
    python_fits,
    pytorch3d_wheel,
    tensorflow_with_torch,
    torchvision_with,
)

tomllib = pytest.importorskip("tomllib", reason="reading pyproject.toml needs Python 3.11")

ROOT = Path(__file__).parents[2]
ENV = ROOT / "env"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
DOCKERFILE = ENV / "docker" / "Dockerfile"
PYTHON = "3.11"


def pins() -> dict[str, str]:
    lines = (ENV / "tested.txt").read_text("utf-8").splitlines()
    packages = [line for line in lines if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[a-z0-9.-]+==[\w.+]+", line) for line in packages)
    return dict(line.split("==") for line in packages)


def required() -> Iterator[Requirement]:
    """Direct requirements of the project and of every extra, without the project itself."""
    groups = [PROJECT["dependencies"], *EXTRAS.values()]
    for requirement in (Requirement(text) for group in groups for text in group):
        if requirement.name != PROJECT["name"]:
            yield requirement


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions with their arguments, each on one line."""
    text = re.sub(r"(?m)^\s*#.*\n", "", DOCKERFILE.read_text("utf-8"))
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines if line)]


def of(instruction: str) -> list[str]:
    return [rest for word, rest in instructions() if word == instruction]


def devcontainer() -> dict:
    text = (ROOT / ".devcontainer" / "devcontainer.json").read_text("utf-8")
    return json.loads(re.sub(r"(?m)^\s*//.*$", "", text))


def test_the_constraints_name_every_package_once_in_order():
    names = list(pins())
    assert len(names) > 150
    assert names == sorted(set(names))
    assert names == [canonicalize_name(name) for name in names]


def test_every_direct_dependency_is_pinned_within_its_range():
    pinned = pins()
    for requirement in required():
        name = canonicalize_name(requirement.name)
        assert name in pinned, f"{name} is not in env/tested.txt"
        assert requirement.specifier.contains(pinned[name]), f"{requirement} against {pinned[name]}"


def test_the_pinned_versions_go_together_by_the_tables():
    pinned = pins()
    torch = pinned["torch"]
    row = TORCH.row(torch)
    assert row is not None
    assert torchvision_with(pinned["torchvision"], torch).state == "yes"
    assert tensorflow_with_torch(pinned["tensorflow"], torch).state in ("yes", "limited")
    wheel = pytorch3d_wheel(torch, row.pypi_cuda, "linux", PYTHON)
    assert wheel is not None
    assert (wheel.package, wheel.version) == ("easypytorch3d", pinned["easypytorch3d"])
    for package in ("torch", "tensorflow"):
        assert python_fits(package, pinned[package], PYTHON).state == "yes"


def test_tensorflow_brings_no_second_cuda_beside_that_of_torch():
    cuda_12 = [name for name in pins() if re.fullmatch(r"nvidia-.*-cu12", name)]
    assert cuda_12 == []


def test_the_recipes_use_one_python_that_the_project_supports():
    assert Version(PYTHON) in SpecifierSet(PROJECT["requires-python"])
    conda = yaml.safe_load((ENV / "conda.yaml").read_text("utf-8"))
    assert f"python={PYTHON}" in conda["dependencies"]
    assert of("FROM") == [f"python:{PYTHON}-slim-bookworm"]


def test_conda_gives_the_system_and_pip_the_tested_packages():
    conda = yaml.safe_load((ENV / "conda.yaml").read_text("utf-8"))
    packages = [each for each in conda["dependencies"] if isinstance(each, str)]
    names = {re.split(r"[=<>]", package)[0] for package in packages}
    assert {"git", "ffmpeg", "fluidsynth"} <= names
    # CUDA or frameworks of conda beside pip's are what the doctor warns of.
    assert not {name for name in names if re.search(r"cuda|cudnn|torch|tensorflow", name)}
    (pip,) = [each["pip"] for each in conda["dependencies"] if isinstance(each, dict)]
    assert (ENV / pip[0].removeprefix("-c ")).resolve() == (ENV / "tested.txt").resolve()
    editable = re.fullmatch(r"-e (\S+)\[(\w+)\]", pip[1])
    assert editable is not None
    assert (ENV / editable[1]).resolve() == ROOT
    assert editable[2] in EXTRAS


@pytest.mark.parametrize("command", of("RUN"), ids=lambda command: command[:40])
def test_every_command_of_the_image_is_accepted_by_the_shell(command):
    shell = re.sub(r"^(--mount=\S+\s+)+", "", command)
    done = subprocess.run(["bash", "-n"], input=shell, text=True, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_image_installs_the_project_with_the_constraints():
    (install,) = [command for command in of("RUN") if "pip install" in command]
    assert '-e "/opt/lab[$EXTRAS]"' in install
    assert "-c /opt/lab/env/tested.txt" in install
    assert "EXTRAS=all" in of("ARG")
    assert "all" in EXTRAS


def test_the_image_has_the_system_libraries_and_cleans_up_after_apt():
    (apt,) = [command for command in of("RUN") if "apt-get" in command]
    assert {"ffmpeg", "git", "libfluidsynth3"} <= set(apt.split())
    assert "--no-install-recommends" in apt
    assert "rm -rf /var/lib/apt/lists/*" in apt


def test_the_image_asks_for_the_hosts_driver_and_has_no_cuda_of_its_own():
    environment = " ".join(of("ENV"))
    assert "NVIDIA_VISIBLE_DEVICES=all" in environment
    assert "compute,utility" in environment
    assert "cuda" not in of("FROM")[0]


def test_the_image_does_not_run_as_root():
    order = [word for word, _ in instructions()]
    assert of("USER") == ["lab"]
    assert order.index("USER") < order.index("ENTRYPOINT")
    assert any("useradd" in command and " lab" in command for command in of("RUN"))


def test_what_the_install_reads_is_sent_to_the_builder():
    ignored = (DOCKERFILE.parent / "Dockerfile.dockerignore").read_text("utf-8").splitlines()
    needed = ["pyproject.toml", "README.md", "LICENSE", "labcore", "plugins", "configs", "env"]
    assert not set(needed) & set(ignored)
    assert all((ROOT / name).exists() for name in needed)
    assert ".git" in ignored


def test_the_devcontainer_is_the_image_with_the_developers_extras():
    made = devcontainer()
    folder = ROOT / ".devcontainer"
    assert (folder / made["build"]["dockerfile"]).resolve() == DOCKERFILE
    assert (folder / made["build"]["context"]).resolve() == ROOT
    extras = made["build"]["args"]["EXTRAS"]
    assert set(extras.split(",")) <= set(EXTRAS)
    assert f"[{extras}]" in made["postCreateCommand"]
    assert "-c env/tested.txt" in made["postCreateCommand"]
    assert made["remoteUser"] == of("USER")[0]
    interpreter = made["customizations"]["vscode"]["settings"]["python.defaultInterpreterPath"]
    assert f"VIRTUAL_ENV={Path(interpreter).parents[1]}" in " ".join(of("ENV"))


def test_the_devcontainer_takes_a_gpu_when_there_is_one_and_shares_memory():
    made = devcontainer()
    assert made["hostRequirements"] == {"gpu": "optional"}
    assert "--ipc=host" in made["runArgs"]
    # With --gpus the container would not start on a machine that has none.
    assert not [argument for argument in made["runArgs"] if "gpus" in argument]


def test_the_tour_names_files_that_exist():
    text = (ENV / "README.md").read_text("utf-8")
    for name in re.findall(r"^\| `([^`*]+)` \|", text, re.MULTILINE):
        assert (ENV / name).exists(), name
    assert "uv pip compile pyproject.toml" in text
