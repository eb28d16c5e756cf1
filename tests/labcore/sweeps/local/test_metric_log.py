"""The logs of a metric, read while somebody writes them."""

import json
import math

import pytest

from labcore.sweeps.local.metric_log import MetricLog, split_name


def line(step, value, *, phase="val", name="loss"):
    record = {"step": step, "phase": phase, "time": 0.0, "values": {name: value}}
    return json.dumps(record) + "\n"


@pytest.mark.parametrize(
    ("metric", "parts"),
    [
        ("loss", ("val", "loss")),
        ("val/loss", ("val", "loss")),
        ("test/score", ("test", "score")),
        ("lower/val/loss", ("val", "lower/val/loss")),
        ("max_auc", ("val", "max_auc")),
    ],
)
def test_a_name_without_a_phase_is_of_the_validation(metric, parts):
    assert split_name(metric) == parts


def test_only_logs_of_the_metric_count(tmp_path):
    text = line(1, 0.5) + line(1, 9.0, phase="train") + line(2, 0.4, name="other") + line(3, 0.3)
    (tmp_path / "metrics.jsonl").write_text(text)
    log = MetricLog(tmp_path, "loss")
    assert log.read()
    assert log.values == [0.5, 0.3]
    assert log.steps == [1, 3]


def test_what_a_task_returned_is_found_by_the_name_of_a_test_that_it_had_once(tmp_path):
    (tmp_path / "metrics.jsonl").write_text(line(1, 0.5) + line(2, 0.3, phase="result"))
    for name in ("test/loss", "result/loss"):
        log = MetricLog(tmp_path, name)
        log.read()
        assert log.values == [0.3]


def test_a_run_that_has_not_begun_has_no_logs(tmp_path):
    log = MetricLog(tmp_path / "nowhere", "loss")
    assert not log.read()
    assert log.values == []


def test_a_value_that_is_not_finite_is_a_log_that_is_not_a_number(tmp_path):
    (tmp_path / "metrics.jsonl").write_text(line(1, 0.5) + line(2, None))
    log = MetricLog(tmp_path, "loss")
    log.read()
    assert log.values[0] == 0.5
    assert math.isnan(log.values[1])


def test_new_lines_are_read_on_and_half_a_line_waits(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text(line(1, 0.5))
    log = MetricLog(tmp_path, "loss")
    log.read()
    second = line(2, 0.4)
    with path.open("a") as stream:
        stream.write(second[:10])
    assert not log.read()
    with path.open("a") as stream:
        stream.write(second[10:])
    assert log.read()
    assert log.values == [0.5, 0.4]
    assert not log.read()


def test_a_resumed_run_that_rewrites_its_records_is_read_from_the_beginning(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text(line(1, 0.5) + line(2, 0.4) + line(3, 0.3))
    log = MetricLog(tmp_path, "loss")
    log.read()
    fresh = tmp_path / "new"
    fresh.write_text(line(1, 0.5) + line(2, 0.35))
    fresh.replace(path)
    assert log.read()
    assert log.values == [0.5, 0.35]


def test_lines_that_are_no_records_are_left_out(tmp_path):
    (tmp_path / "metrics.jsonl").write_text("[1]\nnot json\n" + line(1, 0.5))
    log = MetricLog(tmp_path, "loss")
    log.read()
    assert log.values == [0.5]
