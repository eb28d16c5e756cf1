"""Where the time goes."""

import json

import pytest

from labcore.hooks import hookimpl
from labcore.hooks.timing import FILE_NAME, Timing


class Metrics:
    def __init__(self):
        self.records = []

    @hookimpl
    def metrics(self, values, step, phase):
        self.records.append((phase, step, dict(values)))


@pytest.fixture
def train(hooks, run, loop, clock):
    """Trains with 0.3 s steps and 0.1 s of waiting for data before each."""
    metrics = Metrics()
    hooks.register("timing", Timing(every=10, clock=clock))
    hooks.register("metrics", metrics)

    def train(num_steps, *, validate_at=(), save_at=()):
        hooks.call("run_started", run=run)
        clock.wait(2)
        hooks.call("fit_started", run=run, loop=loop)
        for _ in range(num_steps):
            clock.wait(0.1)
            hooks.call("step_started", run=run, loop=loop)
            clock.wait(0.3)
            loop.step += 1
            hooks.call("step_ended", run=run, loop=loop)
            if loop.step in validate_at:
                hooks.call("validation_started", run=run, loop=loop)
                clock.wait(50)
                hooks.call("validation_ended", run=run, loop=loop, values={})
            if loop.step in save_at:
                clock.wait(7)
                hooks.call("checkpoint_saved", run=run, loop=loop, path=run.folder)
        hooks.call("run_ended", run=run, state="finished")
        return metrics.records, json.loads((run.folder / FILE_NAME).read_text())

    return train


def test_speed_and_waiting_are_logged_as_perf(train):
    records, _ = train(20)
    assert [(phase, step) for phase, step, _ in records] == [("perf", 10), ("perf", 20)]
    values = records[1][2]
    assert values["steps_per_s"] == pytest.approx(2.5)
    assert values["step_ms_median"] == pytest.approx(300)
    assert values["step_ms_p90"] == pytest.approx(300)
    assert values["data_wait_share"] == pytest.approx(0.25)


def test_validations_and_checkpoints_are_no_waiting_for_data(train):
    records, result = train(20, validate_at={12}, save_at={15})
    assert records[1][2]["data_wait_share"] == pytest.approx(0.9 / 3.9)
    assert result["seconds"]["validation"] == pytest.approx(50)
    assert result["seconds"]["checkpoints"] == pytest.approx(7.1)
    assert result["seconds"]["data"] == pytest.approx(1.9)
    assert result["seconds"]["steps"] == pytest.approx(6.0)


def test_the_file_says_how_long_the_first_step_took_to_come(train):
    _, result = train(3)
    assert result["to_fit_s"] == pytest.approx(2.0)
    assert result["to_first_step_s"] == pytest.approx(2.4)
    assert result["process_start_to_first_step_s"] > 0
    assert result["total_s"] == pytest.approx(3.2)
    assert result["num_steps"] == 3
    assert result["step_ms"]["median"] == pytest.approx(300)


def test_a_run_without_training_still_has_its_total(train):
    _, result = train(0)
    assert result == {"total_s": 2.0}
