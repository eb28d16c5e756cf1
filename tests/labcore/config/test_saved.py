"""Saved configs come back as they were, also after the plugin has changed."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from labcore import Plugin, UsageError
from labcore.config import Composed, load_config
from labcore.discovery import FoundPlugin

Compose = Callable[..., Composed]


@pytest.fixture
def plugin(toy: FoundPlugin) -> Plugin:
    assert toy.plugin is not None
    return toy.plugin


def test_a_saved_config_comes_back_equal(composed: Compose, plugin: Plugin, tmp_path: Path) -> None:
    saved = composed(
        "preset=laptop", "net.kind=tall", 'taps={"a.*":[stats]}', "words={x:{y:1}}", "net.width=7"
    )
    path = tmp_path / "config.yaml"
    path.write_text(saved.to_yaml())
    assert load_config(plugin, path) == saved.config


def test_options_that_are_gone_are_left_out_with_a_warning(
    plugin: Plugin, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("steps: 3\nold: 1\nnet: {width: 5, ancient: 2}\n")
    with caplog.at_level(logging.WARNING):
        config = load_config(plugin, path)
    assert (config.steps, config.net.width) == (3, 5)
    assert "option old is gone" in caplog.text
    assert "option net.ancient is gone" in caplog.text


def test_options_added_since_take_their_defaults(plugin: Plugin, tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("steps: 3\n")
    assert load_config(plugin, path).net.width == 8


def test_values_that_do_not_fit_any_more_are_all_named(plugin: Plugin, tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("steps: x\nnet: {kind: round, width: 0}\n")
    with pytest.raises(UsageError) as caught:
        load_config(plugin, path)
    assert [problem.split(":")[0] for problem in caught.value.problems] == [
        "steps=x",
        "net.kind=round",
        "net.width is 0; it must be at least 1",
    ]


@pytest.mark.parametrize("text", ["steps: [1", "- 1\n", ""])
def test_a_damaged_file_is_told(plugin: Plugin, tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(text)
    if not text:
        assert load_config(plugin, path).steps == 10
        return
    with pytest.raises(UsageError, match="damaged"):
        load_config(plugin, path)


def test_an_absent_file_is_told(plugin: Plugin, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no saved config"):
        load_config(plugin, tmp_path / "config.yaml")
