"""Composition: who wins over whom, and where values come from."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hydra.core.global_hydra import GlobalHydra
from omegaconf import OmegaConf

from labcore import LabError, UsageError
from labcore.config import Composed, compose
from labcore.discovery import FoundPlugin

Compose = Callable[..., Composed]


def test_a_config_has_the_options_of_plugin_and_core_as_one_typed_object(composed: Compose) -> None:
    config = composed("plugin=toy", "preset=none", "seed=7", "net.kind=tall").config
    assert (config.steps, config.seed, config.net.width, config.net.kind.name) == (10, 7, 8, "tall")


def test_methods_of_the_plugins_dataclass_survive(composed: Compose) -> None:
    assert composed("steps=4").config.double == 8


def test_task_is_the_first_one_when_left_out(composed: Compose) -> None:
    result = composed("preset=none")
    assert (result.task.name, result.cfg.task, result.cfg.plugin) == ("train", "train", "toy")


def test_a_preset_wins_over_defaults_and_an_option_over_the_preset(composed: Compose) -> None:
    config = composed("preset=laptop", "net.width=3").config
    assert (config.steps, config.net.width, config.optim.lr) == (20, 3, 0.01)


def test_the_preset_is_recorded_by_name(composed: Compose) -> None:
    result = composed("preset=smoke")
    assert result.preset == result.cfg.preset == result.config.preset == "smoke"


@pytest.mark.parametrize("typed", [[], ["preset=auto"]])
def test_auto_takes_the_preset_of_the_machine(composed: Compose, typed: list[str]) -> None:
    result = composed(*typed, preset_for_auto=lambda plugin: "paper")
    assert (result.preset, result.config.steps, result.origins["preset"]) == ("paper", 1000, "auto")


def test_auto_takes_what_there_is_when_the_plugin_lacks_the_preset(composed: Compose) -> None:
    assert composed(preset_for_auto=lambda plugin: "huge").preset == "laptop"


def test_a_plugin_without_configs_has_no_preset(toy: FoundPlugin) -> None:
    bare = FoundPlugin(name="toy", origin="test", plugin=toy.plugin)
    assert compose(bare, ["plugin=toy"]).preset == "none"


def test_a_group_chosen_by_name_wins_over_the_preset(composed: Compose) -> None:
    config = composed("preset=tall", "net=flat").config
    assert (config.net.kind.name, config.net.depth) == ("flat", 1)


def test_values_of_a_preset_win_over_the_group_that_it_chooses_itself(composed: Compose) -> None:
    config = composed("preset=tall").config
    assert (config.net.kind.name, config.net.depth) == ("tall", 9)


def test_a_preset_and_a_group_that_set_other_keys_go_together(composed: Compose) -> None:
    net = composed("preset=laptop", "net=tall").config.net
    assert (net.kind.name, net.width, net.depth) == ("tall", 16, 5)


@pytest.mark.parametrize(("choice", "width"), [([], 8), (["net=tall"], 200), (["net=flat"], 100)])
def test_a_preset_can_have_sizes_for_each_choice_of_a_group(
    composed: Compose, choice: list[str], width: int
) -> None:
    assert composed("preset=paper", *choice).config.net.width == width


def test_the_default_option_of_a_group_loses_to_the_preset(
    composed: Compose, config_dir: Path
) -> None:
    (config_dir / "optim").mkdir()
    (config_dir / "optim/default.yaml").write_text("lr: 7\nlr_min: 5\n")
    optim = composed("preset=laptop").config.optim
    assert (optim.lr, optim.lr_min) == (0.01, 5)


def test_every_value_says_where_it_came_from(composed: Compose) -> None:
    origins = composed("preset=laptop", "net=tall", "optim.lr_min=0.001").origins
    expected = {
        "steps": "preset laptop",
        "net.kind": "net=tall",
        "net.width": "preset laptop",
        "optim.lr": "preset laptop",
        "optim.lr_min": "command line",
        "optim.betas": "default",
        "seed": "default",
        "plugin": "command line",
        "hooks.jsonl": "hooks=default",
        "preset": "command line",
    }
    assert {key: origins[key] for key in expected} == expected


def test_files_below_a_preset_are_the_presets(composed: Compose) -> None:
    assert composed("preset=paper", "net=tall").origins["net.width"] == "preset paper"


def test_every_option_has_an_origin(composed: Compose) -> None:
    result = composed("words={a:{b:1}}")
    assert set(result.origins) == set(result.values())
    assert result.origins["words.a.b"] == "command line"


def test_changed_are_the_options_that_differ_from_the_dataclass(composed: Compose) -> None:
    assert set(composed("preset=laptop", "net.width=8").changed) == {"steps", "optim.lr"}


@pytest.mark.parametrize(
    ("typed", "options"),
    [
        (["hooks=[none,mine]"], {}),
        (["hooks=[none,mine]", "hooks.mine.every=2"], {"every": 2}),
        (["hooks=none", "hooks.mine.every=2"], {"every": 2}),
        (["hooks=none", "hooks.mine={every: 2, loud: true}"], {"every": 2, "loud": True}),
        (["hooks=none", "+hooks.mine={every: 2}"], {"every": 2}),
    ],
)
def test_a_hook_of_the_plugin_is_chosen_like_any_other(
    composed: Compose, typed: list[str], options: dict[str, object]
) -> None:
    assert composed(*typed).config.hooks["mine"] == options


def test_a_file_says_which_options_a_hook_of_the_plugin_has(
    composed: Compose, config_dir: Path
) -> None:
    (config_dir / "hooks").mkdir()
    (config_dir / "hooks/mine.yaml").write_text("mine: {every: 100}\n")
    assert composed("hooks=[none,mine]").config.hooks["mine"] == {"every": 100}
    with pytest.raises(UsageError, match=r"no option 'hooks.mine.evry'; did you mean hooks.mine.e"):
        composed("hooks=[none,mine]", "hooks.mine.evry=3")


def test_a_preset_needs_no_package_line(composed: Compose, config_dir: Path) -> None:
    (config_dir / "preset/smoke.yaml").write_text("# Seconds.\nsteps: 1\nnet: {width: 2}\n")
    result = composed("preset=smoke")
    assert (result.config.steps, result.config.net.width) == (1, 2)
    assert result.origins["net.width"] == "preset smoke"


def test_a_preset_may_still_say_where_its_keys_belong(composed: Compose, config_dir: Path) -> None:
    (config_dir / "preset/smoke.yaml").write_text("# @package net\nwidth: 3\n")
    assert composed("preset=smoke").config.net.width == 3


def test_hooks_can_be_a_list_of_sets(composed: Compose) -> None:
    hooks = composed("hooks=[none,timing]").config.hooks
    assert set(hooks) == {"jsonl", "timing"}


@pytest.mark.parametrize("device", ["cpu", "cuda", "cuda:1"])
def test_a_device_is_a_plain_value(composed: Compose, device: str) -> None:
    assert composed(f"device={device}").config.device.name == device


@pytest.mark.parametrize(
    "typed",
    [
        ["taps={encoder.lstm:[stats,histogram],decoder.*:[stats]}"],
        ['taps={encoder.lstm: [stats, histogram], "decoder.*": [stats]}'],
        ["taps={'encoder.lstm':[stats,histogram],'decoder.*':[stats]}"],
        ["taps.encoder.lstm=[stats,histogram]", "taps.decoder.*=[stats]"],
        ["++taps={encoder.lstm:[stats,histogram],decoder.*:[stats]}"],
    ],
)
def test_taps_are_written_on_the_command_line_as_in_yaml(
    composed: Compose, typed: list[str]
) -> None:
    taps = composed(*typed).config.taps
    assert taps == {"encoder.lstm": ["stats", "histogram"], "decoder.*": ["stats"]}


def test_taps_of_a_preset_and_of_the_command_line_add_up(
    composed: Compose, config_dir: Path
) -> None:
    (config_dir / "preset/smoke.yaml").write_text(
        '# @package _global_\ntaps: {encoder.lstm: [stats], "decoder.*": [stats]}\n'
    )
    taps = composed("preset=smoke", "taps={decoder.*:[shape]}").config.taps
    assert taps == {"encoder.lstm": ["stats"], "decoder.*": ["shape"]}


def test_a_mapping_with_values_of_any_kind_takes_nested_keys(composed: Compose) -> None:
    assert composed("words.a.b=1").config.words == {"a": {"b": 1}}


def test_references_to_other_options_are_resolved_in_the_object_and_in_the_yaml(
    composed: Compose,
) -> None:
    result = composed("net.width=${steps}", "steps=6")
    assert result.config.net.width == 6
    assert result.values()["net.width"] == 6
    assert yaml.safe_load(result.to_yaml())["net"]["width"] == 6


def test_the_value_of_an_environment_variable_does_not_reach_the_yaml(
    composed: Compose, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOY_TOKEN", "hush")
    result = composed("name=${oc.env:TOY_TOKEN}")
    assert result.config.name == "hush"
    assert "hush" not in result.to_yaml()


def test_the_time_in_a_value_is_that_of_composing(composed: Compose) -> None:
    result = composed("name=at-${now:%Y}")
    assert re.fullmatch(r"at-20\d\d", result.config.name)
    assert yaml.safe_load(result.to_yaml())["name"] == result.config.name


def test_the_yaml_opens_with_what_was_run(composed: Compose) -> None:
    lines = composed("preset=smoke").to_yaml().splitlines()
    assert lines[:3] == ["plugin: toy", "task: train", "preset: smoke"]


def test_more_config_folders_can_be_searched(composed: Compose, tmp_path: Path) -> None:
    extra = tmp_path / "mine"
    (extra / "preset").mkdir(parents=True)
    (extra / "preset/mine.yaml").write_text("# @package _global_\nsteps: 77\n")
    assert composed("preset=mine", search_dirs=[extra]).config.steps == 77
    assert composed("preset=mine", f"hydra.searchpath=['file://{extra}']").config.steps == 77


def test_composing_leaves_hydras_global_state_as_it_was(composed: Compose) -> None:
    composed("preset=smoke")
    assert not GlobalHydra().is_initialized()


def test_two_plugins_can_be_composed_in_turn(composed: Compose, toy: FoundPlugin) -> None:
    bare = FoundPlugin(name="toy", origin="test", plugin=toy.plugin)
    assert composed("preset=smoke").config.steps == 1
    assert compose(bare, []).config.steps == 10
    assert composed("preset=smoke").config.steps == 1


def test_a_broken_file_of_the_plugin_is_named_as_the_plugins_fault(
    composed: Compose, config_dir: Path
) -> None:
    (config_dir / "preset/smoke.yaml").write_text("# @package _global_\nstepz: 3\n")
    with pytest.raises(LabError, match=r"config files of plugin toy.*stepz") as caught:
        composed("preset=smoke")
    assert str(config_dir) in str(caught.value)


def test_the_run_is_named_after_task_and_preset(composed: Compose) -> None:
    assert composed("preset=smoke", "task=sample").run_name == "sample-smoke"
    assert composed("preset=none").run_name == "train"
    assert composed("name=my words").run_name == "my words"


def test_hydras_node_is_kept_beside_the_config(composed: Compose) -> None:
    result = composed("preset=smoke")
    assert "hydra" not in result.cfg
    assert OmegaConf.select(result.with_hydra(), "hydra.job.chdir") is False
    assert result.choices["preset"] == "smoke"


def test_composing_a_config_imports_no_framework() -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from labcore.config import compose, list_options\n"
        "assert 'hydra' not in sys.modules and 'omegaconf' not in sys.modules\n"
        "from labcore import Plugin, Task\n"
        "from labcore.discovery import FoundPlugin\n"
        "from labcore.training.config import LoopConfig\n"
        "p = Plugin(name='p', summary='', config=LoopConfig,"
        " tasks=(Task(name='t', summary='', run='a:b'),))\n"
        "compose(FoundPlugin(name='p', origin='', plugin=p), ['max_steps=3'])\n"
        "heavy = {'torch', 'tensorflow', 'numpy', 'wandb', 'lightning_fabric'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
