"""Reading a sweep file: everything that W&B documents, and every problem at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from labcore.config import peek
from labcore.sweeps.distributions import Categorical, Constant, Distribution, Rounded
from labcore.sweeps.file.command import read_command
from labcore.sweeps.file.cursor import Cursor, Reader, one_of
from labcore.sweeps.file.document import wrong_file
from labcore.sweeps.file.load import load_document
from labcore.sweeps.file.parameters import Parameters, read_parameters
from labcore.sweeps.hyperband import Goal, Hyperband
from labcore.sweeps.sweep import Metric, Sweep

__all__ = ["Reading", "read_in_part", "read_sweep"]

_TEXTS = ("name", "description", "project", "entity", "program", "apiVersion")
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
    root: Cursor
    """The whole file, which gathers what there is to say of it."""
    cursors: Mapping[str, Cursor]
    """Where each parameter stands, also one that could not be read."""

    @property
    def problems(self) -> list[str]:
        """One line each, with its place, in the order of the file."""
        return self.root.document.told(self.root.document.problems)

    @property
    def warnings(self) -> list[str]:
        """What is legal and seldom meant, likewise."""
        return self.root.document.told(self.root.document.warnings)


def read_sweep(path: Path, *, overrides: Sequence[str] = ()) -> Sweep:
    """Reads a sweep file and checks all that can be checked without its plugin.

    Args:
        path: A .json or .yaml file.
        overrides: What every trial sets; win over the file's, and may hold ``plugin=``.

    Raises:
        UsageError: The file cannot be read, or something in it is wrong; has every problem.
    """
    reading = read_in_part(path, overrides=overrides)
    if reading.problems:
        raise wrong_file(path, reading.problems)
    return reading.sweep


def read_in_part(path: Path, *, overrides: Sequence[str] = ()) -> Reading:
    """Reads as much of a sweep file as can be understood; as :func:`read_sweep` otherwise.

    Raises:
        UsageError: The file cannot be read, or is no mapping.
    """
    document = load_document(path)
    root = Cursor(document=document, place=(), value=document.content)
    if document.content is None:
        raise wrong_file(path, ["the file is empty"])
    must = {"method": "", "parameters": ""}
    found = root.fields("the keys method and parameters", _readers(root), must)
    if not isinstance(root.value, Mapping):
        raise wrong_file(path, document.told(document.problems))
    command: Sequence[str] = found.get("command") or ()
    if "program" in found and "command" not in found:
        root.at("program").warn("it is not started: a trial is a run of the plugin")
    parameters: Parameters = found.get("parameters") or Parameters()
    _check_needs(root, found.get("method"))
    own_plugin = _take_plugin(parameters) or peek(command, "plugin")
    fixed = _later_wins([*command, *overrides])
    _check_fixed(parameters, fixed)
    if found.get("method") == "grid":
        _check_grid(root, parameters, found.get("run_cap"))
    elif parameters.found and all(isinstance(x, Constant) for x in parameters.found.values()):
        root.at("parameters").warn("there is one value for each, so all trials are the same")
    sweep = Sweep(
        name=found.get("name") or path.stem,
        method=found.get("method") or "random",
        metric=found.get("metric"),
        parameters=parameters.found,
        early_terminate=found.get("early_terminate"),
        run_cap=found.get("run_cap"),
        project=found.get("project") or "",
        entity=found.get("entity") or "",
        plugin=peek(overrides, "plugin") or own_plugin or "",
        overrides=tuple(fixed),
        raw=root.value,
    )
    return Reading(sweep=sweep, root=root, cursors=parameters.cursors)


def _readers(root: Cursor) -> Mapping[str, Reader]:
    """Returns the keys of a sweep file, and what reads each."""
    program = root.value.get("program") if isinstance(root.value, Mapping) else None
    return {
        "method": one_of("grid", "random", "bayes"),
        "parameters": read_parameters,
        "metric": _read_metric,
        "early_terminate": _read_early_terminate,
        "run_cap": Cursor.count,
        "command": lambda at: read_command(at, program if isinstance(program, str) else None),
        "controller": lambda at: at.fields("a type", {"type": one_of("local", "cloud")}),
        **dict.fromkeys(_TEXTS, Cursor.text),
        "kind": one_of("sweep"),
        **{key: partial(Cursor.problem, text=reason) for key, reason in _ELSEWHERE.items()},
    }


_SERVERS = partial(Cursor.warn, text="it matters to W&B's server only")
_METRIC: Mapping[str, Reader] = {
    "name": Cursor.text,
    "goal": one_of("minimize", "maximize"),
    "target": Cursor.number,
    "impute": _SERVERS,
    "impute_while_running": _SERVERS,
}


def _read_metric(at: Cursor) -> Metric | None:
    found = at.fields("a name and a goal", _METRIC, {"name": ""})
    name = found.get("name")
    if name and "goal" not in found and any(word in name.lower() for word in _BETTER_WHEN_LARGE):
        at.warn(f"no goal is given, so {name} is made small; add goal: maximize if it should grow")
    goal: Goal = found.get("goal") or "minimize"
    return Metric(name=name, goal=goal, target=found.get("target")) if name else None


_HYPERBAND: Mapping[str, Reader] = {
    "type": one_of("hyperband"),
    "min_iter": Cursor.count,
    "max_iter": Cursor.count,
    "s": Cursor.count,
    "eta": lambda at: at.number_above(1),
    "strict": Cursor.boolean,
}


def _read_early_terminate(at: Cursor) -> Hyperband | None:
    must = {"type": "; add type: hyperband"}
    found = at.fields("type: hyperband and min_iter", _HYPERBAND, must)
    if {"max_iter", "s", "min_iter"} <= found.keys():
        at.at("min_iter").warn("max_iter and s set the brackets, so min_iter changes nothing")
    elif "s" in found and "max_iter" not in found:
        at.at("s").warn("s belongs to max_iter, so it changes nothing")
    wrong = {key for key, value in found.items() if value is None}
    if not isinstance(at.value, Mapping) or wrong & {"min_iter", "max_iter", "s"}:
        return None
    try:
        return Hyperband(**{key: found[key] for key in found if key not in {"type", *wrong}})
    except ValueError as error:
        at.problem(str(error))
        return None


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
    cursor = parameters.cursors.pop("plugin", None)
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
        if (values := distribution.grid()) is None:
            cursor.problem(_no_grid(distribution))
        else:
            size *= len(values)
    if size > _MANY_POINTS and run_cap is None:
        root.at("parameters").warn(f"the grid has {size:,} points; run_cap limits the trials")


def _no_grid(distribution: Distribution) -> str:
    if isinstance(distribution, Categorical):
        return "a grid takes each value once, whatever its probability; leave probabilities out"
    if isinstance(distribution, Rounded) and distribution.is_even:
        return "it has more than 100,000 multiples of q; make q larger, or use random"
    return (
        f"a grid cannot list {distribution.name}, which is continuous or has no end; give values, "
        "whole numbers as min and max, or q_uniform"
    )
