"""The plugin of docs/write-a-plugin.md: what under 40 lines get from the core."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("lightning_fabric")

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "examples"
TRAIN = (
    "run",
    "plugin=parity",
    "device=cpu",
    "threads=1",
    "train.max_steps=400",
    "train.checkpoint_every=25",
    "train.log_every=5",
    "train.validate_every=100",
)

pytestmark = [pytest.mark.e2e, pytest.mark.ml]


def _environment(module: str) -> dict[str, str]:
    return {
        **os.environ,
        "LAB_PLUGINS": f"parity={module}:plugin",
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(EXAMPLES)]),
    }


def lab(
    folder: Path, *words: str, module: str = "parity", expect: int = 0
) -> subprocess.CompletedProcess[str]:
    folder.mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-m", "labcore", *words],
        cwd=folder,
        env=_environment(module),
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == expect, done.stdout + done.stderr
    return done


def kill_at(folder: Path, step: int, *words: str, module: str) -> None:
    """Starts a run and sends it SIGKILL once its metrics have come to ``step``."""
    folder.mkdir(exist_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-m", "labcore", *words],
        cwd=folder,
        env=_environment(module),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 240
    while _last_step(folder) < step:
        assert process.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline, "the run did not start to train"
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    assert process.wait(timeout=30) == -signal.SIGKILL


def _last_step(folder: Path) -> int:
    return max((row["step"] for row in numbers(folder)), default=0)


def numbers(folder: Path) -> list[dict]:
    """The training and validation records of the one run in a folder, without their times."""
    rows = []
    for path in folder.glob("runs/parity/*/metrics.jsonl"):
        for line in path.read_text().splitlines(keepends=True):
            if line.endswith("\n"):
                row = json.loads(line)
                row.pop("time")
                rows.append(row)
    return [row for row in rows if row["phase"] in {"train", "val"}]


def only_run(folder: Path) -> Path:
    (run,) = (folder / "runs" / "parity").iterdir()
    return run


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    """A folder in which the plugin with its own hook has been trained without a break."""
    folder = tmp_path_factory.mktemp("unbroken")
    lab(folder, *TRAIN, "+hooks.solved={below: 0.3}", module="solved")
    return folder


def test_the_plugin_has_fewer_than_40_lines():
    assert len((EXAMPLES / "parity.py").read_text().splitlines()) < 40


def test_its_docstrings_are_its_help_and_it_is_listed(tmp_path):
    assert "Bits of an input. [integer]" in lab(tmp_path, "run", "plugin=parity", "--help").stdout
    assert "parity" in lab(tmp_path, "list").stdout


def test_every_wrong_option_is_reported_at_once_with_the_nearest_right_one(tmp_path):
    done = lab(tmp_path, "run", "plugin=parity", "bit=4", "train.max_step=5", "seed=x", expect=2)
    assert "there is no option 'bit'; did you mean bits?" in done.stderr
    assert "there is no option 'train.max_step'; did you mean train.max_steps?" in done.stderr
    assert "seed=x: expected integer, got text" in done.stderr
    assert not (tmp_path / "runs").exists()


def test_it_learns_and_leaves_metrics_weights_and_a_report(unbroken):
    run = only_run(unbroken)
    losses = [row["values"]["loss"] for row in numbers(unbroken) if row["phase"] == "val"]
    assert len(losses) == 4
    assert losses[-1] < 0.5 * losses[0]
    assert (run / "weights" / "model.safetensors").stat().st_size > 1000
    page = (run / "report.html").read_text()
    assert "train.max_steps" in page
    assert "<svg" in page
    assert "max_steps: 400" in (run / "config.yaml").read_text()


def test_every_file_of_its_run_folder_is_documented(unbroken):
    page = (ROOT / "docs" / "how-a-run-lives.md").read_text(encoding="utf-8")
    found = {path.name for path in only_run(unbroken).iterdir() if not path.name.startswith(".")}
    documented = {name.split("/")[0] for name in re.findall(r"^\| `([^`]+)`", page, re.MULTILINE)}
    assert found <= documented


def test_a_notebook_reads_its_numbers_as_the_page_says(unbroken):
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "read_run.py"), "parity"],
        cwd=unbroken,
        env=_environment("parity"),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    first, *shown = done.stdout.splitlines()
    assert first == f"parity/{only_run(unbroken).name} finished"
    recorded = [row for row in numbers(unbroken) if row["phase"] == "val"]
    assert shown == [str({"step": row["step"], **row["values"]}) for row in recorded]


def test_its_own_hook_watches_the_run(unbroken):
    log = (only_run(unbroken) / "log.txt").read_text()
    assert log.count("solved at step") == 1


def test_killed_in_mid_training_and_resumed_it_ends_with_the_numbers_of_an_unbroken_run(
    tmp_path, unbroken
):
    kill_at(tmp_path, 110, *TRAIN, "+hooks.solved={below: 0.3}", module="solved")
    assert "lost" in lab(tmp_path, "runs", module="solved").stdout
    lab(tmp_path, "resume", "latest", module="solved")
    assert numbers(tmp_path) == numbers(unbroken)
    run = only_run(tmp_path)
    status = json.loads((run / "status.json").read_text())
    assert (status["state"], status["resumes"]) == ("finished", 1)
    assert (run / "report.html").exists()
    ours, theirs = (
        (place / "weights" / "model.safetensors").read_bytes()
        for place in (run, only_run(unbroken))
    )
    assert ours == theirs


def test_a_recipe_is_typed_as_the_page_says(tmp_path: Path) -> None:
    groups = 'optimizer.groups={"0.*": {lr_scale: 0.1}, "*.bias": {weight_decay: 0}}'
    schedule = ("schedule.name=cosine", "schedule.warmup_steps=5")
    epochs = ("train.max_steps=0", "train.max_epochs=3", "train.validate_every=0")
    done = lab(tmp_path, *TRAIN, groups, *schedule, *epochs, module="recipe")
    assert "trained to step 12" in done.stdout + done.stderr
