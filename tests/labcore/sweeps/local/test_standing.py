"""How a sweep stands."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from labcore.sweeps.local.record import Record
from labcore.sweeps.local.standing import LiveTrial, Standing

SWEEP = {
    "method": "random",
    "metric": {"name": "val/loss", "goal": "minimize", "target": 0.5},
    "parameters": {"x": {"min": 0.0, "max": 1.0}},
}


@pytest.fixture
def standing(read):
    return Standing(sweep=read(SWEEP), name="s")


def record(number, outcome="", value=None):
    fields = {"values": {}, "params": {}, "folder": Path("x"), "created": 0.0}
    return Record(number=number, outcome=outcome, value=value, **fields)


@pytest.mark.parametrize("outcome", ["diverged", "failed"])
def test_a_trial_that_diverged_or_failed_reaches_no_target(standing, outcome):
    standing.records.append(record(0, outcome, 0.25))
    assert standing.reached_target is None
    standing.records.append(record(1, "stopped early", 0.4))
    assert standing.reached_target.number == 1


def test_trials_that_are_open_run_only_while_they_are_under_way(standing):
    for number, outcome in enumerate(["completed", "", "", "failed"]):
        standing.records.append(record(number, outcome))
    standing.live[2] = None
    assert standing.counts == {"completed": 1, "interrupted": 1, "running": 1, "failed": 1}
    del standing.live[2]
    assert standing.counts == {"completed": 1, "interrupted": 2, "failed": 1}


def test_a_trials_machine_is_shown_before_its_device():
    places = [("job 7", "GPU 3", "job 7 GPU 3"), ("", "CPU", "CPU"), ("job 9", "", "job 9")]
    live = [
        LiveTrial(record=record(n), handle=SimpleNamespace(where=where), log=None, device=device)
        for n, (where, device, _) in enumerate(places)
    ]
    assert [each.where for each in live] == [both for _, _, both in places]
