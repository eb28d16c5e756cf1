"""``hooks=`` on the command line: sets and single hooks, composed by Hydra itself."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from labcore.hooks import build_hooks
from labcore.hooks.build import BUILT_IN

CONFIGS = Path(__file__).resolve().parents[3] / "configs"
DEFAULT = {"console", "jsonl", "timing", "telemetry", "tensorboard"}


@pytest.fixture
def hooks_of(tmp_path):
    """Composes the ``hooks`` node for some overrides."""
    (tmp_path / "root.yaml").write_text("defaults:\n  - hooks: default\n  - _self_\n")

    def hooks_of(*overrides):
        with initialize_config_dir(str(tmp_path), version_base="1.3"):
            search = f"hydra.searchpath=[file://{CONFIGS}]"
            config = compose("root", overrides=[search, *overrides])
        return OmegaConf.to_container(config)["hooks"]

    return hooks_of


def test_the_default_set_keeps_everything_on_this_machine(hooks_of):
    assert set(hooks_of()) == DEFAULT


def test_none_still_records_the_metrics(hooks_of):
    assert set(hooks_of("hooks=none")) == {"jsonl"}


def test_single_hooks_make_a_list(hooks_of):
    assert set(hooks_of("hooks=[console,jsonl]")) == {"console", "jsonl"}


def test_a_hook_is_added_to_a_set(hooks_of):
    assert set(hooks_of("hooks=[default,wandb]")) == {*DEFAULT, "wandb"}


def test_options_are_set_on_the_command_line(hooks_of):
    hooks = hooks_of("hooks=[default,wandb]", "hooks.wandb.mode=offline")
    assert hooks["wandb"]["mode"] == "offline"
    assert hooks["wandb"]["tags"] == []


@pytest.mark.parametrize("override", ["~hooks.tensorboard", "hooks.tensorboard=null"])
def test_one_hook_of_a_set_is_turned_off(hooks_of, override):
    plugin = SimpleNamespace(hooks={})
    built = build_hooks(plugin, hooks_of(override))
    assert set(built.names()) == DEFAULT - {"tensorboard"}


def test_every_built_in_hook_has_a_file_whose_options_are_those_of_its_class(hooks_of):
    assert {path.stem for path in (CONFIGS / "hooks").glob("*.yaml")} == {
        *BUILT_IN,
        "default",
        "none",
    }
    plugin = SimpleNamespace(hooks={})
    for name in BUILT_IN:
        assert name in build_hooks(plugin, hooks_of(f"hooks={name}")).names()
