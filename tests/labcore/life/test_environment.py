"""What a run folder says of the machine, the code and the command."""

import importlib.metadata
import json
import os
import platform
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from labcore.devices import DevicePlan, Gpu, Survey
from labcore.life import environment
from labcore.life.environment import capture

CPU = DevicePlan(kind="cpu", threads=2, reason="device=cpu", env={"OMP_NUM_THREADS": "2"})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "run"
    made.mkdir()
    return made


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory: a git tree with one commit and one change."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    tree = tmp_path / "work"
    tree.mkdir()
    (tree / "a.py").write_text("one\n")
    git = ["git", "-c", "user.name=T", "-c", "user.email=t@x", "-C", str(tree)]
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        subprocess.run([*git, *arguments], check=True)
    (tree / "a.py").write_text("two\n")
    monkeypatch.chdir(tree)
    return tree


def read(folder: Path) -> dict:
    return json.loads((folder / "environment.json").read_text(encoding="utf-8"))


def test_python_machine_and_device_are_recorded(folder):
    capture(folder, ["lab", "run"], CPU)
    record = read(folder)
    assert record["python"] == platform.python_version()
    assert record["executable"] == sys.executable
    assert record["cpu"]
    assert record["usable_cores"] >= 1
    assert record["memory_gb"] > 0
    assert record["device"]["kind"] == "cpu"
    assert record["device"]["env"] == {"OMP_NUM_THREADS": "2"}


def test_the_command_line_can_be_typed_again(folder):
    argv = ["lab", "run", "plugin=musicvae", "data.folder=/my music", "name=it's"]
    capture(folder, argv, CPU)
    assert shlex.split(read(folder)["command"]) == argv


def test_every_installed_package_has_the_version_that_its_metadata_gives(folder):
    capture(folder, [], CPU)
    packages = read(folder)["packages"]
    for name in ("rich", "hydra-core", "packaging", "pluggy"):
        assert packages[name] == importlib.metadata.version(name)


def test_secrets_are_nowhere_in_the_folder(folder, monkeypatch):
    monkeypatch.setenv("WANDB_API_KEY", "hunter2")
    monkeypatch.setenv("LAB_PASSWORD", "hunter2")
    device = DevicePlan(kind="cpu", env={"LAB_TOKEN": "hunter2"})
    capture(folder, ["lab", "run", "hooks.wandb.api_key=hunter2"], device)
    for path in folder.iterdir():
        assert "hunter2" not in path.read_text(encoding="utf-8")


def test_the_working_directorys_commit_and_changes_are_recorded(folder, work):
    capture(folder, [], CPU)
    rows = {row["root"]: row for row in read(folder)["git"]}
    row = rows[str(work.resolve())]
    assert row["dirty"]
    assert row["changed"] == ["a.py"]
    assert len(row["commit"]) == 40
    assert "+two" in (folder / "git.diff").read_text(encoding="utf-8")


def test_a_tree_that_holds_several_of_the_folders_is_recorded_once(folder, work):
    (work / "sub").mkdir()
    capture(folder, [], CPU, code=[work / "sub", work])
    roots = [row["root"] for row in read(folder)["git"]]
    assert roots.count(str(work.resolve())) == 1


def test_code_in_site_packages_is_not_credited_to_the_tree_around_it(folder, work, tmp_path):
    inside = work / "site-packages" / "thing"
    inside.mkdir(parents=True)
    os.chdir(tmp_path)
    capture(folder, [], CPU, code=[inside])
    assert str(work.resolve()) not in [row["root"] for row in read(folder)["git"]]


def test_without_git_the_rest_is_recorded(folder, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    capture(folder, ["lab"], CPU)
    assert read(folder)["git"] == []
    assert not (folder / "git.diff").exists()


def test_gpus_and_their_driver_are_recorded(folder, monkeypatch):
    gpu = Gpu(
        index=0,
        uuid="GPU-a",
        name="H100",
        memory_total_mib=81_559,
        memory_used_mib=3,
        compute_capability=9.0,
        driver="580.1",
    )
    monkeypatch.setattr(environment, "survey", lambda: Survey(gpus=(gpu,), driver="580.1"))
    capture(folder, [], CPU)
    record = read(folder)
    assert record["driver"] == "580.1"
    assert record["gpus"][0]["name"] == "H100"


def test_a_resumed_run_keeps_the_records_of_its_earlier_processes(folder, work):
    for number in range(3):
        capture(folder, [f"number={number}"], CPU)
    records = [
        json.loads((folder / name).read_text())
        for name in ("environment.1.json", "environment.2.json", "environment.json")
    ]
    assert [len(record["commands"]) for record in records] == [1, 2, 3]
    assert records[-1]["commands"] == ["number=0", "number=1", "number=2"]
    assert records[-1]["command"] == "number=0"  # which began it
    assert (folder / "git.1.diff").exists()
    assert (folder / "git.diff").exists()


def test_it_takes_a_fraction_of_a_second(folder, work):
    capture(folder, [], CPU)
    start = time.perf_counter()
    capture(folder, [], CPU)
    # 20 ms on two quiet cores; the bound leaves room for a machine that others use too.
    assert time.perf_counter() - start < 1.0


def test_no_framework_is_imported():
    code = (
        "import sys, labcore.life.environment; "
        "sys.exit(bool({'torch', 'tensorflow', 'numpy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
