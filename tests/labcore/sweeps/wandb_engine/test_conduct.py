"""``lab sweep --engine wandb`` against a stub of W&B's server, with the real client."""

import importlib
import itertools
import json
import os
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from labcore.sweeps.folder import Settings, create_sweep, find_sweep
from labcore.sweeps.wandb_engine.events import AgentSummary
from tests.labcore.sweeps.sweeping import environment
from tests.labcore.sweeps.wandb_stub import WandbStub

pytestmark = pytest.mark.ml
pytest.importorskip("wandb", reason="needs W&B: pip install wandb")

module = importlib.import_module("labcore.sweeps.wandb_engine.conduct")  # not its function
TOY = """
def work(run):
    run.log_metrics({"loss": 1.0 / run.config.amount}, step=1, phase="val")
    if run.config.amount == 8:
        raise ValueError("eight is too much")
"""
SWEEP = {
    "method": "random",
    "metric": {"name": "val/loss", "goal": "minimize"},
    "parameters": {"amount": {"min": 1, "max": 9}},
}


@pytest.fixture
def stub(write_plugin, tmp_path, monkeypatch):
    write_plugin("toy", TOY)
    (tmp_path / "toy.json").write_text(json.dumps(SWEEP))
    for name in ("CONFIG", "CACHE", "DATA"):
        monkeypatch.setenv(f"WANDB_{name}_DIR", str(tmp_path / name.lower()))
        (tmp_path / name.lower()).mkdir()
    for name in ("WANDB_MODE", "WANDB_PROJECT", "WANDB_ENTITY", "WANDB_DIR"):
        monkeypatch.delenv(name, raising=False)
    with WandbStub() as stub:
        for name, value in stub.environment.items():
            monkeypatch.setenv(name, value)
        yield stub


def lab(tmp_path, *words):
    return subprocess.run(
        [sys.executable, "-m", "labcore", "sweep", *words],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment(tmp_path),
        timeout=120,
        check=False,
    )


def test_who_is_logged_in_gets_a_sweep_on_the_server_and_its_trials_here(stub, tmp_path):
    stub.plan({"amount": 2}, {"amount": 4}, {"amount": 8})
    words = ("toy.json", "--name", "s", "--agents", "2", "--retries", "0", "device=cpu")
    result = lab(tmp_path, *words)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "/sweeps/" in result.stdout
    assert "2 finished" in result.stdout
    assert "1 failed" in result.stdout
    folder = find_sweep(tmp_path / "sweeps", "s")
    assert folder.status().state == "finished"
    assert len(stub.runs) == 3
    assert len(list((tmp_path / "runs" / "toy").iterdir())) == 3
    refused = lab(tmp_path, "status", "s")
    assert refused.returncode == 2
    assert "is on W&B's server" in refused.stderr


def test_count_is_parted_among_the_agents_and_offline_stays_here(stub, tmp_path, monkeypatch):
    stub.plan({"amount": 2}, {"amount": 4}, {"amount": 5})
    words = ("toy.json", "--name", "s", "--count", "1", "--agents", "2", "device=cpu")
    assert lab(tmp_path, *words).returncode == 0
    assert len(stub.runs) == 1
    monkeypatch.setitem(os.environ, "WANDB_MODE", "offline")
    local = lab(tmp_path, "toy.json", "--dry-run")
    assert "this machine" in local.stdout


def test_a_sweep_beats_while_its_agents_work_wherever_the_clock_is_set(tmp_path, monkeypatch):
    (tmp_path / "toy.json").write_text(json.dumps(SWEEP))
    folder = create_sweep(tmp_path / "sweeps", "s", tmp_path / "toy.json")
    (folder.path / "wandb.json").write_text(json.dumps({"address": "me/toy/abc"}))
    beats = []

    def work(*_, **__):
        deadline = time.monotonic() + 20
        while len(set(beats)) < 3 and time.monotonic() < deadline:
            beats.append(folder.status().heartbeat)
            time.sleep(0.01)
        return AgentSummary(outcomes={}, gave_up=False, first_error="")

    clock = itertools.count(2e9, -10)  # set back again and again
    monkeypatch.setattr(module, "_BEAT_S", 0.0)
    monkeypatch.setattr(module, "run_agent", work)
    monkeypatch.setattr(module, "RequestMaker", lambda *_, **__: None)
    monkeypatch.setattr(module, "threads_of_each", lambda *_: 1)
    monkeypatch.setattr(module, "WandbServer", lambda: None)
    monkeypatch.setattr(module.time, "time", lambda: next(clock))
    settings = Settings(file="toy.json", source="toy.json", plugin="toy", engine="wandb")
    prepared = SimpleNamespace(sweep=None, num_gpus=0)
    ended = module.conduct(folder, prepared, settings, tell=lambda text: None)
    assert ended.exit_code == 0
    assert len(set(beats)) == 3
