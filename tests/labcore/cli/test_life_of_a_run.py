"""Whole runs of tiny plugins through the command line, in processes of their own."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from labcore.record.status import read_status


@pytest.fixture
def lab(tmp_path):
    """Types a command in an empty folder."""

    def type_command(*words, **options):
        return subprocess.run(
            [sys.executable, "-m", "labcore", *words],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            timeout=120,
            check=False,
            **options,
        )

    monkey_path = os.pathsep.join([str(tmp_path), str(Path(__file__).parents[3])])
    os.environ["PYTHONPATH"] = monkey_path
    return type_command


def only_run(tmp_path, plugin="toy") -> Path:
    (folder,) = (tmp_path / "runs" / plugin).iterdir()
    return folder


def test_a_finished_run_leaves_everything_in_its_folder(write_plugin, lab, tmp_path):
    write_plugin(
        "toy",
        """
        def work(run):
            run.say("hello from the task")
            with run.progress("counting", 3) as progress:
                for _ in range(3):
                    progress.advance()
            run.log_metrics({"loss": 0.5}, step=7, phase="val")
            path = run.artifact_path("notes/answer.txt")
            path.write_text("42")
            run.add_artifact(path, kind="text", title="The answer", section="Notes")
            return {"score": run.config.amount * 2}
        """,
    )
    done = lab("run", "plugin=toy", "amount=21", "name=first")
    assert done.returncode == 0, done.stderr
    folder = only_run(tmp_path)
    assert folder.name.endswith("-first")
    status = read_status(folder)
    assert status.state == "finished"
    assert status.metrics == {"val/loss": 0.5, "result/score": 42.0}
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert {line["phase"] for line in lines} >= {"val", "result"}
    assert "amount: 21" in (folder / "config.yaml").read_text()
    assert json.loads((folder / "origins.json").read_text())["amount"] == "command line"
    environment = json.loads((folder / "environment.json").read_text())
    assert "amount=21" in json.dumps(environment)
    page = (folder / "report.html").read_text()
    assert "The answer" in page
    assert "hello from the task" in (folder / "log.txt").read_text()
    assert "hello from the task" in done.stdout + done.stderr
    listing = lab("runs")
    assert "finished" in listing.stdout
    assert folder.name in listing.stdout
    row = json.loads(lab("runs", "--json").stdout)[0]
    assert Path(row["folder"]).name == folder.name


def test_a_failure_is_one_message_with_the_traceback_in_a_file(write_plugin, lab, tmp_path):
    write_plugin("toy", "def work(run): raise KeyError('nothing here')")
    done = lab("run", "plugin=toy")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "KeyError: 'nothing here'" in done.stderr
    folder = only_run(tmp_path)
    assert "traceback.txt" in done.stderr
    assert (
        "def work" in (folder / "traceback.txt").read_text()
        or "work" in (folder / "traceback.txt").read_text()
    )
    assert read_status(folder).state == "failed"
    assert "nothing here" in (folder / "report.html").read_text()


@pytest.mark.parametrize(
    ("raised", "says", "code"),
    [
        ("RequirementError('no data', fix='fetch it')", "fix: fetch it", 3),
        ("OSError(28, 'No space left on device')", "the disk is full", 1),
        ("MemoryError()", "lower batch_size", 1),
        ("PermissionError(13, 'Permission denied', '/x/y')", "/x/y cannot be written", 1),
    ],
)
def test_known_failures_say_what_to_do(write_plugin, lab, raised, says, code):
    write_plugin("toy", f"def work(run): raise {raised}")
    done = lab("run", "plugin=toy")
    assert done.returncode == code
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_no_plugin_and_an_unknown_one_are_answered_with_the_names(write_plugin, lab, tmp_path):
    write_plugin("toy", "def work(run): pass")
    none = lab("run")
    assert none.returncode == 2
    assert "toy" in none.stderr
    wrong = lab("run", "plugin=toyy")
    assert wrong.returncode == 2
    assert "toy" in wrong.stderr
    assert not (tmp_path / "runs").exists()


def test_a_missing_package_is_a_requirement(write_plugin, lab, tmp_path):
    write_plugin(
        "needy",
        """
        plugin = Plugin(
            name="needy", summary="", config=Config,
            tasks=(Task(name="work", summary="", run="x:y"),),
            requires=Requires(packages=("no-such-package-anywhere>=3",)),
        )
        """,
    )
    done = lab("run", "plugin=needy")
    assert done.returncode == 3
    assert "no-such-package-anywhere is not installed" in done.stderr
    assert 'fix: pip install "no-such-package-anywhere>=3"' in done.stderr
    assert not (tmp_path / "runs").exists()
    assert "needs" in lab("list").stdout


def test_a_runs_folder_that_cannot_be_written_is_a_requirement(write_plugin, lab, tmp_path):
    write_plugin("toy", "def work(run): pass")
    (tmp_path / "runs").write_text("a file in the way")
    done = lab("run", "plugin=toy")
    assert done.returncode == 3
    assert "runs_dir=" in done.stderr


def test_a_signal_leaves_an_interrupted_run_and_its_exit_code(write_plugin, lab, tmp_path):
    write_plugin(
        "toy",
        """
        import time, pathlib
        def work(run):
            (run.folder / "ready").touch()
            time.sleep(60)
        """,
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "labcore", "run", "plugin=toy"],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("runs/toy/*/ready")) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 143
    assert "lab resume" in stderr
    assert read_status(only_run(tmp_path)).state == "interrupted"


def test_fifty_times_ctrl_c_is_one_interruption_with_no_traceback(write_plugin, lab, tmp_path):
    write_plugin(
        "toy",
        """
        import time
        def work(run):
            (run.folder / "ready").touch()
            time.sleep(60)
        """,
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "labcore", "run", "plugin=toy", "runs_dir=elsewhere"],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("elsewhere/toy/*/ready")) and time.monotonic() < deadline:
        time.sleep(0.02)
    for _ in range(50):
        process.send_signal(signal.SIGINT)
        time.sleep(0.002)
    _, stderr = process.communicate(timeout=30)
    (folder,) = (tmp_path / "elsewhere/toy").iterdir()
    assert process.returncode == 130, stderr
    assert "Traceback" not in stderr
    # The command that goes on with it finds it, wherever it is.
    assert f"start over in its folder: lab resume elsewhere/toy/{folder.name}" in stderr
    assert read_status(folder).state == "interrupted"
    assert (folder / "report.html").exists()


@pytest.mark.parametrize(
    ("code", "state", "returned"), [("0", "finished", 0), ("3", "failed", 1), ("'no'", "failed", 1)]
)
def test_a_task_that_ends_its_process_ends_the_run(
    write_plugin, lab, tmp_path, code, state, returned
):
    write_plugin("toy", f"import sys\ndef work(run): sys.exit({code})\n")
    done = lab("run", "plugin=toy")
    assert done.returncode == returned
    assert read_status(only_run(tmp_path)).state == state
    assert (only_run(tmp_path) / "report.html").exists()
    assert (f"sys.exit({code})" in done.stderr) == (state == "failed")


def test_what_a_killed_writer_left_is_gone_when_the_run_goes_on(write_plugin, lab, tmp_path):
    write_plugin(
        "toy",
        """
        import os
        def work(run):
            if not run.resuming:
                (run.artifact_path("x").parent / ".manifest.json.ab12cd_9").touch()
                (run.folder / ".keep").touch()
                os._exit(9)
        """,
    )
    lab("run", "plugin=toy")
    assert lab("resume", "latest").returncode == 0
    left = {path.name for path in only_run(tmp_path).rglob(".*")}
    assert ".keep" in left
    assert ".manifest.json.ab12cd_9" not in left
    record = json.loads((only_run(tmp_path) / "environment.json").read_text())
    assert record["command"] == "lab run plugin=toy"
    assert record["commands"] == ["lab run plugin=toy", f"lab resume toy/{only_run(tmp_path).name}"]


def test_a_killed_run_shows_as_lost_and_can_be_resumed_in_its_folder(write_plugin, lab, tmp_path):
    write_plugin(
        "toy",
        """
        import os, signal
        def work(run):
            if not run.resuming:
                os.kill(os.getpid(), signal.SIGKILL)
            return {"resumed": 1.0}
        """,
    )
    assert lab("run", "plugin=toy", "amount=5").returncode == -9
    folder = only_run(tmp_path)
    assert read_status(folder).observed_state() == "lost"
    assert "lost" in lab("runs").stdout
    done = lab("resume", "latest")
    assert done.returncode == 0, done.stderr
    assert only_run(tmp_path) == folder
    status = read_status(folder)
    assert (status.state, status.resumes) == ("finished", 1)
    again = lab("resume", folder.name)
    assert again.returncode == 2
    assert "has finished" in again.stderr


def test_show_prints_the_declaration_and_unknown_names_get_the_nearest(write_plugin, lab):
    write_plugin("toy", "def work(run): pass")
    shown = lab("show", "toy")
    assert shown.returncode == 0
    assert "Works." in shown.stdout
    wrong = lab("show", "tyo")
    assert wrong.returncode == 2
    assert "did you mean toy?" in wrong.stderr
    command = lab("rnu")
    assert command.returncode == 2
    assert "did you mean run" in command.stderr


def test_a_broken_plugin_is_a_row_of_the_list_and_json_says_the_same(write_plugin, lab):
    write_plugin("toy", "plugin = 1 / 0")
    listed = lab("list")
    assert listed.returncode == 0
    assert "broken" in listed.stdout
    assert "ZeroDivisionError" in listed.stdout
    rows = {row["name"]: row for row in json.loads(lab("list", "--json").stdout)}
    assert rows["toy"]["state"] == "broken"
    assert lab("show", "toy").returncode == 1


def test_the_outcome_is_left_for_whoever_started_the_run(write_plugin, lab, tmp_path):
    write_plugin("toy", "def work(run): return {'score': 3}")
    env = {**os.environ, "LAB_RESULT_FILE": str(tmp_path / "result.json")}
    assert lab("run", "plugin=toy", env=env).returncode == 0
    result = json.loads((tmp_path / "result.json").read_text())
    assert result["metrics"] == {"result/score": 3.0}
    assert result["state"] == "finished"
