"""A task on an earlier run tells the truth about the model that it works with."""

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from labcore import UsageError
from labcore.cli.runs.run import run as command
from labcore.cli.runs.show import show
from labcore.report.build import build

PLUGIN = """
from dataclasses import field

@dataclass(kw_only=True, slots=True)
class Model:
    size: int = 100
    depth: int = 4

@dataclass(kw_only=True, slots=True)
class Options:
    model: Model = field(default_factory=Model)
    count: int = 3

def train(run):
    run.checkpoints.mkdir()
    (run.checkpoints / "step-00000001.pt").touch()

def evaluate(run):
    source = run.source()
    return {"size": run.config.model.size, "of_source": source.config().model.size}

plugin = Plugin(
    name="toy", summary="A toy.", config=Options,
    presets={"smoke": "small", "laptop": "large"}, configs="toy_configs",
    tasks=(
        Task(name="train", summary="", run=__name__ + ":train", trains=True),
        Task(name="evaluate", summary="", run=__name__ + ":evaluate", needs_run=True),
    ),
)
"""


@pytest.fixture
def here(write_plugin, tmp_path, monkeypatch):
    """A folder with a plugin and a run of it that trained a small model."""
    write_plugin("toy", PLUGIN)
    for name, size in (("smoke", 8), ("laptop", 64)):
        path = tmp_path / f"toy_configs/preset/{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# @package _global_\nmodel:\n  size: {size}\n")
    path = tmp_path / "toy_configs/model/large.yaml"
    path.parent.mkdir(parents=True)
    path.write_text("size: 512\n")
    monkeypatch.chdir(tmp_path)
    lab("task=train", "preset=smoke", "model.depth=2", "name=small")
    return tmp_path


def lab(*words: str) -> str:
    argv = ["plugin=toy", "hooks=none", *words]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["lab", "run", *argv])
        result = CliRunner().invoke(command, argv, standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return result.output


def folder_of(here: Path, name: str) -> Path:
    (folder,) = (here / "runs/toy").glob(f"*-{name}")
    return folder


def read(path: Path):
    return json.loads(path.read_text())


def test_the_config_of_a_derived_run_is_that_of_the_model_it_works_with(here):
    lab("task=evaluate", "count=5", "name=after")
    small, after = folder_of(here, "small"), folder_of(here, "after")
    config = yaml.safe_load((after / "config.yaml").read_text())
    assert config["preset"] == "smoke"
    assert config["model"] == {"size": 8, "depth": 2}
    assert config["run"] == f"toy/{small.name}"
    assert config["count"] == 5
    origins = read(after / "origins.json")
    assert {origins[key] for key in ("run", "preset", "model.size")} == {f"run toy/{small.name}"}
    status = read(after / "status.json")
    assert status["preset"] == "smoke"
    assert status["metrics"] == {"result/size": 8, "result/of_source": 8}


def test_a_derived_run_records_id_command_and_config_of_its_source(here):
    lab("task=evaluate", "run=latest", "name=after")
    small, after = folder_of(here, "small"), folder_of(here, "after")
    source = read(after / "source.json")
    assert source["id"] == f"toy/{small.name}"
    assert source["command"].endswith("preset=smoke model.depth=2 name=small")
    assert (after / "source.yaml").read_bytes() == (small / "config.yaml").read_bytes()
    # Typed again, the command means the same run, whatever is the latest one then.
    assert read(after / "environment.json")["command"].endswith(f" run=toy/{small.name}")
    page = build(after).read_text()
    assert f"toy/{small.name}, preset smoke" in page
    assert "the command that trained the model" in page


@pytest.mark.parametrize("given", ["model.size=512", "model=large"])
def test_an_option_that_contradicts_the_model_is_refused(here, given):
    with pytest.raises(UsageError) as caught:
        lab("task=evaluate", given)
    (problem,) = caught.value.problems
    assert problem.startswith("model.size=512: the model of toy/")
    assert problem.endswith(" has 8")


def test_an_option_that_agrees_with_the_model_and_a_preset_of_its_own_are_taken(here):
    lab("task=evaluate", "preset=laptop", "model.depth=2", "name=after")
    config = yaml.safe_load((folder_of(here, "after") / "config.yaml").read_text())
    assert config["preset"] == "laptop"
    assert config["model"] == {"size": 8, "depth": 2}


def test_a_dry_run_says_whose_model_it_would_be(here):
    assert f"of toy/{folder_of(here, 'small').name} (preset smoke)" in lab(
        "task=evaluate", "--dry-run"
    )
    assert "no such run yet" in lab("task=evaluate", "runs_dir=nowhere", "--dry-run")
    with pytest.raises(UsageError, match="there is no run that trained a model"):
        lab("task=evaluate", "runs_dir=nowhere")


def test_show_says_which_run_the_model_is_of(here):
    lab("task=evaluate", "name=after")
    shown = CliRunner().invoke(show, ["latest"]).output
    assert f"toy/{folder_of(here, 'after').name}  finished" in shown
    assert f"toy/{folder_of(here, 'small').name}" in shown
    assert "lab run plugin=toy hooks=none task=train preset=smoke model.depth=2" in shown


def test_the_report_counts_values_that_differ_and_not_those_that_were_set(here):
    lab("task=train", "count=3", "model.depth=2", "name=again")  # three is the default
    folder = folder_of(here, "again")
    changed = read(folder / "changed.json")
    assert "count" not in changed
    assert {"model.depth", "model.size"} <= set(changed)
    assert f"{len(changed)} of the values differ" in " ".join(build(folder).read_text().split())
