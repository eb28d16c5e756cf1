"""Sweep files that are right: what is read, and the warnings."""

from pathlib import Path

import pytest

from labcore.sweeps import distributions as d
from labcore.sweeps.file.read import read_in_part
from labcore.sweeps.hyperband import Hyperband
from labcore.sweeps.sweep import Metric

CHECKOUT = Path(__file__).parents[4]
SHIPPED = sorted((CHECKOUT / "configs" / "sweeps").glob("*.*"))


def of(**parameters):
    """A random sweep over parameters, whose names have _ for dots."""
    return {"method": "random", "parameters": parameters}


def place_of(reading, name):
    """Where a parameter stands, in words."""
    return reading.root.document.where(reading.cursors[name].place)


def test_a_sweep_as_wandbs_users_write_it():
    reading = read_in_part(CHECKOUT / "configs/sweeps/notes.json", overrides=["plugin=any"])
    sweep = reading.sweep
    assert (sweep.method, sweep.plugin, sweep.name) == ("bayes", "any", "notes")
    assert sweep.metric == Metric(name="max_auc", goal="maximize")
    assert sweep.early_terminate == Hyperband(min_iter=5, eta=3, strict=False)
    assert reading.warnings == []
    assert sweep.parameters["learning_rate"] == d.Uniform(min=1e-4, max=1e-3)
    assert sweep.parameters["optimizer"] == d.Categorical(values=("adam",))
    assert sweep.parameters["seq_len"] == d.make("q_uniform", min=50, max=100, q=1)
    assert len(sweep.parameters) == 9


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_the_sweeps_in_the_repository_have_no_warnings(path):
    assert read_in_part(path).warnings == []


def test_every_key_of_a_sweep_file(whole):
    reading = whole(
        {
            "apiVersion": "v1",
            "kind": "sweep",
            "name": "wide",
            "description": "All of it.",
            "project": "tunes",
            "entity": "lab",
            "method": "bayes",
            "metric": {"name": "val/loss", "goal": "minimize", "target": 0.1},
            "run_cap": 20,
            "early_terminate": {
                "type": "hyperband",
                "max_iter": 27,
                "s": 2,
                "eta": 3,
                "strict": True,
            },
            "controller": {"type": "local"},
            "command": ["lab", "run", "plugin=musicvae", "preset=smoke", "${args_no_hyphens}"],
            "parameters": {"a": {"value": 1}, "b": {"min": 0.5, "max": 1}},
        }
    )
    sweep = reading.sweep
    assert sweep.name == "wide"
    assert (sweep.project, sweep.entity, sweep.run_cap) == ("tunes", "lab", 20)
    assert sweep.metric == Metric(name="val/loss", goal="minimize", target=0.1)
    assert sweep.early_terminate == Hyperband(max_iter=27, s=2, eta=3, strict=True)
    assert (sweep.plugin, sweep.overrides) == ("musicvae", ("preset=smoke",))
    assert sweep.raw["controller"] == {"type": "local"}
    assert reading.warnings == []


INFERRED = {
    "value": ({"value": None}, d.Constant(value=None)),
    "values": ({"values": [1, "a"]}, d.Categorical(values=(1, "a"))),
    "probabilities": (
        {"values": [1, 2], "probabilities": [0.25, 0.75]},
        d.Categorical(values=(1, 2), probabilities=(0.25, 0.75)),
    ),
    "whole min and max": ({"min": 1, "max": 9}, d.IntUniform(min=1, max=9)),
    "min and max": ({"min": 1.0, "max": 9.0}, d.Uniform(min=1.0, max=9.0)),
    "one of them whole": ({"min": 0, "max": 0.5}, d.Uniform(min=0, max=0.5)),
}


@pytest.mark.parametrize("case", INFERRED)
def test_a_distribution_that_is_not_named_is_inferred_as_wandb_does(read, case):
    parameter, distribution = INFERRED[case]
    sweep = read(of(x=parameter, y={"values": [1, 2]}))
    assert sweep.parameters["x"] == distribution


NAMED = {
    "constant": ({"value": 3}, d.Constant(value=3)),
    "categorical": ({"values": [3]}, d.Categorical(values=(3,))),
    "categorical_w_probabilities": (
        {"values": [3, 4], "probabilities": [0, 1]},
        d.Categorical(values=(3, 4), probabilities=(0, 1)),
    ),
    "int_uniform": ({"min": 0, "max": 1}, d.IntUniform(min=0, max=1)),
    "uniform": ({"min": 0, "max": 1}, d.Uniform(min=0, max=1)),
    "q_uniform": ({"min": 0, "max": 8, "q": 2}, d.make("q_uniform", min=0, max=8, q=2)),
    "log_uniform": ({"min": -9, "max": -1}, d.make("log_uniform", min=-9, max=-1)),
    "log_uniform_values": ({"min": 0.1, "max": 1}, d.Uniform(min=0.1, max=1, log=True)),
    "q_log_uniform": ({"min": -1, "max": 3, "q": 2}, d.make("q_log_uniform", min=-1, max=3, q=2)),
    "q_log_uniform_values": ({"min": 1, "max": 3}, d.make("q_log_uniform_values", min=1, max=3)),
    "inv_log_uniform": ({"min": 2, "max": 3}, d.make("inv_log_uniform", min=2, max=3)),
    "inv_log_uniform_values": ({"min": 2, "max": 3}, d.Uniform(min=2, max=3, log=True)),
    "normal": ({}, d.Normal(mu=0, sigma=1)),
    "q_normal": ({"mu": 3, "q": 0.5}, d.Rounded(base=d.Normal(mu=3, sigma=1), q=0.5)),
    "log_normal": ({"sigma": 0}, d.Normal(mu=0, sigma=0, log=True)),
    "q_log_normal": ({"sigma": 2}, d.make("q_log_normal", mu=0, sigma=2, q=1)),
    "beta": ({"a": 2}, d.Beta(a=2, b=1)),
    "q_beta": ({"b": 2, "q": 0.1}, d.Rounded(base=d.Beta(a=1, b=2), q=0.1)),
}


@pytest.mark.parametrize("name", NAMED)
def test_every_distribution_is_read(whole, name):
    keys, distribution = NAMED[name]
    reading = whole(of(x={"distribution": name, **keys}, y={"values": [1, 2]}))
    assert reading.sweep.parameters["x"] == distribution
    assert (reading.problems, reading.warnings) == ([], [])


def test_nested_parameters_become_dotted_names(whole):
    reading = whole(
        of(
            optimizer={
                "parameters": {
                    "lr": {"min": 0.1, "max": 0.2},
                    "adam": {"parameters": {"beta": {"value": 0.9}}},
                }
            },
            **{"loss.beta": {"value": 1}},
        )
    )
    assert list(reading.sweep.parameters) == ["optimizer.lr", "optimizer.adam.beta", "loss.beta"]
    assert place_of(reading, "optimizer.lr") == "line 6: parameters.optimizer.parameters.lr"


def test_a_group_and_an_option_in_it_are_two_parameters(read):
    sweep = read(of(model={"values": ["flat", "tall"]}, **{"model.width": {"min": 1, "max": 9}}))
    assert list(sweep.parameters) == ["model", "model.width"]


def test_yaml_and_json_say_the_same(read):
    text = """
    method: grid
    metric: {name: val/loss}
    parameters:
      optimizer:
        parameters:
          lr: {values: [1.0e-3, 0.01]}
      steps: {min: 1, max: 3}
    """
    from_yaml = read(text)
    from_json = read(
        {
            "method": "grid",
            "metric": {"name": "val/loss"},
            "parameters": {
                "optimizer": {"parameters": {"lr": {"values": [1e-3, 0.01]}}},
                "steps": {"min": 1, "max": 3},
            },
        }
    )
    assert from_yaml.parameters == from_json.parameters
    assert from_yaml.raw == from_json.raw
    assert from_yaml.grid_size == from_json.grid_size == 6


def test_yamls_anchors_and_merges_are_followed(read):
    sweep = read(
        """
        method: random
        parameters:
          a: &range {min: 0.1, max: 0.5}
          b: *range
          c: {<<: *range, max: 0.9}
        """
    )
    assert sweep.parameters["b"] == d.Uniform(min=0.1, max=0.5)
    assert sweep.parameters["c"] == d.Uniform(min=0.1, max=0.9)


def test_a_json_file_may_be_indented_by_tabs_and_start_with_a_byte_order_mark(tmp_path):
    path = tmp_path / "sweep.JSON"
    path.write_text(
        '\ufeff{\n\t"method": "random",\n\t"parameters": {\n\t\t"a": {"min": 1, "max": 3}\n\t}\n}',
        encoding="utf-8",
    )
    assert place_of(read_in_part(path), "a") == "line 4: parameters.a"


def test_json_that_is_no_yaml_is_read_without_its_lines(whole):
    reading = whole(
        '{"name": "a\x7fb", "method": "random", "parameters": {"a": {"min": 1, "max": 3}}}',
        "sweep.json",
    )
    assert reading.sweep.name == "a\x7fb"
    assert place_of(reading, "a") == "parameters.a"


def test_the_plugin_is_said_by_the_caller_or_the_file(read):
    content = of(plugin={"value": "toy"}, a={"min": 1, "max": 2})
    assert read(content).plugin == "toy"
    assert list(read(content).parameters) == ["a"]
    assert read(content, overrides=["plugin=other", "preset=smoke"]).plugin == "other"
    assert read(of(a={"min": 1, "max": 2})).plugin == ""


def test_the_callers_overrides_win_over_the_files(read):
    content = {
        **of(a={"min": 1, "max": 2}),
        "command": ["lab", "run", "plugin=toy", "preset=laptop", "+b=2", "${args_no_hyphens}"],
    }
    sweep = read(content, overrides=["preset=smoke", "c=1", "plugin=toy"])
    assert sweep.overrides == ("preset=smoke", "+b=2", "c=1")


WARNED = {
    "whole 0 and 1": ({"min": 0, "max": 1}, "only 0 and 1 are tried; for all between write 0.0"),
    "values twice": ({"values": [1, 2, 1]}, "1 of the values are there twice or more"),
    "values as exponents": (
        {"distribution": "log_uniform", "min": 1e-5, "max": 0.1},
        "this searches 1 to 1.105; for 1e-05 to 0.1 write log_uniform_values",
    ),
    "values as inverse exponents": (
        {"distribution": "inv_log_uniform", "min": 1e-5, "max": 0.1},
        "this searches 0.9048 to 1; for 1e-05 to 0.1 write inv_log_uniform_values",
    ),
    "rounded past the end": (
        {"distribution": "q_uniform", "min": 0.001, "max": 0.1, "q": 0.01},
        "rounded to multiples of 0.01, the values go from 0 to 0.1",
    ),
    "rounded to one value": (
        {"distribution": "q_uniform", "min": 0.1, "max": 0.4},
        "rounded to multiples of 1, every value is 0",
    ),
}


@pytest.mark.parametrize("case", WARNED)
def test_what_is_legal_and_seldom_meant_is_a_warning(whole, case):
    parameter, words = WARNED[case]
    (warning,) = whole(of(other={"values": [1, 2]}, x=parameter)).warnings
    assert warning.startswith("line ")
    assert "parameters.x" in warning
    assert words in warning


def test_words_that_yaml_reads_as_truth_values_are_a_warning(whole):
    reading = whole(
        "method: random\nparameters:\n  norm: {values: [on, off, 'no']}\n  x: {value: no}\n"
    )
    assert reading.warnings == [
        "line 3: parameters.norm.values[0]: YAML reads on as true; put it in quotes if the word is "
        "meant",
        "line 3: parameters.norm.values[1]: YAML reads off as false; put it in quotes if the word "
        "is meant",
        "line 4: parameters.x.value: YAML reads no as false; put it in quotes if the word is meant",
    ]
    assert reading.sweep.parameters["norm"] == d.Categorical(values=(True, False, "no"))


def test_numbers_that_yaml_reads_in_another_base_are_a_warning(whole):
    reading = whole("method: random\nparameters:\n  a: {values: [010, 1:30, 10]}\n")
    assert reading.sweep.parameters["a"] == d.Categorical(values=(8, 90, 10))
    assert [warning.partition("]: ")[2] for warning in reading.warnings] == [
        "YAML reads 010 as the number 8",
        "YAML reads 1:30 as the number 90",
    ]


def test_a_quoted_number_is_meant_as_text(read):
    sweep = read("method: random\nparameters:\n  a: {values: ['1e-5', \"2\"]}\n")
    assert sweep.parameters["a"] == d.Categorical(values=("1e-5", "2"))


SAID_OF_THE_WHOLE = {
    "program: train.py": "line 3: program: it is not started: a trial is a run of the plugin",
    "metric: {name: val/acc}": "line 3: metric: no goal is given, so val/acc is made small",
    "metric: {name: x, impute: worst}": "line 3: metric.impute: it matters to W&B's server only",
    "metric: {name: x}\nearly_terminate: {type: hyperband, max_iter: 9, s: 1, min_iter: 3}": (
        "line 4: early_terminate.min_iter: max_iter and s set the brackets, so min_iter changes"
    ),
    "metric: {name: x}\nearly_terminate: {type: hyperband, min_iter: 3, s: 1}": (
        "line 4: early_terminate.s: s belongs to max_iter, so it changes nothing"
    ),
}


@pytest.mark.parametrize("lines", SAID_OF_THE_WHOLE)
def test_keys_that_change_nothing_are_a_warning(whole, lines):
    (warning,) = whole(f"method: random\nparameters: {{a: {{values: [1, 2]}}}}\n{lines}\n").warnings
    assert warning.startswith(SAID_OF_THE_WHOLE[lines])


def test_a_search_with_nothing_to_search_is_a_warning(whole):
    (warning,) = whole(of(a={"value": 1})).warnings
    assert "all trials are the same" in warning


def test_a_huge_grid_without_an_end_is_a_warning(whole):
    content = {
        "method": "grid",
        "parameters": {name: {"min": 1, "max": 30} for name in "abc"},
    }
    assert "the grid has 27,000 points" in whole(content).warnings[0]
    assert whole({**content, "run_cap": 10}).warnings == []
