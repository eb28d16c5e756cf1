"""How a sweep stands."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from labcore.sweeps.local.live import LiveTrial
from labcore.sweeps.local.record import Record
from labcore.sweeps.local.standing import Standing

SWEEP = {
    "method": "random",
    "metric": {"name": "val/loss", "goal": "minimize", "target": 0.5},
    "parameters": {"x": {"min": 0.0, "max": 1.0}},
}


@pytest.fixture
def standing(read):
    return Standing(read(SWEEP), "s", agents=1, limit=None)


def record(number, outcome="", value=None):
    fields = {"values": {}, "params": {}, "folder": Path("x"), "created": 0.0}
    return Record(number=number, outcome=outcome, value=value, **fields)


@pytest.mark.parametrize("outcome", ["diverged", "failed"])
def test_a_trial_that_diverged_or_failed_reaches_no_target(standing, outcome):
    standing.add(record(0, outcome, 0.25))
    assert standing.reached_target() is None
    standing.add(record(1, "stopped early", 0.4))
    assert standing.reached_target().number == 1


def test_trials_that_are_open_run_only_while_they_are_under_way(standing):
    for number, outcome in enumerate(["completed", "", "", "failed"]):
        standing.add(record(number, outcome))
    assert standing.counts({2}) == {"completed": 1, "interrupted": 1, "running": 1, "failed": 1}
    assert standing.counts(()) == {"completed": 1, "interrupted": 2, "failed": 1}


def test_a_trials_machine_is_shown_before_its_device(standing):
    places = [("job 7", "GPU 3", "job 7 GPU 3"), ("", "CPU", "CPU"), ("job 9", "", "job 9")]
    live = [
        LiveTrial(record=record(n), handle=SimpleNamespace(where=where), log=None, device=device)
        for n, (where, device, _) in enumerate(places)
    ]
    shown = [each.device for each in standing.snapshot(live).running]
    assert shown == [both for _, _, both in places]
