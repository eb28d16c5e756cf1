"""The dataclass of a composed config."""

import pickle
from dataclasses import dataclass, fields

import pytest

from labcore import LabError
from labcore.config import RootConfig, build_schema
from labcore.discovery import FoundPlugin


@dataclass(kw_only=True, slots=True)
class Plain:
    steps: int = 3

    def __post_init__(self) -> None:
        if self.steps < 0:
            raise ValueError("steps below 0")


@dataclass(kw_only=True, slots=True)
class Clashing:
    seed: int = 3
    device: str = ""


def test_a_schema_is_a_kind_of_the_plugins_config() -> None:
    assert isinstance(build_schema(Plain)(), Plain)


def test_core_options_come_first() -> None:
    names = [field.name for field in fields(build_schema(Plain))]
    assert names == [*(field.name for field in fields(RootConfig)), "steps"]


def test_both_checks_run() -> None:
    schema = build_schema(Plain)
    with pytest.raises(ValueError, match="steps below 0"):
        schema(steps=-1)
    with pytest.raises(ValueError, match="taps_every"):
        schema(taps_every=0)


def test_instances_do_not_share_their_mappings() -> None:
    schema = build_schema(Plain)
    assert schema().taps is not schema().taps


def test_options_named_like_core_options_are_refused_by_name() -> None:
    with pytest.raises(LabError, match=r"Clashing has options .*: seed, device"):
        build_schema(Clashing)


def test_a_config_can_be_sent_to_another_process(toy: FoundPlugin) -> None:
    assert toy.plugin is not None
    config = build_schema(toy.plugin.config)(steps=4, seed=2, taps={"a": ["stats"]})
    assert pickle.loads(pickle.dumps(config)) == config
