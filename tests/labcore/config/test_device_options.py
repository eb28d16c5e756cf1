"""The options ``device.*``, and the word that stands for them."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from labcore.config import Composed, load_config, peek
from labcore.config.root import expand_override, expand_tree, peek_request
from labcore.discovery import FoundPlugin
from labcore.errors import UsageError

Compose = Callable[..., Composed]


def test_a_word_is_the_name_and_the_other_options_stay(composed: Compose) -> None:
    found = composed("device=cuda", "device.count=2", "device.wait=90")
    device = found.config.device
    assert (device.name, device.count, device.wait, device.min_memory_gb) == ("cuda", 2, "90", 0)
    assert device.request().wait_s == 90
    assert found.origins["device.name"] == found.origins["device.wait"] == "command line"
    assert found.origins["device.share"] == "default"
    assert "device.name" in found.changed


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("device=1", "1"),
        ("+device=cuda:1", "cuda:1"),
        ("device='GPU-1a'", "GPU-1a"),
        ("device={name:cpu,share:true}", "cpu"),
        ("device.name=cuda", "cuda"),
    ],
)
def test_a_device_can_be_written_in_several_ways(composed: Compose, typed: str, name: str) -> None:
    assert composed(typed).config.device.name == name


def test_a_preset_may_say_a_word_and_the_command_line_adds_to_it(
    composed: Compose, config_dir: Path
) -> None:
    text = "# @package _global_\ndevice: cuda\nsteps: 3\n"
    (config_dir / "preset/smoke.yaml").write_text(text)
    found = composed("preset=smoke", "device.wait=10m")
    assert (found.config.device.name, found.config.device.wait) == ("cuda", "10m")
    assert found.origins["device.name"] == "preset smoke"
    assert found.config.steps == 3


def test_a_word_inside_a_group_is_left_alone(composed: Compose, config_dir: Path) -> None:
    (config_dir / "words").mkdir()
    (config_dir / "words/mine.yaml").write_text("device: cpu\n")
    assert composed("words=mine").config.words == {"device": "cpu"}


def test_a_config_saved_before_there_were_options_is_read(toy: FoundPlugin, tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("plugin: toy\ndevice: cpu\nsteps: 4\n")
    assert toy.plugin is not None
    config = load_config(toy.plugin, path)
    assert (config.device.name, config.device.count, config.steps) == ("cpu", 0, 4)


def test_what_is_saved_is_read_back(toy: FoundPlugin, composed: Compose, tmp_path: Path) -> None:
    found = composed("device=cuda", "device.min_memory_gb=20")
    path = tmp_path / "config.yaml"
    path.write_text(found.to_yaml())
    assert yaml.safe_load(found.to_yaml())["device"]["min_memory_gb"] == 20
    assert toy.plugin is not None
    assert load_config(toy.plugin, path).device == found.config.device


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("device=tpu", "device=tpu is not a device"),
        ("device.wait=soon", "device.wait=soon is not a time"),
        ("device.count=-1", "device.count is -1"),
        ("device.count=two", "device.count=two: expected integer"),
        ("device.cuont=2", "did you mean device.count"),
        ("devcie=cpu", "did you mean device"),
    ],
)
def test_a_mistake_is_named(composed: Compose, typed: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        composed(typed)
    assert message in str(caught.value)


def test_several_words_are_a_sweep(composed: Compose) -> None:
    with pytest.raises(UsageError, match="has several values; add -m"):
        composed("device=cpu,cuda")


@pytest.mark.parametrize(
    ("overrides", "kind", "count", "memory"),
    [
        ([], "auto", 0, 0.0),
        (["seed=1", "device=cuda"], "cuda", 0, 0.0),
        (["device.name=cpu"], "cpu", 0, 0.0),
        (["device='cuda'", "device.count=2", "device.min_memory_gb=20"], "cuda", 2, 20.0),
        (["device=tpu", "device.count=2"], "auto", 0, 0.0),
        (["device.count=x"], "auto", 0, 0.0),
    ],
)
def test_a_request_is_read_before_anything_is_composed(
    overrides: list[str], kind: str, count: int, memory: float
) -> None:
    request = peek_request(overrides)
    assert (request.kind, request.count, request.min_memory_gb) == (kind, count, memory)


def test_only_a_word_is_written_in_full() -> None:
    assert expand_override("device=cpu,cuda") == "device.name=cpu,cuda"
    assert expand_override("seed=1") == "seed=1"
    assert expand_override("~device") == "~device"
    assert expand_tree({"device": None, "seed": 1}) == {"device": None, "seed": 1}
    assert expand_tree({"device": {"count": 2}}) == {"device": {"count": 2}}
    assert peek(["device=cpu"], "device") == "cpu"
