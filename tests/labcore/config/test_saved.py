"""Saved configs come back as they were, also after the plugin has changed."""

import logging
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labcore import Plugin, UsageError
from labcore.config import Composed, load_config
from labcore.config.saved import copied_yaml, saved_yaml
from labcore.discovery import FoundPlugin
from labcore.record.redaction import MASK
from tests.labcore.config.conftest import make_toy

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


@pytest.mark.parametrize(
    "text",
    [
        "a: &x [1, 2]\nb: *x\n",
        "a: &a\n  b: *a\n",
        "a: &a [x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: [*c, *c]\n",
        "1: 2\n",
        "? [a]\n: 1\n",
        "steps: " + "[" * 5000,
        "steps: " + "9" * 5000 + "\n",
        "steps: \xff\n",
        "when: !!timestamp x\n",
        "run: !!python/object/apply:os.getcwd []\n",
        "name: ${\n",
        "x" * 1_100_000,
    ],
)
def test_no_file_breaks_the_reader(plugin: Plugin, tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(text, encoding="latin-1")
    if text == "1: 2\n":
        assert load_config(plugin, path).steps == 10  # an option that is gone
        return
    with pytest.raises(UsageError, match="the saved config"):
        load_config(plugin, path)


@pytest.mark.parametrize(
    "value", ["${oc.env:HOME}", r"\\${oc.env:HOME}", "${now:%Y}", "a ${name}", "${a.${b}}"]
)
def test_a_strangers_file_looks_nothing_up(plugin: Plugin, tmp_path: Path, value: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(f"name: '{value}'\n")
    with pytest.raises(UsageError, match=r"name=.* a saved config is not resolved"):
        load_config(plugin, path)


def test_the_files_of_older_versions_may_refer_to_other_options(
    plugin: Plugin, tmp_path: Path
) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("net: {width: '${steps}'}\nsteps: ${words.n}\nwords: {n: 6, m: '${words.m}'}\n")
    with pytest.raises(UsageError, match=r"words\.m"):
        load_config(plugin, path)
    path.write_text("net: {width: '${steps}'}\nsteps: ${words.n}\nwords: {n: 6}\n")
    assert (load_config(plugin, path).net.width, load_config(plugin, path).steps) == (6, 6)


@given(
    text=st.text(st.sampled_from("\\${}:.a' ]\n*"), max_size=12),
)
def test_any_text_comes_back_as_it_was(text: str) -> None:
    found = make_toy(Path("configs"))
    assert found.plugin is not None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "config.yaml")
        path.write_text(saved_yaml({"words": {"x": text, "y": [text]}}, {}))
        if MASK not in text:
            assert load_config(found.plugin, path).words == {"x": text, "y": [text]}


def test_a_secret_is_masked_and_asked_for_when_the_run_goes_on(
    composed: Compose, plugin: Plugin, tmp_path: Path
) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(composed("words.db={password:hunter2,host:h}", "words.key=C").to_yaml())
    assert load_config(plugin, path).words == {"db": {"password": MASK, "host": "h"}, "key": "C"}
    with pytest.raises(UsageError) as caught:
        load_config(plugin, path, secrets={"steps": "3"})
    assert [problem.split(" ")[0] for problem in caught.value.problems] == [
        "words.db.password",
        "steps",
    ]
    config = load_config(plugin, path, secrets={"words.db.password": "${oc.env:HOME}"})
    assert config.words["db"]["password"] == "${oc.env:HOME}"


def test_a_copied_config_reads_the_same_and_has_no_secret(plugin: Plugin, tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("steps: 3\nwords: {api_key: hunter2, x: '\\${a}', y: 1e-3}\n")
    copy = tmp_path / "source.yaml"
    copy.write_text(copied_yaml(path))
    assert "hunter2" not in copy.read_text()
    assert load_config(plugin, copy).words == {"api_key": MASK, "x": "${a}", "y": 1e-3}
