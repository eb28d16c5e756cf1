"""``lab run -m``: a sweep of Hydra's whose jobs are runs of their own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from labcore import RequirementError, UsageError
from labcore.cli.runs.run import run

SECRET = "-".join(("hunter", "2"))
"""In two pieces, so that the diff of this file, which a run records, does not hold it."""
ROOT = Path(__file__).parents[4]
TOY = """
import time
from dataclasses import field

@dataclass(kw_only=True, slots=True)
class Train:
    monitor: str = "score"

@dataclass(kw_only=True, slots=True)
class ToyConfig(Config):
    wait_s: float = 0.0
    train: Train = field(default_factory=Train)

def work(run):
    if run.config.amount == 13:
        raise ValueError("unlucky")
    (run.folder / "begun").touch()
    time.sleep(run.config.wait_s)
    run.log_metrics({"score": run.config.amount / 2}, step=1, phase="val")

plugin = Plugin(name="toy", summary="A toy.", config=ToyConfig,
                tasks=(Task(name="work", summary="Works.", run=__name__ + ":work"),))
"""


@pytest.fixture(autouse=True)
def toy(
    write_plugin: Callable[[str, str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_plugin("toy", TOY)
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}{os.pathsep}{tmp_path}")
    monkeypatch.chdir(tmp_path)


def start(*arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "labcore", "run", "-m", "plugin=toy", "hooks=none"]
    return subprocess.Popen(
        [*command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def results(tmp_path: Path) -> list[dict[str, object]]:
    files = sorted(tmp_path.glob("runs/multirun/*/*/result.json"))
    return [json.loads(file.read_text()) for file in files]


def test_each_combination_is_a_run_and_the_worst_exit_code_is_the_sweeps(tmp_path: Path) -> None:
    process = start("amount=4,13", "taps={a.b:[stats]}", f"name='password={SECRET}'")
    printed, _ = process.communicate(timeout=120)
    assert process.returncode == 1, printed
    first, second = results(tmp_path)
    assert (first["state"], first["exit_code"], first["metric"]) == ("finished", 0, 2.0)
    assert (second["state"], second["exit_code"], second["metric"]) == ("failed", 1, None)
    folder = Path(str(first["run"]))
    assert "a.b" in (folder / "config.yaml").read_text()
    assert "amount: 4" in (folder / "config.yaml").read_text()
    assert "finished    amount=4  val/score=2" in printed
    assert "failed      amount=13" in printed
    files = [path for path in (tmp_path / "runs").rglob("*") if path.is_file()]
    assert [path for path in files if SECRET in path.read_text(errors="replace")] == []
    folders = {path.name for path in tmp_path.iterdir() if path.is_dir()}
    assert folders - {"__pycache__"} == {"runs"}


def test_ctrl_c_stops_the_running_job_and_starts_no_other(tmp_path: Path) -> None:
    process = start("amount=1,2", "wait_s=60")
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("runs/toy/*/begun")) and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    printed, _ = process.communicate(timeout=60)
    assert process.returncode == 130, printed
    (only,) = results(tmp_path)
    assert (only["state"], only["exit_code"]) == ("interrupted", 130)


def test_wrong_values_are_told_before_anything_starts(tmp_path: Path) -> None:
    arguments = ["-m", "plugin=toy", "amount=1,x", "wait_s=a,1"]
    result = CliRunner().invoke(run, arguments, standalone_mode=False)
    assert isinstance(result.exception, UsageError)
    assert len(result.exception.problems) == 2
    assert not (tmp_path / "runs").exists()


def test_several_plugins_in_one_sweep_are_refused() -> None:
    result = CliRunner().invoke(run, ["-m", "plugin=toy,musicvae"], standalone_mode=False)
    assert isinstance(result.exception, UsageError)
    assert "a command runs one plugin" in str(result.exception)


def test_a_sweep_of_a_plugin_whose_packages_are_missing_does_not_start(
    write_plugin: Callable[[str, str], str], tmp_path: Path
) -> None:
    body = TOY.replace("tasks=(", 'requires=Requires(packages=("no-such-thing",)), tasks=(')
    write_plugin("lacking", body.replace('name="toy"', 'name="lacking"'))
    result = CliRunner().invoke(run, ["-m", "plugin=lacking", "amount=1,2"], standalone_mode=False)
    assert isinstance(result.exception, RequirementError)
    assert "no-such-thing is not installed" in str(result.exception)
    assert not (tmp_path / "runs").exists()
