"""``lab sweep --engine wandb`` against a stub of W&B's server, with the real client and agents."""

import dataclasses
import importlib
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from labcore.record.status import read_status
from labcore.sweeps import folder as folders
from labcore.sweeps.folder import Settings, find_sweep
from labcore.sweeps.wandb_engine import create_sweep
from tests.labcore.sweeps.sweeping import environment
from tests.labcore.sweeps.wandb_stub import WandbStub
from tests.labcore.sweeps.wandb_stub.toys import toy_sweep, write_run

pytestmark = pytest.mark.ml
pytest.importorskip("wandb", reason="needs W&B: pip install wandb")

module = importlib.import_module("labcore.sweeps.wandb_engine.conduct")  # not its function
TOY = """
import time

def work(run):
    for step in range(3):
        run.log_metrics({"loss": run.config.amount / (step + 1)}, step=step, phase="val")
    if run.config.amount == 7 and not run.resuming:
        time.sleep(120)
    if run.config.amount == 8:
        raise ValueError("eight is too much")
"""
SWEEP = {
    "method": "random",
    "metric": {"name": "val/loss", "goal": "minimize"},
    "parameters": {"amount": {"min": 1, "max": 9}},
}
SETTINGS = Settings(file="toy.json", source="toy.json", plugin="toy", engine="wandb")
FASTER = """
import sys
if "agent" in sys.orig_argv:
    from wandb.wandb_agent import Agent
    Agent.POLL_INTERVAL = 0.2
"""
"""W&B's agent looks every five seconds, which is long for a test."""


@pytest.fixture
def stub(write_plugin, tmp_path, monkeypatch):
    write_plugin("toy", TOY)
    (tmp_path / "toy.json").write_text(json.dumps(SWEEP))
    (tmp_path / "sitecustomize.py").write_text(FASTER)
    for name in ("CONFIG", "CACHE", "DATA"):
        monkeypatch.setenv(f"WANDB_{name}_DIR", str(tmp_path / name.lower()))
        (tmp_path / name.lower()).mkdir()
    for name in ("WANDB_MODE", "WANDB_PROJECT", "WANDB_ENTITY", "WANDB_DIR"):
        monkeypatch.delenv(name, raising=False)
    with WandbStub() as stub:
        for name, value in stub.environment.items():
            monkeypatch.setenv(name, value)
        yield stub


class Lab:
    """``lab sweep`` in a process."""

    def __init__(self, folder, *words):
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-m", "labcore", "sweep", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=folder,
            env=environment(folder),
        )

    def wait_until(self, condition, timeout_s=60.0):
        until = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < until, self.end()[1]
            assert self.process.poll() is None, self.end()[1]
            time.sleep(0.05)

    def wait_for_losses(self, stub):
        """Waits until the first trial has logged all it will."""
        files = self.folder.glob
        self.wait_until(
            lambda: (
                stub.runs
                and sum(
                    path.read_text().count('"loss"')
                    for path in files(f"runs/toy/*-{stub.runs[0].name}/metrics.jsonl")
                )
                == 3
            )
        )

    def end(self, code=None):
        """Waits for the end, which must be with the code; returns code and output."""
        try:
            told, _ = self.process.communicate(timeout=90)
        finally:
            self.process.kill()
        logs = [*self.folder.glob("sweeps/*/*.log"), *self.folder.glob("sweeps/*/trials/*/*.txt")]
        told += "".join(f"\n{path}:\n{path.read_text()}" for path in logs)
        assert code in {None, self.process.returncode}, told
        return self.process.returncode, told


class Agent:
    """No process, at work as long as it says."""

    pid = 0

    def __init__(self, is_at_work=lambda: False):
        self._is_at_work = is_at_work

    def poll(self):
        return None if self._is_at_work() else 0

    def wait(self):
        return 0


def sweep_folder(tmp_path, address):
    """A sweep that has been made already, at the address."""
    (tmp_path / "toy.json").write_text(json.dumps(SWEEP))
    folder = folders.create_sweep(tmp_path / "sweeps", "s", tmp_path / "toy.json")
    (folder.path / "wandb.json").write_text(json.dumps({"address": address}))
    return folder


def folder_of(run, tmp_path):
    (folder,) = tmp_path.glob(f"runs/toy/*-{run.name}")
    return folder


def test_who_is_logged_in_gets_a_sweep_on_the_server_and_its_trials_here(stub, tmp_path):
    stub.plan({"amount": 2}, {"amount": 4}, {"amount": 8})
    _, told = Lab(tmp_path, "toy.json", "--name", "s", "--agents", "2", "device=cpu").end(0)
    assert "/sweeps/" in told
    assert "running: amount=4" in told
    assert "failed: ValueError: eight is too much" in told
    folder = find_sweep(tmp_path / "sweeps", "s")
    status = folder.status()
    assert (status.state, status.counts) == ("finished", {"finished": 2, "failed": 1})
    assert [run.state for run in stub.runs] == ["finished", "finished", "failed"]
    for run in stub.runs:
        assert (run.handed_out, run.sweep, run.project) == (1, stub.sweep.name, "toy")
        assert run.config["amount"] == run.args["amount"]
        assert "seed" in run.config
        amount = run.args["amount"]
        losses = [row["val/loss"] for row in run.history if "val/loss" in row]
        assert losses == pytest.approx([amount, amount / 2, amount / 3])
        assert (folder_of(run, tmp_path) / "report.html").exists()
    assert len(list((tmp_path / "runs" / "toy").iterdir())) == 3
    assert not (tmp_path / "wandb").exists()
    assert "is on W&B's server" in Lab(tmp_path, "status", "s").end(2)[1]


def test_a_trial_that_the_server_stops_ends_with_what_it_has_and_the_next_begins(stub, tmp_path):
    stub.plan({"amount": 7}, {"amount": 2})
    lab = Lab(tmp_path, "toy.json", "--name", "s", "device=cpu")
    lab.wait_for_losses(stub)
    stub.stop(stub.runs[0])
    _, told = lab.end(0)
    assert "stopped: by W&B" in told
    assert find_sweep(tmp_path / "sweeps", "s").status().counts == {"stopped": 1, "finished": 1}
    # For W&B it is an end like any other: not a failure, and nothing to be resumed.
    assert [(run.state, run.preempting) for run in stub.runs] == [("finished", False)] * 2
    status = read_status(folder_of(stub.runs[0], tmp_path))
    assert (status.state, status.message) == ("interrupted", "stopped by W&B")


def test_after_ctrl_c_the_same_trial_goes_on_in_its_own_folder_when_resumed(stub, tmp_path):
    stub.plan({"amount": 7})
    lab = Lab(tmp_path, "toy.json", "--name", "s", "device=cpu")
    lab.wait_for_losses(stub)
    lab.process.send_signal(signal.SIGINT)
    assert "lab sweep --resume s" in lab.end(130)[1]
    (run,) = stub.runs
    assert run.state == "preempted"
    assert find_sweep(tmp_path / "sweeps", "s").status().state == "interrupted"
    Lab(tmp_path, "--resume", "s").end(0)
    assert (run.state, run.handed_out, len(stub.runs)) == ("finished", 2, 1)
    status = read_status(folder_of(run, tmp_path))
    assert (status.state, status.resumes) == ("finished", 1)


def test_trials_go_on_while_the_server_is_silent(stub, tmp_path):
    stub.plan({"amount": 7}, {"amount": 2})
    lab = Lab(tmp_path, "toy.json", "--name", "s", "device=cpu")
    lab.wait_for_losses(stub)
    stub.break_down("error")
    lab.wait_until(lambda: stub.turned_away > 2)
    stub.come_back()
    stub.stop(stub.runs[0])
    lab.end(0)
    assert [run.handed_out for run in stub.runs] == [1, 1]
    losses = [[row for row in run.history if "val/loss" in row] for run in stub.runs]
    assert [len(rows) for rows in losses] == [3, 3]


def test_a_sweep_of_which_no_trial_got_to_its_end_has_failed_with_the_first_error(
    tmp_path, monkeypatch
):
    folder = sweep_folder(tmp_path, "me/toy/abc")
    for name in ("a", "b", "c"):  # c has no run: its options were refused
        place = folder.path / "trials" / name
        place.mkdir(parents=True)
        row = {"run": str(tmp_path / name), "values": {}}
        (place / "trial.json").write_text(json.dumps(row))
    error = {"kind": "ValueError", "message": "eight is too much"}
    for name in ("a", "b"):
        write_run(tmp_path / name, "failed", error=error)
    monkeypatch.setattr(module, "_start_agent", lambda *_: Agent())
    monkeypatch.setattr(module, "_environment", lambda *_: {})

    def conduct():
        ended = module.conduct(folder, SimpleNamespace(), SETTINGS, tell=lambda text: None)
        return ended.exit_code, ended.status.state, ended.status.counts, ended.status.message

    assert conduct() == (1, "failed", {"failed": 3}, "eight is too much")
    write_run(tmp_path / "c", "finished")
    assert conduct() == (0, "finished", {"failed": 2, "finished": 1}, "eight is too much")


def test_w_and_b_s_agent_of_somebody_else_runs_trials_until_the_sweep_is_deleted(stub, tmp_path):
    stub.plan({"amount": 2}, {"amount": 3})
    address = create_sweep(toy_sweep())
    here = str(Path(sys.executable).parent)
    told = {"PATH": os.pathsep.join([here, os.environ["PATH"]])}
    done = subprocess.run(
        [sys.executable, "-m", "wandb", "agent", "--count", "1", str(address)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**environment(tmp_path), **told},
        timeout=100,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (run,) = stub.runs
    assert (run.state, run.config["amount"]) == ("finished", 2), done.stdout + done.stderr
    assert read_status(folder_of(run, tmp_path)).state == "finished"
    stub.delete_sweep()
    folder = sweep_folder(tmp_path, str(address))
    prepared = SimpleNamespace(overrides=["threads=1"])
    ended = module.conduct(folder, prepared, SETTINGS, tell=lambda text: None)
    assert (ended.exit_code, ended.status.state) == (1, "failed")
    assert "not found" in ended.status.message


def test_count_is_parted_among_the_agents():
    def shares(count):
        return module._shares(dataclasses.replace(SETTINGS, agents=3, count=count))

    assert shares(None) == [None, None, None]
    assert shares(7) == [3, 2, 2]
    assert shares(2) == [1, 1]


def test_offline_stays_here_and_options_of_local_sweeps_are_refused(stub, tmp_path, monkeypatch):
    words = ("toy.json", "--retries", "3", "--seed", "1")
    assert "--seed, --retries is for sweeps that W&B" in Lab(tmp_path, *words).end(2)[1]
    monkeypatch.setenv("WANDB_MODE", "offline")
    assert "this machine" in Lab(tmp_path, "toy.json", "--dry-run").end(0)[1]


def test_a_sweep_beats_while_its_agents_work_wherever_the_clock_is_set(tmp_path, monkeypatch):
    folder = sweep_folder(tmp_path, "me/toy/abc")
    beats = []

    def is_at_work():
        beats.append(folder.status().heartbeat)
        return len(set(beats)) < 3 and len(beats) < 1000

    clock = itertools.count(2e9, -10)  # set back again and again
    monkeypatch.setattr(module, "_BEAT_S", 0.0)
    monkeypatch.setattr(module, "_LOOK_S", 0.001)
    monkeypatch.setattr(module, "_start_agent", lambda *_: Agent(is_at_work))
    monkeypatch.setattr(module, "_environment", lambda *_: {})
    monkeypatch.setattr(module.time, "time", lambda: next(clock))
    ended = module.conduct(folder, SimpleNamespace(), SETTINGS, tell=lambda text: None)
    assert ended.exit_code == 0
    assert len(set(beats)) == 3


def test_a_python_that_agents_cannot_call_by_its_name_is_told_before_anything(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(module.sys, "executable", str(tmp_path / "python9"))
    with pytest.raises(module.RequirementError, match="start trials with python"):
        module.conduct(SimpleNamespace(), SimpleNamespace(), SimpleNamespace(), tell=print)
