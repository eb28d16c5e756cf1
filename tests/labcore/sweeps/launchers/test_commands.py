"""``lab sweep --launcher`` as it is typed."""

import importlib.util
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from labcore.cli.main import cli
from labcore.errors import RequirementError, UsageError
from tests.labcore.sweeps.sweeping import SWEEP, begin, environment

pytestmark = pytest.mark.ml
pytest.importorskip("optuna", reason="the study is Optuna's")

ROOT = Path(__file__).parents[4]
MUSICVAE = ROOT / "configs" / "sweeps" / "musicvae.json"


@pytest.fixture
def lab(toy, tmp_path, monkeypatch):
    """Types a command here; errors for people come out as they are raised."""
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))
    (tmp_path / "toy.json").write_text(json.dumps(SWEEP))

    def type_command(*words):
        return CliRunner().invoke(cli, ["sweep", *words], catch_exceptions=False)

    return type_command


@pytest.fixture
def submitit():
    pytest.importorskip("submitit", reason='it writes the file: pip install -e ".[slurm]"')


def test_a_dry_run_for_slurm_prints_the_file_and_leaves_nothing(lab, submitit, tmp_path):
    result = lab(
        *("toy.json", "threads=6", "--launcher", "slurm", "--name", "night"),
        *("--slurm", "partition=gpu", "--slurm", "time=2:00:00", "--dry-run"),
    )
    assert result.exit_code == 0
    assert "trials run on     Slurm partition=gpu time=2:00:00" in result.output
    assert "#SBATCH --partition=gpu\n" in result.output
    assert "#SBATCH --time=120\n" in result.output
    assert "#SBATCH --cpus-per-task=6\n" in result.output
    assert "#SBATCH --job-name=night-0000\n" in result.output
    assert result.output.endswith("Nothing was started: this is a dry run.\n")
    assert not (tmp_path / "sweeps").exists()


def test_the_page_shows_what_a_dry_run_for_slurm_prints(submitit, monkeypatch):
    monkeypatch.chdir(ROOT)
    page = (ROOT / "docs" / "sweeps.md").read_text(encoding="utf-8")
    command = re.search(r"^lab (sweep .* --launcher slurm .* --dry-run)$", page, re.MULTILINE)
    result = CliRunner().invoke(cli, shlex.split(command[1]), catch_exceptions=False)
    shown = re.findall(r"^#SBATCH .*$", page[command.end() :], re.MULTILINE)
    assert len(shown) == 5
    assert set(shown) <= set(result.output.splitlines())
    assert "#!/bin/bash" in result.output


def test_a_dry_run_says_where_trials_would_run(lab, monkeypatch):
    found = importlib.util.find_spec
    seems = {"ray": "here"}
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: seems.get(name) or found(name))
    monkeypatch.setattr("labcore.sweeps.launchers.choose.check_reachable", lambda address: None)
    assert "trials run on     this machine" in lab("toy.json", "--dry-run").output
    on_ray = lab("toy.json", "--launcher", "ray", "--agents", "2", "--dry-run").output
    assert "trials run on     Ray, on this machine" in on_ray
    on_cluster = lab(
        "toy.json", "--launcher", "ray", "--ray-address", "head:6379", "--dry-run"
    ).output
    assert "trials run on     Ray at head:6379" in on_cluster
    assert "at once           one for each GPU of the cluster" in on_cluster


def test_wrong_keys_are_told_with_the_right_ones_and_start_nothing(lab, tmp_path):
    with pytest.raises(UsageError) as error:
        lab("toy.json", "--launcher", "slurm", "--slurm", "partion=a", "--slurm", "time=x")
    assert "did you mean partition?" in str(error.value)
    assert len(error.value.problems) == 2
    assert not (tmp_path / "sweeps").exists()


def test_wandb_leads_no_other_machines_trials(lab):
    with pytest.raises(UsageError, match="--launcher ray is for sweeps that this machine leads"):
        lab("toy.json", "--launcher", "ray", "--engine", "wandb", "--dry-run")


def test_a_sweep_does_not_change_its_launcher(lab, tmp_path):
    begin(tmp_path, SWEEP, name="mine")
    with pytest.raises(UsageError, match="--launcher cannot change while sweep mine goes on"):
        lab("--resume", "mine", "--launcher", "slurm")


def test_a_queue_may_be_asked_for_something_else_when_a_sweep_goes_on(
    lab, submitit, tmp_path, monkeypatch
):
    folder = begin(tmp_path, SWEEP, name="mine", launcher="slurm", slurm=("partition=a",))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RequirementError, match="needs Slurm's commands"):
        lab("--resume", "mine", "--slurm", "partition=b", "--slurm", "time=9")
    assert folder.settings().slurm == ("partition=a",)  # nothing was started
    monkeypatch.undo()


def test_a_preset_that_was_chosen_by_this_machine_is_pointed_out(tmp_path, monkeypatch):
    pytest.importorskip("submitit", reason='it writes the file: pip install -e ".[slurm]"')
    monkeypatch.chdir(tmp_path)
    content = json.loads(MUSICVAE.read_text())
    del content["command"]  # which says preset=laptop
    (tmp_path / "musicvae.json").write_text(json.dumps(content))
    words = ["sweep", "musicvae.json", "--launcher", "slurm", "--dry-run"]
    result = CliRunner().invoke(cli, words, catch_exceptions=False)
    assert "was chosen by what this machine has" in result.stderr
    result = CliRunner().invoke(cli, [*words, "preset=paper"], catch_exceptions=False)
    assert "was chosen" not in result.stderr
    words[1] = str(MUSICVAE)
    result = CliRunner().invoke(cli, words, catch_exceptions=False)
    assert "was chosen" not in result.stderr


def test_a_sweep_runs_as_jobs_from_the_command_line(lab, submitit, tmp_path):
    words = ("toy.json", "hooks=none", "device=cpu", "--name", "s", "--count", "2", "--agents", "2")
    there = ("--launcher", "slurm", "--slurm", "executor=local", "--slurm", "time=10")
    done = subprocess.run(
        [sys.executable, "-m", "labcore", "sweep", *words, *there],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment(tmp_path),
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "2 trials, 2 at once as jobs of Slurm" in done.stdout
    assert "sweep s finished" in done.stdout
    assert sorted(path.name for path in (tmp_path / "runs" / "toy").iterdir()) == [
        "s-0000",
        "s-0001",
    ]
