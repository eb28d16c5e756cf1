"""From what W&B's agent was given to a lab run."""

import json
import os
import subprocess
import sys

import pytest
import yaml

from labcore.errors import UsageError
from labcore.sweeps.wandb_engine import words_of_trial
from labcore.sweeps.wandb_engine.trial import PLACE_VARIABLE, trials_of
from tests.labcore.sweeps.wandb_stub.toys import write_run

FIXED = ("plugin=toy", "preset=smoke", "hooks=[default,wandb]")


@pytest.fixture
def give(monkeypatch, tmp_path):
    """Gives values to the trial of this process, as W&B's agent does."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(PLACE_VARIABLE, raising=False)
    monkeypatch.setenv("LAB_TRIAL_FOLDER", "")  # to be put back afterwards

    def give(**values):
        rows = {name: {"value": value} for name, value in values.items()}
        path = tmp_path / "config-run1.yaml"
        path.write_text(yaml.dump({"wandb_version": 1, **rows}, sort_keys=False))
        monkeypatch.setenv("WANDB_SWEEP_ID", "ab12")
        monkeypatch.setenv("WANDB_RUN_ID", "run1")
        monkeypatch.setenv("WANDB_SWEEP_PARAM_PATH", str(path))

    return give


def new_folder(tmp_path):
    """Where the trial that was asked for last is to live."""
    return tmp_path.joinpath(os.environ["LAB_TRIAL_FOLDER"])


def test_a_trial_is_a_lab_run_with_the_chosen_values_typed(give, tmp_path):
    give(**{"train.lr": 1e-05, "name": "1e-5", "on": None, "size": [1, True], "opt": {"a": 1}})
    assert words_of_trial(FIXED) == [
        *("run", *FIXED, "train.lr=1e-05", "name='1e-5'", "on=null", "size=[1,true]", "opt={a:1}")
    ]
    assert new_folder(tmp_path).parent == tmp_path / "runs" / "toy"
    assert new_folder(tmp_path).name.endswith("-ab12-run1")


def test_a_value_that_no_config_can_have_is_refused_by_its_name(give):
    give(opt={"a b": {"'": 1}})
    with pytest.raises(UsageError, match="opt cannot be set"):
        words_of_trial(FIXED)


def test_who_is_no_agent_of_a_sweep_is_told_the_command_of_one(give, monkeypatch):
    monkeypatch.delenv("WANDB_RUN_ID", raising=False)
    with pytest.raises(UsageError, match="for the agents") as caught:
        words_of_trial(FIXED)
    assert "wandb agent ENTITY/PROJECT/SWEEP" in str(caught.value)


@pytest.mark.parametrize("state", ["interrupted", "running"])
def test_an_unfinished_trial_goes_on_in_its_folder_under_any_agent(give, tmp_path, state):
    give(amount=1)
    words_of_trial(FIXED)
    folder = new_folder(tmp_path)
    write_run(folder, state)
    assert words_of_trial(FIXED) == ["resume", str(folder)]


def test_a_trial_whose_latest_folder_has_ended_begins_anew_in_another(give, tmp_path):
    give(amount=1)
    write_run(tmp_path / "runs" / "toy" / "20000101-000000-ab12-run1", "interrupted")
    assert words_of_trial(FIXED)[0] == "resume"
    done = tmp_path / "runs" / "toy" / "20000102-000000-ab12-run1"
    write_run(done, "finished")
    assert words_of_trial(FIXED)[0] == "run"
    assert new_folder(tmp_path) != done


def test_a_trial_of_our_own_agent_is_known_in_the_sweep_s_folder_with_its_output(give, tmp_path):
    give(amount=3)
    place = {"folder": str(tmp_path / "sweep"), "overrides": ["threads=2", "runs_dir=/else/where"]}
    program = (
        "from labcore.sweeps.wandb_engine import words_of_trial\n"
        f"words = words_of_trial({FIXED!r})\n"
        "print('error: it is told here', words)\n"
    )
    environment = {PLACE_VARIABLE: json.dumps(place)}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == ""
    (trial,) = trials_of(tmp_path / "sweep")
    assert (trial.run_id, trial.values) == ("run1", {"amount": 3})
    assert str(trial.run).startswith("/else/where/toy/")
    assert "'threads=2', 'runs_dir=/else/where', 'amount=3'" in trial.log.read_text()
    state, why = trial.outcome()
    assert state == "not started"
    assert why.startswith("it is told here")
    write_run(tmp_path / "run", "running")
    row = {"run": str(tmp_path / "run"), "values": {}}
    (tmp_path / "sweep" / "trials" / "run1" / "trial.json").write_text(json.dumps(row))
    assert trials_of(tmp_path / "sweep")[0].outcome() == ("lost", "its process was killed")
