"""``metrics.jsonl``: strict, whole, and each step once."""

import json

import pytest

from labcore.hooks.jsonl import FILE_NAME, MetricsFile


@pytest.fixture
def hook(hooks):
    hook = MetricsFile(clock=lambda: 1234.5678)
    hooks.register("jsonl", hook)
    yield hook
    hook.close()


def read(folder):
    lines = (folder / FILE_NAME).read_text().splitlines()
    return [json.loads(line) for line in lines]


def steps(folder):
    return [record["step"] for record in read(folder)]


def test_a_record_is_one_strict_json_line(hook, hooks, run):
    hooks.call("run_started", run=run)
    values = {"loss": 0.5, "bad": float("nan"), "worse": float("inf"), "count": 3}
    run.log_metrics(values, step=2, phase="val")
    (line,) = (run.folder / FILE_NAME).read_text().splitlines()

    def refuse(constant):
        raise ValueError(constant)

    assert json.loads(line, parse_constant=refuse) == {
        "step": 2,
        "phase": "val",
        "time": 1234.568,
        "values": {"loss": 0.5, "bad": None, "worse": None, "count": 3},
    }


def test_records_can_be_read_while_the_run_goes_on(hook, hooks, run):
    hooks.call("run_started", run=run)
    for step in range(3):
        run.log_metrics({"loss": 1.0}, step=step)
        assert steps(run.folder)[-1] == step


def test_resuming_drops_what_came_after_the_checkpoint(hook, hooks, run, loop):
    hooks.call("run_started", run=run)
    for step in range(1, 8):
        run.log_metrics({"loss": 1.0}, step=step)
    loop.step = 4
    hooks.call("checkpoint_loaded", run=run, loop=loop, path=run.folder)
    assert steps(run.folder) == [1, 2, 3, 4]
    run.log_metrics({"loss": 2.0}, step=5)
    assert steps(run.folder) == [1, 2, 3, 4, 5]


def test_half_a_line_of_a_killed_process_is_cut_off(hook, hooks, run):
    path = run.folder / FILE_NAME
    path.write_text('{"step": 1, "phase": "train", "values": {}}\n{"step": 2, "pha')
    hooks.call("run_started", run=run)
    run.log_metrics({}, step=2)
    assert steps(run.folder) == [1, 2]


def test_a_run_stopped_before_its_first_checkpoint_starts_clean(hook, hooks, run, loop):
    (run.folder / FILE_NAME).write_text('{"step": 9, "phase": "train", "values": {}}\n')
    run.resuming = True
    hooks.call("run_started", run=run)
    hooks.call("fit_started", run=run, loop=loop)
    assert steps(run.folder) == []


def test_a_second_fit_in_the_same_run_keeps_the_records_of_the_first(hook, hooks, run, loop):
    hooks.call("run_started", run=run)
    for _ in range(2):
        loop.step = 0
        hooks.call("fit_started", run=run, loop=loop)
        run.log_metrics({"loss": 1.0}, step=5)
    assert steps(run.folder) == [5, 5]


def test_resuming_the_second_of_two_trainings_keeps_the_records_of_the_first(
    hook, hooks, run, loop
):
    hooks.call("run_started", run=run)
    for name in ("flat", "deep"):
        loop.name, loop.step = name, 0
        hooks.call("fit_started", run=run, loop=loop)
        for step in (1, 2, 3):
            run.log_metrics({"loss": 1.0}, step=step)
    loop.step = 1
    hooks.call("checkpoint_loaded", run=run, loop=loop, path=run.folder)
    hooks.call("fit_ended", run=run, loop=loop, reason="max_steps")
    run.log_metrics({"loss": 1.0}, step=9, phase="test")
    records = [(record.get("fit"), record["step"]) for record in read(run.folder)]
    assert records == [("flat", 1), ("flat", 2), ("flat", 3), ("deep", 1), (None, 9)]


def test_tests_that_a_resumed_run_does_again_are_recorded_once(hook, hooks, run, loop):
    hooks.call("run_started", run=run)
    hooks.call("fit_started", run=run, loop=loop)
    run.log_metrics({"loss": 1.0}, step=1, phase="val")
    run.log_metrics({"halfway": 1.0}, step=1, phase="test")
    hooks.call("fit_ended", run=run, loop=loop, reason="max_steps")
    run.log_metrics({"score": 1.0}, step=1, phase="test")
    run.resuming, loop.step = True, 1
    hooks.call("run_started", run=run)
    hooks.call("fit_started", run=run, loop=loop)
    hooks.call("fit_ended", run=run, loop=loop, reason="max_steps")
    run.log_metrics({"score": 1.0}, step=1, phase="test")
    assert [list(row["values"]) for row in read(run.folder)] == [["loss"], ["halfway"], ["score"]]


def test_a_disk_that_is_full_fails_the_run(hook, hooks, run):
    hooks.call("run_started", run=run)

    class Full:
        def write(self, text):
            raise OSError(28, "No space left on device")

        def close(self):
            pass

    hook.close()
    hook._stream = Full()
    with pytest.raises(OSError, match="No space"):
        run.log_metrics({"loss": 1.0}, step=1)
