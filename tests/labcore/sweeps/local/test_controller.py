"""Whole sweeps of a tiny plugin: their ends, their failures, and what comes after a kill."""

import json
import os
import signal
import subprocess
import sys
import threading

import pytest

from labcore.record.status import read_status
from labcore.sweeps.folder import SweepFolder
from labcore.sweeps.local.store import TrialStore
from tests.labcore.sweeps.sweeping import (
    PLUGIN,
    SWEEP,
    Heard,
    begin,
    environment,
    go,
    wait_until,
)

pytestmark = [
    pytest.mark.ml,
    pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's"),
]
pytest.importorskip("optuna", reason="the study is Optuna's")


@pytest.fixture(autouse=True)
def toy(write_plugin, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_plugin("toy", PLUGIN)


def steps_of(record):
    lines = (record.folder / "metrics.jsonl").read_text().splitlines()
    return [json.loads(line)["step"] for line in lines]


def test_a_sweep_runs_each_of_its_trials_once_and_writes_up_the_best(tmp_path):
    folder = begin(tmp_path, SWEEP, agents=2)
    heard = Heard()
    ended, records = go(folder, heard)
    assert (ended.state, ended.exit_code) == ("finished", 0)
    assert [record.outcome for record in records] == ["completed"] * 4
    for record in records:
        assert record.history == [(record.values["x"] - 0.3) ** 2 + 1 / s for s in (1, 2, 3, 4)]
        assert record.folder.name == f"s-{record.number:04}"
        status = read_status(record.folder)
        assert (status.state, status.sweep, status.trial) == ("finished", "s", record.number)
        assert heard.kinds(record.number) == ["started", "ended"]
    best = min(records, key=lambda record: record.value)
    assert f"trial: {best.number}" in folder.best_file.read_text()
    page = (folder.path / "report.html").read_text()
    assert f"+best={folder.path}" in page
    assert "lab sweep --resume" not in page  # it is finished: there is nothing to go on with
    status = folder.status()
    assert status.state == "finished"
    assert status.counts == {"completed": 4}
    assert status.best == {"trial": best.number, "value": best.value}
    assert heard.snapshots[-1].best.number == best.number


def test_two_sweeps_with_one_seed_have_the_same_trials(tmp_path):
    one, other = (go(begin(tmp_path, SWEEP, name=name, seed=5))[1] for name in ("one", "other"))
    assert [record.values for record in one] == [record.values for record in other]


def test_a_grid_ends_with_its_last_point(tmp_path):
    content = {**SWEEP, "method": "grid", "parameters": {"word": {"values": ["a", "b,c", "null"]}}}
    del content["run_cap"]
    _, records = go(begin(tmp_path, content))
    assert [record.values["word"] for record in records] == ["a", "b,c", "null"]
    text = (records[2].folder / "config.yaml").read_text()
    assert "word: 'null'" in text


def test_the_target_ends_the_sweep(tmp_path):
    content = {**SWEEP, "metric": {**SWEEP["metric"], "target": 5.0}}
    ended, records = go(begin(tmp_path, content))
    assert ended.state == "finished"
    assert "reached the target" in ended.message
    assert len(records) == 1


def test_a_trial_that_is_worse_is_stopped_and_keeps_its_checkpoint(tmp_path):
    content = {
        **SWEEP,
        "method": "grid",
        "parameters": {"x": {"values": [0.3, 0.3, 0.9]}},
        "early_terminate": {"type": "hyperband", "min_iter": 2},
    }
    content["parameters"] = {"x": {"values": [0.3, 0.31, 0.9]}}
    _, records = go(begin(tmp_path, content, "steps=40", "pause_s=0.05"))
    last = records[2]
    assert last.outcome == "stopped early"
    assert "hyperband" in last.reason
    assert 2 <= len(last.history) < 40
    assert (last.folder / "checkpoints" / "state.pt").exists()
    assert read_status(last.folder).state == "interrupted"


def test_a_metric_that_is_not_finite_ends_its_trial_and_not_the_sweep(tmp_path):
    folder = begin(tmp_path, SWEEP, "act=nan", "at=1", "steps=40", "pause_s=0.02")
    ended, records = go(folder)
    assert ended.state == "finished"
    assert [record.outcome for record in records].count("diverged") == 1
    assert records[1].outcome == "diverged"
    assert len(records[1].history) < 40


def test_a_trial_that_fails_once_is_tried_anew_in_another_folder(tmp_path):
    folder = begin(tmp_path, SWEEP, "act='fail once'", "at=0")
    heard = Heard()
    _, records = go(folder, heard)
    assert [record.outcome for record in records] == ["completed"] * 4
    assert records[0].folder.name == "s-0000-2"
    assert heard.kinds(0) == ["started", "again", "started", "ended"]


def test_a_trial_that_keeps_failing_is_recorded_and_the_sweep_goes_on(tmp_path):
    ended, records = go(begin(tmp_path, SWEEP, "act=fail", "at=1", retries=1))
    assert ended.state == "finished"
    assert records[1].outcome == "failed"
    assert "it fails" in records[1].reason
    assert records[1].failures == 2
    assert [record.outcome for record in records].count("completed") == 3


def test_a_sweep_of_which_everything_fails_gives_up_with_the_first_error(tmp_path):
    folder = begin(tmp_path, {**SWEEP, "run_cap": 50}, "act=fail", retries=0)
    ended, records = go(folder, patience=3)
    assert (ended.state, ended.exit_code) == ("failed", 1)
    assert "3 trials in a row failed; trial 0: RuntimeError: it fails" in ended.message
    assert len(records) == 3
    assert not folder.best_file.exists()


def test_a_trial_that_is_killed_goes_on_from_its_checkpoint(tmp_path):
    heard = Heard()
    _, records = go(begin(tmp_path, SWEEP, "act=die", "at=2", retries=0), heard)
    assert [record.outcome for record in records] == ["completed"] * 4
    assert heard.kinds(2) == ["started", "again", "resumed", "ended"]
    assert records[2].failures == 0
    assert steps_of(records[2]) == [1, 2, 3, 4]
    assert read_status(records[2].folder).resumes == 1


def test_a_sweep_without_a_metric_runs_to_its_end(tmp_path):
    content = {key: value for key, value in SWEEP.items() if key != "metric"}
    ended, records = go(begin(tmp_path, content))
    assert ended.state == "finished"
    assert [record.value for record in records] == [None] * 4


def test_a_plugin_that_never_logs_the_metric_is_told_what_it_logged(tmp_path):
    content = {**SWEEP, "metric": {"name": "val/auc", "goal": "maximize"}}
    ended, records = go(begin(tmp_path, content), patience=2)
    assert ended.state == "failed"
    assert "it never logged val/auc; it logged val/loss" in records[0].reason


def test_the_word_to_stop_is_heard_and_the_sweep_can_go_on(tmp_path):
    folder = begin(tmp_path, SWEEP, "pause_s=0.1", agents=2)

    def stop(kind, record):
        if kind == "started" and record.number == 1:
            threading.Timer(0.7, folder.ask_to_stop).start()

    ended, records = go(folder, Heard(stop))
    assert (ended.state, ended.exit_code) == ("interrupted", 143)
    assert any(record.is_open for record in records)
    assert f"lab sweep --resume {folder.name}" in (folder.path / "report.html").read_text()
    heard = Heard()
    ended, records = go(folder, heard)
    assert ended.state == "finished"
    assert [record.outcome for record in records] == ["completed"] * 4
    for record in records:
        assert steps_of(record) == [1, 2, 3, 4]


def test_a_trial_that_writes_its_checkpoint_is_not_judged_any_more(tmp_path):
    content = {**SWEEP, "run_cap": 1}
    folder = begin(tmp_path, content, "act='diverge when stopped'")

    def stop(kind, record):
        if kind == "started":
            wait_until((tmp_path / "lingers").exists)
            folder.ask_to_stop()

    heard = Heard(stop)
    ended, records = go(folder, heard)
    assert ended.state == "interrupted"
    assert heard.kinds(0) == ["started", "again"]  # and not "stopping"
    assert records[0].is_open
    assert 1e9 in records[0].history
    # The step during which it was asked is in its checkpoint.
    assert (records[0].folder / "checkpoints" / "state.pt").read_text() == "2"
    assert read_status(records[0].folder).state == "interrupted"
    assert folder.status().counts == {"interrupted": 1}
    assert heard.snapshots[-1].counts == {"interrupted": 1}


def test_the_folder_of_a_sweep_is_in_use_before_its_first_trial_starts(tmp_path):
    folder = begin(tmp_path, {**SWEEP, "run_cap": 1})
    assert not folder.has_begun
    begun = []
    go(folder, Heard(lambda kind, record: begun.append((kind, folder.status().state))))
    assert begun[0] == ("started", "running")


def start_process(tmp_path, *words):
    with (tmp_path / "said.txt").open("ab") as stream:
        return subprocess.Popen(
            [sys.executable, "-m", "labcore", "sweep", *words],
            cwd=tmp_path,
            env=environment(tmp_path),
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def records_of(folder):
    store = TrialStore(folder.path, folder.name, reading=True)
    try:
        return store.records()
    finally:
        store.close()


def test_trials_outlive_a_killed_controller_and_are_taken_up_again(tmp_path):
    # Long enough that a busy machine has the next controller before the trials end.
    folder = begin(tmp_path, SWEEP, "pause_s=1.0", agents=2)
    controller = start_process(tmp_path, "--resume", "s")
    runs = tmp_path / "runs" / "toy"
    wait_until(lambda: len(list(runs.glob("*/checkpoints/state.pt"))) == 2)
    controller.kill()
    controller.wait()
    heard = Heard()
    ended, records = go(folder, heard)
    assert ended.state == "finished"
    assert "adopted" in heard.kinds(0)
    assert [record.outcome for record in records] == ["completed"] * 4
    for record in records:
        assert steps_of(record) == [1, 2, 3, 4]
        assert read_status(record.folder).resumes == 0


def test_a_run_that_finished_with_nobody_watching_is_recorded_and_not_run_again(tmp_path):
    folder = begin(tmp_path, SWEEP, "pause_s=0.1")
    controller = start_process(tmp_path, "--resume", "s")
    first = tmp_path / "runs" / "toy" / "s-0000"
    wait_until((first / "checkpoints" / "state.pt").exists)
    controller.kill()
    controller.wait()
    wait_until(lambda: read_status(first).state == "finished")
    heard = Heard()
    _, records = go(folder, heard)
    assert heard.kinds(0) == ["ended"]
    assert records[0].outcome == "completed"
    assert records[0].history[-1] == pytest.approx((records[0].values["x"] - 0.3) ** 2 + 0.25)


def test_ctrl_c_leaves_checkpoints_and_exits_130(tmp_path):
    folder = begin(tmp_path, SWEEP, "pause_s=0.2", agents=2)
    controller = start_process(tmp_path, "--resume", "s")
    runs = tmp_path / "runs" / "toy"
    wait_until(lambda: len(list(runs.glob("*/checkpoints/state.pt"))) == 2)
    os.kill(controller.pid, signal.SIGINT)
    assert controller.wait(timeout=60) == 130
    assert folder.status().state == "interrupted"
    for record in records_of(folder):
        assert record.is_open
        assert read_status(record.folder).state == "interrupted"
    ended, records = go(SweepFolder(folder.path))
    assert ended.state == "finished"
    for record in records:
        assert steps_of(record) == [1, 2, 3, 4]
