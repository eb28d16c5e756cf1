"""A sweep held against a plugin: names, types, choices, the metric, whole configs."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

import pytest

from labcore import LabError, Plugin, Task
from labcore.discovery import FoundPlugin, find_plugins
from labcore.errors import UsageError
from labcore.sweeps.file.check import examine
from labcore.sweeps.file.read import read_in_part
from labcore.sweeps.prepare import prepare


class Kind(Enum):
    flat = "flat"
    tall = "tall"


@dataclass(kw_only=True, slots=True)
class OptimConfig:
    lr: float = 0.1
    """Learning rate."""
    lr_min: float = 0.01
    """Lowest learning rate."""
    betas: list[float] = field(default_factory=lambda: [0.9, 0.99])
    """Decay rates."""

    def __post_init__(self) -> None:
        if self.lr < self.lr_min:
            raise ValueError("optim.lr_min must be at most optim.lr")


@dataclass(kw_only=True, slots=True)
class LoopConfig:
    max_steps: int = 1000
    """Steps to take."""
    validate_every: int = 100
    """Steps between two validations; 0 for one at the end."""


@dataclass(kw_only=True, slots=True)
class ToyConfig:
    size: int = 3
    """Units."""
    kind: Kind = Kind.flat
    """Shape."""
    shout: bool = False
    """Whether to shout."""
    words: dict[str, int] = field(default_factory=dict)
    """Anything else."""
    optim: OptimConfig = field(default_factory=OptimConfig)
    train: LoopConfig = field(default_factory=LoopConfig)


def make_toy(folder: Path, **more: object) -> FoundPlugin:
    for name, text in {
        "net/flat.yaml": "# @package _global_\nsize: 4\n",
        "net/tall.yaml": "# @package _global_\nsize: 5\n",
        "preset/laptop.yaml": "# @package _global_\nsize: 2\n",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    plugin = Plugin(
        name="toy",
        summary="A toy.",
        tasks=(Task(name="train", summary="Trains.", run="toy:train"),),
        config=ToyConfig,
        presets={"laptop": "minutes"},
        **more,  # type: ignore[arg-type]
    )
    return FoundPlugin(name="toy", origin="test", plugin=plugin, config_dir=folder)


METRICS = {"val/loss": "low is good", "val/auc": "high is good", "train/loss": "of the batches"}


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> FoundPlugin:
    return make_toy(tmp_path_factory.mktemp("toy"), metrics=METRICS)


Say = Callable[..., list[str]]


@pytest.fixture
def say(whole, toy) -> Callable[..., tuple[list[str], list[str]]]:
    """Problems and warnings of a random sweep over parameters."""

    def call(parameters, overrides=(), **more):
        content = {"method": "random", "parameters": parameters, **more}
        reading = whole(content, overrides=["plugin=toy", *overrides])
        assert reading.warnings == []
        examine(reading, toy)
        return reading.problems, reading.warnings

    return call


def test_a_sweep_that_fits_is_left_alone(say):
    parameters = {
        "size": {"min": 1, "max": 9},
        "kind": {"values": ["flat", "tall"]},
        "net": {"values": ["flat", "tall"]},
        "shout": {"values": [True, False]},
        "optim.lr": {"distribution": "log_uniform_values", "min": 0.01, "max": 1},
        "optim.betas": {"values": [[0.9, 0.99], [0.5, 0.9]]},
        "words.any": {"values": [1, 2]},
        "task": {"value": "train"},
        "preset": {"value": "laptop"},
        "hooks": {"value": ["jsonl"]},
        "device": {"value": "cpu"},
        "seed": {"distribution": "q_uniform", "min": 0, "max": 100, "q": 10},
        "train": {"value": {"max_steps": 500}},
        "threads": {"distribution": "q_normal", "mu": 9},
    }
    metric = {"name": "val/auc", "goal": "maximize"}
    stop = {"type": "hyperband", "min_iter": 2}
    assert say(parameters, metric=metric, early_terminate=stop) == ([], [])


WRONG = {
    "name": (
        {"lr": {"min": 0.1, "max": 0.5}},
        "lr: there is no option 'lr'; did you mean optim.lr?",
    ),
    "far name": (
        {"qqq": {"value": 1}},
        "qqq: there is no option 'qqq'; lab run plugin=toy --help l",
    ),
    "group": (
        {"net": {"values": ["flat", "tal"]}},
        "net: tal: there is no 'tal'; did you mean tall? there are flat, tall",
    ),
    "list of groups": (
        {"hooks": {"value": ["jsonl", "wanbd"]}},
        "hooks: wanbd: there is no 'wanbd'; did you mean wandb? there",
    ),
    "group by range": (
        {"net": {"min": 1, "max": 3}},
        "net: int_uniform gives values such as 3: there is no '3'; there are flat, tall",
    ),
    "task": (
        {"task": {"value": "tain"}},
        "task: tain: there is no 'tain'; did you mean train? there are",
    ),
    "section": (
        {"optim": {"values": ["adam"]}},
        "optim: adam: optim holds several options; set one of them, such as optim.lr=VALUE",
    ),
    "section by range": (
        {"train": {"min": 1, "max": 2}},
        "int_uniform gives values such as 2: train holds several options; set one of them",
    ),
    "enum": (
        {"kind": {"values": ["tal"]}},
        "kind: tal: did you mean tall? it is one of flat, tall",
    ),
    "text": ({"size": {"values": [3, "big"]}}, "size: big: expected integer, got text"),
    "fraction": ({"size": {"value": 2.5}}, "size: 2.5: expected integer, got number"),
    "null": ({"optim.lr": {"values": [None]}}, "optim.lr: null: expected number, got null"),
    "list": ({"optim.betas": {"value": 3}}, "optim.betas: 3: expected list of number, got integer"),
    "fractions": (
        {"size": {"min": 1.0, "max": 9.0}},
        "size: uniform gives values such as 8.84: expected integer, got number; use int_uniform",
    ),
    "half steps": (
        {"size": {"distribution": "q_uniform", "min": 1, "max": 9, "q": 0.5}},
        "size: q_uniform gives values such as 9.0: expected integer, got number; use int_uniform",
    ),
    "numbers": (
        {"kind": {"min": 1, "max": 2}},
        "kind: int_uniform gives values such as 2: it is one of flat, tall",
    ),
    "key inside a mapping": ({"words.a": {"value": "x"}}, "words.a: x: expected mapping of t"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_does_not_fit_is_told_with_its_place(say, case):
    parameters, words = WRONG[case]
    (problem,), warnings = say({**parameters, "seed": {"values": [1, 2]}})
    assert problem.startswith("line 4: parameters.")
    assert words in problem
    assert warnings == []


def test_all_problems_are_told_at_once_the_overrides_too(say):
    problems, _ = say(
        {"lr": {"values": [1, 2]}, "size": {"value": "x"}},
        overrides=["sede=1", "shout=perhaps"],
        metric={"name": "val/los"},
    )
    assert [problem.partition(";")[0] for problem in problems] == [
        "line 4: parameters.lr: there is no option 'lr'",
        "line 10: parameters.size: x: expected integer, got text",
        "line 15: metric.name: toy never logs val/los",
        "there is no option 'sede'",
        "shout=perhaps: expected true|false, got text",
    ]


METRIC_NAMES = {
    "val/los": "did you mean val/loss?",
    "test/auc": "did you mean val/auc?",
    "qqqq": "lab show toy lists what it logs",
}


@pytest.mark.parametrize("name", METRIC_NAMES)
def test_a_metric_that_is_never_logged_gets_the_nearest(say, name):
    (problem,), _ = say({"seed": {"values": [1, 2]}}, metric={"name": name, "goal": "minimize"})
    assert problem.endswith(f"metric.name: toy never logs {name}; {METRIC_NAMES[name]}")


def test_a_metric_without_its_phase_is_found_by_one_engine_only(say):
    problems, (warning,) = say({"seed": {"values": [1, 2]}}, metric={"name": "loss"})
    assert problems == []
    assert warning.endswith(
        "W&B's server knows it as val/loss; write that, and either engine finds it"
    )


def test_a_plugin_that_does_not_say_what_it_logs_takes_any_metric(whole, tmp_path):
    content = {
        "method": "random",
        "metric": {"name": "anything"},
        "parameters": {"seed": {"values": [1, 2]}},
    }
    reading = whole(content)
    examine(reading, make_toy(tmp_path / "toy"))
    assert reading.problems == []


def test_whole_numbers_for_a_number_are_a_warning_when_inferred(say):
    problems, (warning,) = say({"optim.lr": {"min": 1, "max": 3}})
    assert problems == []
    assert "only whole numbers are tried; for all between write 1.0 and 3.0" in warning
    assert say({"optim.lr": {"distribution": "int_uniform", "min": 1, "max": 3}}) == ([], [])


def test_values_that_are_refused_together_are_a_warning_where_others_work(say):
    problems, (warning,) = say(
        {"optim.lr": {"distribution": "log_uniform_values", "min": 1e-4, "max": 1}}
    )
    assert problems == []
    assert warning == (
        "some trials will be refused, with optim.lr=0.0001202: "
        "optim.lr_min must be at most optim.lr"
    )


def test_values_that_are_always_refused_are_a_problem(say):
    problems, _ = say({"optim.lr": {"min": 0.001, "max": 0.002}})
    assert problems == ["optim.lr_min must be at most optim.lr"]


def test_every_value_of_a_choice_is_tried_in_a_whole_config(say):
    values = [0.5, 0.4, 0.3, 0.2, 0.001]
    problems, (warning,) = say({"optim.lr": {"values": values}})
    assert problems == []
    assert "optim.lr=0.001" in warning


@pytest.mark.parametrize(
    ("overrides", "logs"),
    [
        (["train.max_steps=250"], "train.validate_every=100 logs it 3 times"),
        (["train.validate_every=0"], "train.validate_every=0 logs it 1 time:"),
    ],
)
def test_a_run_that_ends_before_the_first_bracket_is_a_warning(say, overrides, logs):
    parameters = {"seed": {"values": [1, 2]}}
    stop = {"type": "hyperband", "min_iter": 4}
    problems, (warning,) = say(
        parameters, overrides, metric={"name": "val/loss"}, early_terminate=stop
    )
    assert problems == []
    assert "the first bracket is at 4 logs of val/loss" in warning
    assert logs in warning
    assert "none will be stopped" in warning
    # Brackets count the logs of the metric: the training's come more often.
    more = {"metric": {"name": "train/loss"}, "early_terminate": stop}
    assert say(parameters, overrides, **more) == ([], [])


def test_a_plugin_without_a_training_loop_has_its_brackets_unchecked(whole, tmp_path):
    @dataclass(kw_only=True, slots=True)
    class Plain:
        size: int = 1

    plugin = Plugin(
        name="plain",
        summary="Trains by itself.",
        tasks=(Task(name="work", summary="Works.", run="plain:work"),),
        config=Plain,
    )
    content = {
        "method": "random",
        "metric": {"name": "score", "goal": "minimize"},
        "early_terminate": {"type": "hyperband", "min_iter": 1000},
        "parameters": {"size": {"values": [1, 2]}},
    }
    found = whole(content)
    examine(found, FoundPlugin(name="plain", origin="test", plugin=plugin))
    assert (found.problems, found.warnings) == ([], [])


def test_a_broken_plugin_is_told(whole):
    reading = whole({"method": "random", "parameters": {"a": {"values": [1, 2]}}})
    broken = FoundPlugin(name="toy", origin="test", error="no module x", fix="pip install x")
    with pytest.raises(LabError, match="plugin toy is broken: no module x"):
        examine(reading, broken)


def test_metrics_are_declared_with_their_phase(tmp_path):
    with pytest.raises(ValueError, match="metric 'loss' is not of the form PHASE/NAME"):
        make_toy(tmp_path, metrics={"loss": "low is good"})


@pytest.mark.parametrize("overrides", [[], ["preset=smoke"]], ids=["as it is", "smoke"])
def test_the_sweep_of_musicvae_fits_its_plugin(overrides):
    path = Path(__file__).parents[4] / "configs" / "sweeps" / "musicvae.json"
    found = read_in_part(path, overrides=overrides)
    assert found.sweep.plugin == "musicvae"
    examine(found, find_plugins()["musicvae"])
    assert (found.problems, found.warnings) == ([], [])


def test_problems_of_the_file_do_not_hide_those_with_the_plugin(tmp_path):
    """The whole list comes at once, in the order of the file; see also the e2e tests."""
    file = tmp_path / "sweep.yaml"
    file.write_text(
        "method: byes\n"
        "metric: {name: val/los, goal: down}\n"
        "parameters:\n"
        "  optimizer.lr:\n"
        "    distribution: uniform\n"
        "    min: 1e-5\n"
        "    max: 0.1\n"
        "  model.latentsize:\n"
        "    vals: [16]\n"
        "  model.decoder:\n"
        "    values: [flat, tree]\n"
    )
    with pytest.raises(UsageError) as caught:
        prepare(file, ["plugin=musicvae", "batch_size=many"])
    lines = [(problem.partition(":")[0], problem) for problem in caught.value.problems]
    expected = [
        ("line 1", "did you mean bayes?"),
        ("line 2", 'there is no "down"'),
        ("line 2", "never logs val/los; did you mean val/loss?"),
        ("line 6", "YAML reads 1e-5 as text"),
        ("line 8", "did you mean model.latent_size?"),
        ("line 8", "did you mean values?"),
        ("line 10", "tree: it is one of"),
    ]
    for line, text in expected:
        assert any(at == line and text in problem for at, problem in lines), text
    assert any("batch_size" in problem for _, problem in lines)
    numbers = [int(at.removeprefix("line ")) for at, _ in lines if at.startswith("line ")]
    assert numbers == sorted(numbers)
