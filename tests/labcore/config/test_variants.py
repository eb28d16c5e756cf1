"""Alternatives with options of their own: ``model=bts`` and ``model=adabins``."""

import pickle
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from labcore import LabError, Plugin, Task, UsageError
from labcore.config import Composed, compose, list_options, load_config
from labcore.config.diagnosis import with_variants
from labcore.config.multirun import check_sweep
from labcore.discovery import FoundPlugin

Choose = Callable[..., Composed]


@dataclass(kw_only=True, slots=True)
class Bts:
    """Local planar guidance."""

    planes: int = 4
    """Planes of a layer."""

    @property
    def double(self) -> int:
        return 2 * self.planes


@dataclass(kw_only=True, slots=True)
class AdaBins:
    """Adaptive bins."""

    bins: int = 256
    """Bins of depth."""

    def __post_init__(self) -> None:
        if self.bins < 2:
            raise ValueError(f"model.bins is {self.bins}; it must be at least 2")


@dataclass(kw_only=True, slots=True)
class Named:
    """What no variant may have."""

    name: str = ""


@dataclass(kw_only=True, slots=True)
class Config:
    """Options of the plugin."""

    lr: float = 0.1


def declared(**models: str) -> Plugin:
    return Plugin(
        name="depths",
        summary="three networks",
        tasks=(Task(name="train", summary="train", run=f"{__name__}:Config"),),
        config=Config,
        variants={"model": models},
    )


MODELS = {"bts": f"{__name__}:Bts", "adabins": f"{__name__}:AdaBins"}


@pytest.fixture
def found(tmp_path: Path) -> FoundPlugin:
    preset = tmp_path / "configs" / "preset"
    preset.mkdir(parents=True)
    (preset / "fine.yaml").write_text("model: adabins\nlr: 0.5\n")
    (preset / "finer.yaml").write_text("model: {name: adabins, bins: 512}\n")
    return FoundPlugin(
        name="depths", origin="test", plugin=declared(**MODELS), config_dir=tmp_path / "configs"
    )


@pytest.fixture
def chosen(found: FoundPlugin) -> Choose:
    return lambda *overrides: compose(found, overrides, preset_for_auto=lambda plugin: "none")


def refused(chosen: Choose, *overrides: str) -> str:
    with pytest.raises(UsageError) as caught:
        chosen(*overrides)
    return "\n".join(caught.value.problems)


def test_the_first_one_declared_is_the_default(chosen: Choose) -> None:
    model = chosen("preset=none").config.model
    assert isinstance(model, Bts)
    assert (model.name, model.planes, model.double) == ("bts", 4, 8)


def test_the_name_alone_chooses_one_with_its_own_options(chosen: Choose) -> None:
    composed = chosen("model=adabins", "model.bins=64")
    assert isinstance(composed.config.model, AdaBins)
    assert (composed.config.model.bins, composed.origins["model.name"]) == (64, "command line")
    assert "model.planes" not in composed.values()


def test_an_option_of_another_one_is_refused_and_its_owner_named(chosen: Choose) -> None:
    assert refused(chosen, "model=bts", "model.bins=3") == (
        "there is no option 'model.bins' in model=bts; model=adabins has it"
    )


def test_a_wrong_option_gets_the_nearest_of_the_chosen_one(chosen: Choose) -> None:
    assert "in model=adabins; did you mean model.bins?" in refused(
        chosen, "model=adabins", "model.bin=3"
    )


def test_a_wrong_name_gets_the_nearest(chosen: Choose) -> None:
    assert "did you mean adabins? it is one of bts, adabins" in refused(chosen, "model=adabinz")


def test_its_own_checks_run(chosen: Choose) -> None:
    assert (
        refused(chosen, "model=adabins", "model.bins=1") == "model.bins is 1; it must be at least 2"
    )


@pytest.mark.parametrize(("preset", "bins"), [("fine", 256), ("finer", 512)])
def test_a_preset_chooses_one(chosen: Choose, preset: str, bins: int) -> None:
    composed = chosen(f"preset={preset}")
    assert composed.config.model.bins == bins
    assert composed.origins["model.name"] == f"preset {preset}"


def test_the_command_line_wins_over_the_preset(chosen: Choose) -> None:
    composed = chosen("preset=fine", "model=bts")
    assert (composed.config.model.name, composed.config.lr) == ("bts", 0.5)


def test_a_saved_config_comes_back_as_the_same_one(
    chosen: Choose, found: FoundPlugin, tmp_path: Path
) -> None:
    composed = chosen("model=adabins", "model.bins=8")
    (tmp_path / "config.yaml").write_text(composed.to_yaml())
    assert found.plugin is not None
    loaded = load_config(found.plugin, tmp_path / "config.yaml")
    assert loaded == composed.config
    assert isinstance(loaded.model, AdaBins)


def test_workers_of_other_processes_receive_it(chosen: Choose) -> None:
    config = chosen("model=adabins", "model.bins=8").config
    assert pickle.loads(pickle.dumps(config)) == config  # our own bytes


def test_help_lists_the_options_of_the_chosen_one(found: FoundPlugin) -> None:
    options = {
        option.path: option for option in list_options(with_variants(found, ["model=adabins"]))
    }
    assert options["model.bins"].doc == "Bins of depth."
    assert options["model.name"].choices == ("bts", "adabins")
    assert "model.planes" not in options


def test_a_sweep_goes_over_several(found: FoundPlugin) -> None:
    (given,) = check_sweep(found, ["model=bts,adabins"])
    assert given.values() == ["bts", "adabins"]


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("nowhere.at_all:X", "model=one is broken: nowhere.at_all:X cannot be imported"),
        (f"{__name__}:MODELS", "is no dataclass"),
        (f"{__name__}:Named", "has a field 'name', which every variant gets"),
    ],
)
def test_a_broken_one_is_told_with_its_name(target: str, said: str) -> None:
    found = FoundPlugin(name="depths", origin="test", plugin=declared(one=target))
    with pytest.raises(LabError, match="model=one is broken") as caught:
        compose(found, [])
    assert said in caught.value.message


def test_a_declaration_with_no_alternative_is_refused() -> None:
    with pytest.raises(ValueError, match="model has no variants"):
        declared()


def test_declaring_them_imports_none_of_them() -> None:
    plugin: Any = declared(one="nowhere.at_all:X")
    assert plugin.variants["model"] == {"one": "nowhere.at_all:X"}
