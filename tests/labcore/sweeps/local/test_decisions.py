"""Which trials are stopped, and what becomes of those that have ended."""

import math
from pathlib import Path

import pytest

from labcore.record import status
from labcore.sweeps.local.record import Record, Verdict
from labcore.sweeps.local.standing import LiveTrial
from labcore.sweeps.local.verdict import has_diverged, judge, settle
from labcore.sweeps.sweep import Metric
from labcore.sweeps.trial import TrialRequest, TrialResult, read_result

METRIC = Metric(name="val/loss", goal="minimize")
HYPERBAND = {
    "method": "random",
    "metric": {"name": "val/loss", "goal": "minimize"},
    "parameters": {"x": {"min": 0.0, "max": 1.0}},
    "early_terminate": {"type": "hyperband", "min_iter": 2, "eta": 2},
}


def record(folder="nowhere", **fields):
    return Record(
        number=0, values={"x": 0.5}, params={"x": 0.5}, folder=Path(folder), created=0.0, **fields
    )


def live(of=None, **fields):
    return LiveTrial(record=of or record(), handle=None, log=None, **fields)


def decide(trial, retries=1, metric=METRIC, **result):
    return settle(trial, TrialResult(**result), metric=metric, retries=retries)


@pytest.mark.parametrize(
    ("history", "minimize", "says"),
    [
        ([], True, ""),
        ([0.5, 0.4], True, ""),
        ([0.5, math.nan], True, "not finite at log 2"),
        ([math.inf], True, "not finite at log 1"),
        ([math.nan, 0.5], True, "not finite at log 1"),
        ([0.5, math.nan, 0.4], True, "not finite at log 2"),
        ([2.0, 2001.0], True, ""),
        ([2.0, 2003.0], True, "from 2 to 2003"),
        ([0.001, 999.0], True, ""),
        ([0.001, 1001.0], True, "from 0.001 to 1001"),
        ([2003.0, 2.0], True, ""),
        ([2.0, -2003.0], False, "from 2 to -2003"),
        ([2.0, 2003.0], False, ""),
    ],
)
def test_a_metric_diverges_when_it_is_not_finite_or_a_thousand_times_worse(history, minimize, says):
    reason = has_diverged(history, minimize=minimize)
    assert (says in reason) if says else not reason


def test_hyperband_stops_the_worst_of_three_and_says_at_which_log(read):
    sweep = read(HYPERBAND)
    others = [[0.1, 0.1], [0.2, 0.2]]
    assert judge(sweep, [0.9], others) is None
    verdict = judge(sweep, [0.9, 0.8], others)
    assert verdict.outcome == "stopped early"
    assert "log 2" in verdict.reason
    assert judge(sweep, [0.1, 0.05], others) is None


def test_a_trial_that_diverges_is_stopped_even_with_no_rule_for_early_stops(read):
    sweep = read({k: v for k, v in HYPERBAND.items() if k != "early_terminate"})
    assert judge(sweep, [0.5, math.nan], []).outcome == "diverged"
    assert judge(sweep, [0.5, 0.6], []) is None


def test_without_a_metric_nothing_is_judged(read):
    sweep = read({"method": "random", "parameters": {"x": {"min": 0.0, "max": 1.0}}})
    assert judge(sweep, [math.nan], []) is None


def test_a_run_that_finished_is_completed_even_when_it_was_just_to_be_stopped():
    verdict = Verdict(outcome="stopped early", reason="hyperband")
    trial = live(record(history=[0.5], value=0.5), verdict=verdict)
    assert decide(trial, state="finished").outcome == "completed"


def test_a_trial_that_was_stopped_has_the_outcome_for_which_it_was():
    verdict = Verdict(outcome="stopped early", reason="hyperband at log 3")
    decision = decide(live(verdict=verdict), state="interrupted", exit_code=143)
    assert (decision.outcome, decision.reason) == ("stopped early", "hyperband at log 3")


@pytest.mark.parametrize("phase", ["result", "test"])
def test_the_metric_of_a_run_that_logs_it_at_its_end_only_is_found(phase):
    trial = live()
    decision = decide(trial, state="finished", metrics={f"{phase}/loss": 0.25})
    assert decision.outcome == "completed"
    assert trial.record.value == 0.25


def test_a_run_that_never_logged_the_metric_has_failed_and_says_what_it_logged():
    decision = decide(live(), state="finished", metrics={"val/accuracy": 0.9})
    assert decision.outcome == "failed"
    assert "val/accuracy" in decision.reason


def test_a_metric_that_was_never_finite_is_no_result():
    trial = live(record(history=[math.nan]))
    assert decide(trial, state="finished").outcome == "diverged"


def test_a_sweep_without_a_metric_is_content_with_the_end():
    assert decide(live(), metric=None, state="finished").outcome == "completed"


def test_a_failure_is_tried_again_as_often_as_allowed():
    trial = live()
    assert decide(trial, retries=1, state="failed", exit_code=1, error="no").outcome == ""
    decision = decide(trial, retries=1, state="failed", exit_code=1, error="no")
    assert (decision.outcome, decision.reason) == ("failed", "no")


@pytest.mark.parametrize("code", [2, 3])
def test_a_wrong_config_or_a_missing_package_is_not_tried_again(code):
    decision = decide(live(), retries=9, state="not started", exit_code=code, error="wrong")
    assert (decision.outcome, decision.reason) == ("failed", "wrong")


def test_a_loss_that_is_not_finite_is_a_result_and_no_failure():
    decision = decide(live(), state="failed", exit_code=1, error="NaN", diverged=True)
    assert decision.outcome == "diverged"


def write_status(folder, **fields):
    folder.mkdir(exist_ok=True)
    row = {"run": "toy/x", "plugin": "toy", "task": "work", "preset": "", "state": "running"}
    status.write_status(folder, status.Status(**{**row, **fields}))


def test_a_killed_trial_goes_on_for_free_as_long_as_it_gets_further(tmp_path):
    folder = tmp_path / "run"
    trial = live(record(folder))
    for step in (3, 6, 9):
        write_status(folder, step=step)
        assert decide(trial, retries=0, state="lost", exit_code=137).outcome == ""
    decision = decide(trial, retries=0, state="lost", exit_code=137)
    assert decision.outcome == "failed"
    assert "signal 9" in decision.reason


def test_a_trial_that_an_earlier_controller_left_behind_is_not_blamed_for_it():
    trial = live(adopted=True)
    assert decide(trial, retries=0, state="lost").outcome == ""
    assert trial.record.failures == 0


def test_a_result_says_why_a_trial_did_not_start(tmp_path):
    log = tmp_path / "log"
    log.write_text("noise\nerror: the config is wrong\n  - no option x\n  fix: look\n")
    result = read_result(tmp_path / "none", 2, log)
    assert result.state == "not started"
    assert result.error == "the config is wrong - no option x"


def test_a_result_takes_state_metrics_and_error_from_the_run_folder(tmp_path):
    error = {"message": "the loss is NaN\nmore", "fix": "", "kind": "Diverged"}
    folder = tmp_path / "run"
    write_status(folder, state="failed", exit_code=1, metrics={"val/loss": 1.0}, error=error)
    result = read_result(folder, None)
    assert (result.state, result.exit_code, result.error) == ("failed", 1, "the loss is NaN")
    assert result.diverged
    assert result.metrics == {"val/loss": 1.0}


def test_a_run_folder_whose_process_is_gone_means_lost(tmp_path):
    folder = tmp_path / "run"
    write_status(folder, exit_code=143)
    assert read_result(folder, 137).state == "lost"
    assert read_result(folder, None).exit_code is None


def test_a_request_names_its_trial():
    request = TrialRequest(
        sweep="s",
        number=7,
        overrides=("plugin=toy", "x=0.5"),
        folder=Path("/runs/toy/s-0007"),
        env={"A": "1"},
        log=Path("/log"),
        lock=Path("/lock"),
    )
    assert request.words == ["run", "plugin=toy", "x=0.5"]
    assert request.variables() == {
        "A": "1",
        "LAB_SWEEP": "s",
        "LAB_TRIAL": "7",
        "LAB_TRIAL_FOLDER": "/runs/toy/s-0007",
    }
