"""A sweep over alternatives that have options of their own."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from labcore import Plugin, Task, UsageError
from labcore.discovery import FoundPlugin
from labcore.sweeps import prepare as prepare_module
from labcore.sweeps.prepare import Prepared, prepare


@dataclass(kw_only=True, slots=True)
class Bts:
    planes: int = 4


@dataclass(kw_only=True, slots=True)
class AdaBins:
    bins: int = 256


@dataclass(kw_only=True, slots=True)
class Config:
    lr: float = 0.1


PLUGIN = Plugin(
    name="depths",
    summary="two networks",
    tasks=(Task(name="train", summary="train", run=f"{__name__}:Config"),),
    config=Config,
    variants={"model": {"bts": f"{__name__}:Bts", "adabins": f"{__name__}:AdaBins"}},
)


@pytest.fixture
def prepared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    found = {"depths": FoundPlugin(name="depths", origin="test", plugin=PLUGIN)}
    monkeypatch.setattr(prepare_module, "find_plugins", lambda: found)

    def make(parameters: str, *overrides: str) -> Prepared:
        file = tmp_path / "depths.yaml"
        file.write_text(f"method: random\nmetric: {{name: score}}\nparameters:\n{parameters}")
        return prepare(file, overrides)

    return make


BOTH = "  model: {values: [bts, adabins]}\n"


def test_options_of_one_are_known_where_it_is_among_the_values(prepared) -> None:
    assert prepared(BOTH + "  model.bins: {values: [64, 128]}\n").warnings == ()


def test_a_trial_of_the_other_does_not_set_them(prepared) -> None:
    sweep = prepared(BOTH + "  model.bins: {values: [64]}\n  lr: {values: [0.1]}\n")
    assert sweep.values_of({"model": "adabins", "model.bins": 64, "lr": 0.1}) == {
        "model": "adabins",
        "model.bins": 64,
        "lr": 0.1,
    }
    assert sweep.values_of({"model": "bts", "model.bins": 64, "lr": 0.1}) == {
        "model": "bts",
        "lr": 0.1,
    }


def test_a_fixed_one_has_its_options_swept(prepared) -> None:
    sweep = prepared("  model.bins: {values: [64, 128]}\n", "model=adabins")
    assert sweep.values_of({"model.bins": 64}) == {"model.bins": 64}


def test_options_of_one_that_is_not_tried_are_refused(prepared) -> None:
    with pytest.raises(UsageError) as caught:
        prepared("  model.bins: {values: [64]}\n")
    (problem,) = caught.value.problems
    assert "there is no option 'model.bins' in model=bts; model=adabins has it" in problem


def test_a_wrong_value_is_told_with_its_line(prepared) -> None:
    with pytest.raises(UsageError) as caught:
        prepared(BOTH + "  model.bins: {values: [64, many]}\n")
    assert any("line 5" in each and "many" in each for each in caught.value.problems)


def test_a_wrong_name_is_told_with_the_nearest(prepared) -> None:
    with pytest.raises(UsageError) as caught:
        prepared("  model: {values: [bts, adabin]}\n")
    assert any("did you mean adabins?" in each for each in caught.value.problems)
