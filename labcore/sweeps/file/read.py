"""Reading a sweep file: everything that W&B documents, and every problem at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from labcore.config import peek
from labcore.sweeps.distributions import Categorical, Constant, Distribution
from labcore.sweeps.file.command import Command, read_command
from labcore.sweeps.file.cursor import Cursor, Remarks
from labcore.sweeps.file.document import wrong_file
from labcore.sweeps.file.early_terminate import read_early_terminate
from labcore.sweeps.file.load import load_document
from labcore.sweeps.file.parameter_checks import too_many_for_a_grid
from labcore.sweeps.file.parameters import Parameters, read_parameters
from labcore.sweeps.hyperband import Goal
from labcore.sweeps.sweep import Method, Metric, Sweep

__all__ = ["Reading", "read_in_part", "read_sweep"]

_METHODS = ("grid", "random", "bayes")
_TEXTS = ("name", "description", "project", "entity", "program", "apiVersion", "kind")
_KEYS = (
    "method",
    "parameters",
    "metric",
    "early_terminate",
    "run_cap",
    "command",
    "controller",
    *_TEXTS,
)
_ELSEWHERE = {
    "metrics": "several metrics at once need a scheduler of W&B; give one metric",
    "scheduler": "it is a scheduler of W&B's; leave it out",
    "job": "W&B Launch would run it; lab runs a plugin",
    "image_uri": "W&B Launch would run it; lab runs a plugin",
}
"""Keys of W&B's that mean nothing here, and why."""

_BETTER_WHEN_LARGE = ("acc", "auc", "f1", "iou", "map", "psnr", "precision", "r2", "recall", "ssim")
_MANY_POINTS = 10_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """What is understood of a file, and what is wrong with the rest."""

    sweep: Sweep
    """The parts that are as they should be; all of them when there are no problems."""
    problems: tuple[str, ...] = ()
    """One line each, with its place, in the order of the file."""
    unread: tuple[str, ...] = ()
    """Parameters whose values could not be read."""


def read_sweep(path: Path, *, plugin: str | None = None, overrides: Sequence[str] = ()) -> Sweep:
    """Reads a sweep file and checks all that can be checked without its plugin.

    Args:
        path: A .json or .yaml file.
        plugin: The plugin to run; wins over what the file says.
        overrides: What every trial sets; win over the file's, and may hold ``plugin=``.

    Raises:
        UsageError: The file cannot be read, or something in it is wrong; has every problem.
    """
    reading = read_in_part(path, plugin=plugin, overrides=overrides)
    if reading.problems:
        raise wrong_file(path, list(reading.problems))
    return reading.sweep


def read_in_part(
    path: Path, *, plugin: str | None = None, overrides: Sequence[str] = ()
) -> Reading:
    """Reads as much of a sweep file as can be understood; as :func:`read_sweep` otherwise.

    Raises:
        UsageError: The file cannot be read, or is no mapping.
    """
    document = load_document(path)
    remarks = Remarks(document=document, problems=list(document.problems))
    root = Cursor(remarks=remarks, place=(), value=document.content)
    if document.content is None:
        raise wrong_file(path, ["the file is empty"])
    if not root.is_mapping("the keys method and parameters"):
        raise wrong_file(path, remarks.lines(remarks.problems))
    return _read_root(root, path, plugin, overrides)


def _read_root(root: Cursor, path: Path, plugin: str | None, given: Sequence[str]) -> Reading:
    remarks = root.remarks
    _check_keys(root)
    texts = {key: found.text() for key in _TEXTS if (found := root.get(key)) is not None}
    program = texts.get("program")
    command = Command()
    if (at := root.get("command")) is not None:
        command = read_command(at, program)
    elif program is not None:
        root.at("program").warn("it is not started: a trial is a run of the plugin")
    method = root.at("method").choice(_METHODS) if "method" in root.value else None
    parameters = Parameters()
    if (at := root.get("parameters")) is not None:
        parameters = read_parameters(at)
    metric = _read_metric(at) if (at := root.get("metric")) is not None else None
    at = root.get("early_terminate")
    early_terminate = read_early_terminate(at) if at is not None else None
    at = root.get("run_cap")
    run_cap = at.integer(at_least=1) if at is not None else None
    _check_needs(root, method)
    own_plugin = _take_plugin(parameters) or peek(command.overrides, "plugin")
    overrides = _later_wins([*command.overrides, *given])
    _check_fixed(parameters, overrides)
    if method == "grid":
        _check_grid(root, parameters, run_cap)
    elif parameters.found and all(isinstance(x, Constant) for x in parameters.found.values()):
        root.at("parameters").warn("there is one value for each, so all trials are the same")
    sweep = Sweep(
        name=texts.get("name") or path.stem,
        description=texts.get("description") or "",
        method=cast(Method, method or "random"),
        metric=metric,
        parameters=parameters.found,
        early_terminate=early_terminate,
        run_cap=run_cap,
        project=texts.get("project") or "",
        entity=texts.get("entity") or "",
        command=command.words,
        plugin=plugin or peek(given, "plugin") or own_plugin or "",
        overrides=tuple(overrides),
        inferred=frozenset(parameters.inferred),
        warnings=tuple(remarks.lines(remarks.warnings)),
        places=_places(root, parameters),
        source=path,
        raw=root.value,
    )
    return Reading(
        sweep=sweep,
        problems=tuple(remarks.lines(remarks.problems)),
        unread=tuple(
            name for name in parameters.cursors if name not in {*sweep.parameters, "plugin"}
        ),
    )


def _places(root: Cursor, parameters: Parameters) -> dict[str, str]:
    places = {
        f"parameters.{name}": root.remarks.where(cursor.place)
        for name, cursor in parameters.cursors.items()
    }
    return {**places, "metric": root.remarks.where(("metric", "name"))}


def _check_keys(root: Cursor) -> None:
    for key, reason in _ELSEWHERE.items():
        if (at := root.get(key)) is not None:
            at.problem(reason)
    root.check_keys((*_KEYS, *_ELSEWHERE))
    for key in ("method", "parameters"):
        if key not in root.value:
            root.problem(f"the key {key} is missing")
    if root.value.get("kind", "sweep") != "sweep":
        root.at("kind").choice(("sweep",))
    at = root.get("controller")
    if at is not None and at.is_mapping("a type"):
        at.check_keys(("type",))
        if (kind := at.get("type")) is not None:
            kind.choice(("local", "cloud"))


def _read_metric(at: Cursor) -> Metric | None:
    if not at.is_mapping("a name and a goal"):
        return None
    at.check_keys(("name", "goal", "target", "impute", "impute_while_running"))
    name = found.text() if (found := at.get("name")) is not None else None
    if "name" not in at.value:
        at.problem("the key name is missing")
    goal: str | None = None
    if (found := at.get("goal")) is not None:
        goal = found.choice(("minimize", "maximize"))
    elif name is not None and any(word in name.lower() for word in _BETTER_WHEN_LARGE):
        at.warn(f"no goal is given, so {name} is made small; add goal: maximize if it should grow")
    target = found.number() if (found := at.get("target")) is not None else None
    for key in ("impute", "impute_while_running"):
        if (found := at.get(key)) is not None:
            found.warn("it matters to W&B's server only")
    return Metric(name=name, goal=cast(Goal, goal or "minimize"), target=target) if name else None


def _check_needs(root: Cursor, method: str | None) -> None:
    """Remarks on what cannot be done without a metric."""
    if "metric" in root.value:
        return
    if method == "bayes":
        root.at("method").problem("bayes needs the metric to make better: add metric")
    if "early_terminate" in root.value:
        root.at("early_terminate").problem("it needs the metric to compare: add metric")


def _take_plugin(parameters: Parameters) -> str | None:
    """Takes a parameter called plugin out: it says what to run."""
    cursor = parameters.cursors.get("plugin")
    if cursor is None:
        return None
    distribution = parameters.found.pop("plugin", None)
    values = () if distribution is None else distribution.grid() or (None, None)
    if distribution is not None and (len(values) != 1 or not isinstance(values[0], str)):
        cursor.problem("a sweep runs one plugin; give it one value")
    return str(values[0]) if len(values) == 1 else None


def _later_wins(overrides: Sequence[str]) -> list[str]:
    """Leaves the last override of each name, and ``plugin=`` out."""
    named = {text.partition("=")[0].lstrip("+"): text for text in overrides}
    return [text for name, text in named.items() if name != "plugin"]


def _check_fixed(parameters: Parameters, overrides: Sequence[str]) -> None:
    for text in overrides:
        name = text.partition("=")[0].lstrip("+")
        if name in parameters.cursors:
            parameters.cursors[name].problem(f"it is searched, and set by {text}; leave one out")


def _check_grid(root: Cursor, parameters: Parameters, run_cap: int | None) -> None:
    size = 1
    for name, distribution in parameters.found.items():
        cursor = parameters.cursors[name]
        if too_many_for_a_grid(distribution):
            cursor.problem("it has more than 100,000 multiples of q; make q larger, or use random")
        elif (values := distribution.grid()) is None:
            cursor.problem(_no_grid(distribution))
        else:
            size *= len(values)
    if size > _MANY_POINTS and run_cap is None:
        root.at("parameters").warn(f"the grid has {size:,} points; run_cap limits the trials")


def _no_grid(distribution: Distribution) -> Any:
    if isinstance(distribution, Categorical):
        return "a grid takes each value once, whatever its probability; leave probabilities out"
    return (
        f"a grid cannot list {distribution.name}, which is continuous or has no end; give values, "
        "whole numbers as min and max, or q_uniform"
    )
