"""The ``parameters`` of a sweep file, made into distributions by dotted name."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from labcore.errors import nearest, suggestion
from labcore.sweeps import distributions as d
from labcore.sweeps.file.cursor import Cursor, shown
from labcore.sweeps.file.parameter_checks import check_overlaps, is_sound, warn_of_traps

__all__ = ["Parameters", "read_parameters"]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*\Z")
_NESTS = "parameters"

_Make = Callable[..., d.Distribution]
_BETWEEN = ("min", "max")
_SPREAD = ("mu", "sigma")
_KINDS: Mapping[str, tuple[_Make, tuple[str, ...], tuple[str, ...]]] = {
    "constant": (d.Constant, ("value",), ()),
    "categorical": (d.Categorical, ("values",), ("probabilities",)),
    "categorical_w_probabilities": (d.Categorical, ("values", "probabilities"), ()),
    "int_uniform": (d.IntUniform, _BETWEEN, ()),
    "uniform": (d.Uniform, _BETWEEN, ()),
    "q_uniform": (d.rounded(d.Uniform), _BETWEEN, ("q",)),
    "log_uniform": (d.LogUniform, _BETWEEN, ()),
    "log_uniform_values": (d.LogUniformValues, _BETWEEN, ()),
    "q_log_uniform": (d.rounded(d.LogUniform), _BETWEEN, ("q",)),
    "q_log_uniform_values": (d.rounded(d.LogUniformValues), _BETWEEN, ("q",)),
    "inv_log_uniform": (d.InvLogUniform, _BETWEEN, ()),
    "inv_log_uniform_values": (d.InvLogUniformValues, _BETWEEN, ()),
    "normal": (d.Normal, (), _SPREAD),
    "q_normal": (d.rounded(d.Normal), (), (*_SPREAD, "q")),
    "log_normal": (d.LogNormal, (), _SPREAD),
    "q_log_normal": (d.rounded(d.LogNormal), (), (*_SPREAD, "q")),
    "beta": (d.Beta, (), ("a", "b")),
    "q_beta": (d.rounded(d.Beta), (), ("a", "b", "q")),
}
"""Distribution to its class, the keys it must have and those it may have."""

_KEYS = (
    *dict.fromkeys(key for _, must, may in _KINDS.values() for key in (*must, *may)),
    "distribution",
    _NESTS,
)


@dataclass(kw_only=True, slots=True)
class Parameters:
    """What is read."""

    found: dict[str, d.Distribution] = field(default_factory=dict)
    """By dotted name, in the order of the file."""
    inferred: set[str] = field(default_factory=set)
    """Names of those whose distribution the file does not name."""
    cursors: dict[str, Cursor] = field(default_factory=dict)
    """Where each name stands, also of those that could not be read."""


def read_parameters(at: Cursor) -> Parameters:
    """Reads the parameters, nested ones too, and remarks on what is wrong with them."""
    parameters = Parameters()
    if at.is_mapping("a parameter for each option to search"):
        if not at.value:
            at.problem("there are none; give at least one option to search")
        _read_level(at, "", parameters)
        check_overlaps(parameters.found, parameters.cursors)
    return parameters


def _read_level(at: Cursor, prefix: str, parameters: Parameters) -> None:
    for key, inner in at.items():
        name = f"{prefix}{key}"
        if not _NAME.match(key):
            inner.problem(
                "a parameter's name is that of an option: letters, digits, _ and -, with dots "
                "between the parts"
            )
        elif not isinstance(inner.value, Mapping):
            kind = "values" if isinstance(inner.value, list) else "value"
            inner.problem(f"expected a mapping; write {{{kind}: {shown(inner.value)}}}")
        elif _NESTS in inner.value:
            for other, wrong in inner.items():
                if other != _NESTS:
                    wrong.problem(f"beside {_NESTS} there can be no other key")
            below = inner.at(_NESTS)
            if below.is_mapping("a parameter for each option to search"):
                if not below.value:
                    below.problem("there are none; give at least one option to search")
                _read_level(below, f"{name}.", parameters)
        elif name in parameters.cursors:
            first = parameters.cursors[name].place
            inner.problem(f"{name} is there already, as {'.'.join(map(str, first))}")
        else:
            parameters.cursors[name] = inner
            _read_parameter(inner, name, parameters)


def _read_parameter(at: Cursor, name: str, parameters: Parameters) -> None:
    known = [key for key in at.value if key in _KEYS]
    if not known:
        at.problem(_why_not_a_parameter(at))
        return
    at.check_keys(_KEYS)
    kind = _kind_of(at)
    if kind is None:
        return
    make, must, may = _KINDS[kind]
    for key in known:
        if key not in (*must, *may, "distribution"):
            at.at(key).problem(_misplaced(key, kind))
    missing = [key for key in must if key not in at.value]
    if missing:
        at.problem(f"{kind} needs {' and '.join(missing)}")
    # One by one, so that every wrong number is told at once.
    values = {key: _read_key(at.at(key), key) for key in known if key in (*must, *may)}
    right = {key: value for key, value in values.items() if value is not None}
    sound = is_sound(at, kind, right)
    if sound and not missing and len(right) == len(values):
        distribution = make(**{k: v.value if isinstance(v, _Any) else v for k, v in right.items()})
        warn_of_traps(at, kind, distribution)
        parameters.found[name] = distribution
        if "distribution" not in at.value:
            parameters.inferred.add(name)


@dataclass(frozen=True, slots=True)
class _Any:
    """A value that may be None."""

    value: Any


def _read_key(at: Cursor, key: str) -> Any:
    """Reads what stands under a key; None if it is wrong."""
    if key == "value":
        return None if _has_traps(at) else _Any(at.value)
    if key not in {"values", "probabilities"}:
        return at.number()
    if not isinstance(at.value, list):
        at.problem(f"expected a list; write [{shown(at.value)}]")
        return None
    if not at.value:
        at.problem("the list is empty")
        return None
    if key == "values":
        return None if _has_traps(at) else tuple(at.value)
    numbers = [each.number() for each in at.elements()]
    return None if None in numbers else tuple(numbers)


def _has_traps(at: Cursor) -> bool:
    """Remarks on words and numbers, at any depth, that YAML reads as something else."""
    if isinstance(at.value, Mapping):
        return sum(_has_traps(inner) for _, inner in at.items()) > 0
    if isinstance(at.value, list):
        return sum(_has_traps(inner) for inner in at.elements()) > 0
    trap = at.remarks.document.traps.get(at.place)
    if trap is not None and trap.kind == "word read as truth value":
        at.warn(
            f"YAML reads {trap.text} as {shown(at.value)}; put it in quotes if the word is meant"
        )
    elif trap is not None and trap.kind == "number read otherwise":
        at.warn(f"YAML reads {trap.text} as the number {at.value}")
    return at.is_number_read_as_text()


def _kind_of(at: Cursor) -> str | None:
    """Returns the distribution named, or the one that W&B infers."""
    named = at.get("distribution")
    if named is not None:
        return named.choice(tuple(_KINDS))
    keys = at.value.keys()
    if "value" in keys:
        return "constant"
    if "values" in keys:
        return "categorical"
    if "q" in keys and keys & {*_BETWEEN}:
        at.at("q").problem("q needs a distribution that rounds: add distribution: q_uniform")
    elif keys & {*_BETWEEN}:
        whole = all(
            isinstance(at.value[key], int) and not isinstance(at.value[key], bool)
            for key in _BETWEEN
            if key in keys
        )
        return "int_uniform" if whole else "uniform"
    elif keys & {*_SPREAD}:
        at.problem("mu and sigma need a distribution: add distribution: normal, or log_normal")
    elif keys & {"a", "b"}:
        at.problem("a and b need a distribution: add distribution: beta")
    else:
        at.problem("there is nothing to choose from; give value, values, or min and max")
    return None


def _misplaced(key: str, kind: str) -> str:
    if key == "q" and f"q_{kind}" in _KINDS:
        return f"{kind} does not round; q belongs to q_{kind}"
    _, must, may = _KINDS[kind]
    return f"{kind} takes {' and '.join((*must, *may))}; {key} means nothing to it"


def _why_not_a_parameter(at: Cursor) -> str:
    if any(isinstance(inner, Mapping) for inner in at.value.values()):
        return f"nested options go inside a key {_NESTS}: {{{_NESTS}: {{NAME: ...}}}}"
    near = [key for key in at.value if nearest(key, _KEYS)]
    if near:
        return f"there is no key {near[0]!r}; {suggestion(nearest(near[0], _KEYS))}"
    return "there is nothing to choose from; give value, values, or min and max"
