"""The config table, the environment tree, and how numbers are written."""

import math

import pytest

from labcore.config.root import TrainingOptions, training_options
from labcore.report.details import config_rows, grow
from labcore.report.metrics import Series, headline
from labcore.report.wording import format_number, format_size


def test_options_stand_before_groups_and_know_their_dotted_key():
    rows = config_rows({"train": {"max_steps": 5}, "seed": 0}, {})
    assert [(row.path, row.depth, row.value, row.is_group) for row in rows] == [
        ("seed", 0, "0", False),
        ("train", 0, "", True),
        ("train.max_steps", 1, "5", False),
    ]


def test_only_values_that_do_not_come_from_default_are_marked():
    origins = {"a": "default", "b": "command line", "g.x": "preset laptop", "g.y": "default"}
    rows = config_rows({"a": 1, "b": 2, "c": 3, "g": {"x": 1, "y": 2}, "h": {"z": 0}}, origins)
    marked = {row.path: row.origin for row in rows if row.origin}
    assert marked == {"b": "command line", "g.x": "preset laptop"}
    assert [row.path for row in rows if row.is_group and row.has_changes] == ["g"]


def test_a_group_speaks_for_the_options_below_it():
    rows = config_rows({"taps": {"encoder": ["stats"]}}, {"taps": "command line"})
    assert rows[-1].origin == "command line"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, "null"),
        (True, "true"),
        ("", '""'),
        ("5m", "5m"),
        (1e-3, "0.001"),
        ([], "[]"),
        ({}, "{}"),
    ],
)
def test_values_are_written_as_in_yaml(value, written):
    assert config_rows({"key": value}, None)[0].value == written


def test_a_list_is_written_in_one_line():
    assert config_rows({"key": ["stats", 2]}, None)[0].value == "[stats, 2]"


@pytest.mark.parametrize("config", [None, [], "text", 3])
def test_what_is_no_config_has_no_rows(config):
    assert config_rows(config, {}) == []


def test_records_grow_into_branches_named_by_what_tells_them_apart():
    tree = grow({"host": "a", "gpus": [{"name": "H100", "memory_mib": 81_559}], "none": []})
    host, gpus, none = tree.children
    assert (host.label, host.text) == ("host", "a")
    assert gpus.children[0].label == "H100"
    assert gpus.num_leaves == 2
    assert none.text == "none"


def test_a_text_of_several_lines_is_kept_as_it_is():
    assert grow({"diff": "a\nb"}).children[0].text == "a\nb"


def test_the_monitor_is_the_metric_that_chooses_the_checkpoint():
    assert training_options({"train": {"monitor": "acc", "goal": "maximize"}}) == TrainingOptions(
        monitor="acc", maximize=True
    )
    assert training_options({"train": {"monitor": "loss"}}) == TrainingOptions(
        monitor="loss", maximize=False
    )
    assert training_options({"seed": 0}) is None


def test_the_lowest_and_highest_value_name_their_first_step():
    series = Series(
        phase="val", name="loss", steps=[1, 2, 3, 4, 5], values=[3.0, 1.0, 1.0, math.nan, 3.0]
    )
    assert series.ends == {"lowest": (1.0, 2), "highest": (3.0, 1)}


def test_the_headline_begins_with_the_monitored_metric_then_test():
    rows = [
        Series(phase="val", name="kl", steps=[1, 2], values=[5.0, 6.0]),
        Series(phase="val", name="loss", steps=[1, 2], values=[1.0, 2.0]),
        Series(phase="test", name="acc", steps=[2], values=[0.9]),
    ]
    tiles = headline(rows, {"val/only_in_status": 7.0, "val/kl": 0.0}, "val/loss", "lowest")
    assert tiles == [
        ("val/loss", "2", "best\xa01 at step\xa01"),
        ("test/acc", "0.9", ""),
        ("val/kl", "6", ""),
        ("val/only_in_status", "7", ""),
    ]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.42134, "0.4213"),
        (18.0, "18"),
        (-2.5, "-2.5"),
        (12_345.6, "12,346"),
        (1_234_567, "1,234,567"),
        (3.14e-7, "3.14e-7"),
        (2.5e12, "2.5e12"),
        (0, "0"),
        (math.nan, "not a number"),
        (-math.inf, "infinite"),
        (None, "not a number"),
    ],
)
def test_numbers_have_four_significant_digits(value, written):
    assert format_number(value) == written


@pytest.mark.parametrize(
    ("size", "written"),
    [(812, "812 B"), (1_234, "1.2 kB"), (44_100, "44 kB"), (999_600, "1.0 MB"), (3e12, "3000 GB")],
)
def test_sizes_are_decimal(size, written):
    assert format_size(size) == written
