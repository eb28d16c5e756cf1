"""The lab from Python: a run is started, waited for and read; what ends it is raised."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import labcore
from labcore import Interrupted, RequirementError, RunFailed, UsageError
from labcore.record.failure import error_left, leave_error

PLUGIN = """
import time

def work(run):
    run.say("hello from the run")
    if run.config.amount == 13:
        raise RunFailed("thirteen", fix="take twelve")
    if run.config.amount == 99:
        (run.folder.parent / "waits").touch()
        while not run.stop:
            time.sleep(0.01)
    for step in (1, 2, 3):
        run.log_metrics({"loss": 1 / step}, step=step)
    run.log_metrics({"loss": float("nan")}, step=4)
    run.log_metrics({"loss": 0.5}, step=2, phase="val")
    for suffix in ("txt", "md"):
        path = run.artifact_path(f"note.{suffix}")
        path.write_text("x")
        run.add_artifact(path, kind="text", title="a note", section="Notes")
    return {"amount": run.config.amount}
"""


@pytest.fixture
def here(write_plugin, tmp_path, monkeypatch):
    write_plugin("toy", PLUGIN)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_run_from_python_is_a_run_with_its_config_metrics_and_artifacts(here, capsys):
    np = pytest.importorskip("numpy")
    run = labcore.run("toy", ["amount=2"], seed=3, name="first")
    assert "hello from the run" in capsys.readouterr().out
    assert run.id.startswith("toy/")
    assert run.id.endswith("-first")
    assert run.state == "finished"
    assert (run.config.amount, run.config.seed) == (2, 3)
    loss = run.metrics["train/loss"]
    assert loss.steps.tolist() == [1, 2, 3, 4]
    assert np.isnan(loss.values[-1])
    assert run.metrics["val/loss"].last == 0.5
    assert run.figures == {"val/loss": 0.5, "result/amount": 2.0}
    assert set(run.artifacts) == {"Notes/a note.txt", "Notes/a note.md"}
    assert all(path.read_text() == "x" for path in run.artifacts.values())
    assert "a note" in run.report.read_text()
    (again,) = labcore.runs("toy", where={"seed": 3, "state": "finished"})
    assert again.folder == run.folder
    assert labcore.runs(where={"seed": 4}) == []
    assert repr(run) == f"<run {run.id}: finished>"


def test_dotted_options_and_typed_values_reach_the_run(here):
    run = labcore.run("toy", {"amount": 7, "device.share": True}, taps={})
    assert (run.config.amount, run.config.device.share) == (7, True)


def test_a_metric_that_is_not_there_gets_the_nearest_name(here):
    run = labcore.run("toy")
    with pytest.raises(KeyError, match="did you mean val/loss"):
        run.metrics["val/los"]
    assert "val/los" not in run.metrics
    assert run.metrics.get("val/los") is None


def test_metrics_are_lists_without_numpy_and_a_frame_needs_pandas(here, monkeypatch):
    run = labcore.run("toy")
    monkeypatch.setitem(sys.modules, "numpy", None)
    assert run.metrics["val/loss"].values == [0.5]
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(RequirementError, match="pip install pandas"):
        run.metrics.to_pandas()


def test_metrics_are_a_frame_with_pandas(here):
    pytest.importorskip("pandas")
    frame = labcore.run("toy").metrics.to_pandas()
    assert frame.index.name == "step"
    assert frame.loc[2, "val/loss"] == 0.5
    assert list(frame["train/loss"].dropna()) == [1, 0.5, 1 / 3]


@pytest.mark.parametrize(
    ("options", "kind", "words"),
    [
        ({"amount": 13}, RunFailed, ["thirteen", "take twelve"]),
        ({"amuont": 1, "seed": "x"}, UsageError, ["did you mean amount?", "seed=x"]),
        ({"device": "cuda:GPU-none"}, UsageError, ["GPU-none"]),
    ],
)
def test_what_ended_the_run_is_raised_and_not_printed(here, capsys, options, kind, words):
    with pytest.raises(kind) as raised:
        labcore.run("toy", **options)
    for word in words:
        assert word in str(raised.value)
    assert "error:" not in capsys.readouterr().out


def test_a_flag_of_the_command_line_is_refused(here):
    with pytest.raises(UsageError, match="--help is for the command line"):
        labcore.run("toy", ["--help"])


def test_a_config_is_plain_when_its_plugin_is_gone(here, monkeypatch):
    run = labcore.run("toy", amount=5)
    monkeypatch.delenv("LAB_PLUGINS")
    (found,) = labcore.runs()
    assert found.config["amount"] == 5
    assert found.metrics["val/loss"].last == 0.5
    with pytest.raises(UsageError, match="there is no plugin 'toy'"):
        run.load_model()


def test_a_plugin_that_says_nothing_of_its_models_is_named(here):
    with pytest.raises(UsageError, match="toy does not say how its models are loaded"):
        labcore.run("toy").load_model()


def test_ctrl_c_is_passed_on_once_and_the_run_ends_well(here):
    def press() -> None:
        deadline = time.monotonic() + 60
        while not (here / "runs" / "toy" / "waits").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=press)
    thread.start()
    with pytest.raises(Interrupted) as raised:
        labcore.run("toy", amount=99)
    thread.join()
    assert raised.value.signal_number == signal.SIGINT
    assert "lab resume" in str(raised.value)
    assert signal.getsignal(signal.SIGINT) is before
    assert [run.state for run in labcore.runs()] == ["interrupted"]


def test_a_run_that_is_killed_says_by_what(here, write_plugin):
    write_plugin("dead", "def work(run):\n    import os\n    os.kill(os.getpid(), 9)\n")
    with pytest.raises(RunFailed, match="ended by signal 9"):
        labcore.run("dead")
    assert [run.state for run in labcore.runs("dead")] == ["lost"]


def test_importing_the_core_is_cheap_and_its_run_is_both_a_call_and_a_package():
    code = (
        "import sys, labcore\n"
        "assert not {'labcore.api', 'labcore.run', 'omegaconf', 'numpy'} & set(sys.modules)\n"
        "assert {'run', 'runs'} <= set(dir(labcore))\n"
        "from labcore.run import Run\n"
        "assert callable(labcore.run) and labcore.run.Run is Run\n"
        "labcore.run.run; labcore.runs\n"
        "assert not {'torch', 'pandas', 'numpy', 'tensorflow'} & set(sys.modules)\n"
        "try: labcore.nothing\n"
        "except AttributeError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "module 'labcore' has no attribute 'nothing'\n"


@pytest.mark.parametrize(
    "error",
    [
        UsageError("wrong", problems=["a", "b"], fix="right"),
        RequirementError("missing", fix="install it"),
        RunFailed("failed"),
        Interrupted(15),
    ],
)
def test_an_error_comes_back_as_it_was_left(tmp_path: Path, error):
    leave_error(tmp_path / "error.json", error)
    back = error_left(tmp_path / "error.json")
    assert type(back) is type(error)
    assert str(back) == str(error)
    assert back.exit_code == error.exit_code


def test_an_error_of_a_kind_of_its_own_is_a_failure_and_none_is_none(tmp_path):
    class Odd(labcore.LabError):
        pass

    leave_error(tmp_path / "error.json", Odd("odd", fix="even"))
    assert str(error_left(tmp_path / "error.json")) == "odd\n  fix: even"
    assert error_left(tmp_path / "none.json") is None
