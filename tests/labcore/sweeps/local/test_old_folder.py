"""A sweep's folder as the first version of sweeps wrote it still opens."""

import json

import pytest

from labcore.sweeps.folder import SweepFolder

pytestmark = pytest.mark.ml
pytest.importorskip("optuna", reason="needs Optuna: pip install optuna")

SETTINGS = {
    **{"file": "s.json", "source": "s.json", "plugin": "toy", "overrides": ["a=1"]},
    **{"runs_dir": "runs", "engine": "local", "seed": 0, "sampler": "tpe", "agents": 1},
    **{"count": None, "retries": 1, "storage": "", "wandb": "off"},
}
STATUS = {
    **{"sweep": "mine", "plugin": "toy", "state": "interrupted"},
    "owner": {"host": "h", "pid": 9029, "started": 1795552687.44},
    **{"started": 1.0, "heartbeat": 2.0, "ended": 3.0, "message": "stopped by a signal"},
    "counts": {"completed": 1, "interrupted": 1},
    "best": {"trial": 0, "value": 0.5},
}
SWEEP = {
    "method": "random",
    "metric": {"name": "val/loss", "goal": "minimize"},
    "parameters": {"lr": {"min": 0.1, "max": 1.0}},
}
LR = {"step": None, "low": 0.1, "high": 1.0, "log": False}
TIME = "2026-11-24T11:20:00.000000+00:00"


def row(number, *, outcome="", reason="", value=None, ended=None):
    return {
        "values": {"lr": 0.25 * (number + 1)},
        "folder": f"runs/{number}",
        **{"created": 1.0, "attempts": 0, "failures": 0, "reached": 0, "outcome": outcome},
        **{"reason": reason, "value": value, "started": 1.0, "ended": ended},
    }


def created(number):
    about_lr = json.dumps({"name": "FloatDistribution", "attributes": LR})
    return {
        **{"op_code": 4, "study_id": 0, "datetime_start": TIME, "state": 0},
        **{"value": None, "values": None, "distributions": {"lr": about_lr}},
        **{"params": {"lr": 0.25 * (number + 1)}, "user_attrs": {"lab": row(number)}},
        **{"system_attrs": {}, "intermediate_values": {}},
    }


ENDED = row(0, outcome="stopped early", reason="hyperband at 2 logs", value=0.5, ended=2.0)
JOURNAL = [
    {"op_code": 0, "study_name": "mine", "directions": [1]},
    created(0),
    {"op_code": 7, "trial_id": 0, "step": 0, "intermediate_value": 0.75},
    {"op_code": 7, "trial_id": 0, "step": 1, "intermediate_value": 0.5},
    {"op_code": 8, "trial_id": 0, "user_attr": {"lab": ENDED}},
    {"op_code": 6, "trial_id": 0, "state": 2, "values": [0.5], "datetime_complete": TIME},
    created(1),
]


def test_a_folder_of_the_first_version_opens_with_all_its_trials(tmp_path):
    from labcore.sweeps.file.read import read_sweep
    from labcore.sweeps.local.engine import open_study
    from labcore.sweeps.local.results import as_rows

    folder = SweepFolder(tmp_path / "mine")
    folder.path.mkdir()
    (folder.path / "s.json").write_text(json.dumps(SWEEP))
    (folder.path / "settings.json").write_text(json.dumps(SETTINGS))
    (folder.path / "status.json").write_text(json.dumps(STATUS))
    lines = [json.dumps({**each, "worker_id": "w"}) for each in JOURNAL]
    (folder.path / "study.journal").write_text("\n".join(lines) + "\n")
    settings, sweep = folder.settings(), read_sweep(folder.file)
    records = open_study(folder, sweep, settings, reading=True).records()

    assert settings.overrides == ("a=1",)
    assert (folder.status().observed_state(), folder.status().best) == (
        "interrupted",
        {"trial": 0, "value": 0.5},
    )
    first, second = as_rows(folder, records)
    assert (first["state"], first["value"], first["logs"]) == ("stopped", 0.5, 2)
    assert (second["state"], second["parameters"]) == ("queued", {"lr": 0.5})
