"""The ``parameters`` of a sweep file, made into distributions by dotted name."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from labcore.errors import nearest, suggestion
from labcore.sweeps import distributions as d
from labcore.sweeps.file.cursor import Cursor, Reader, one_of, shown
from labcore.sweeps.file.parameter_checks import check_numbers, check_overlaps, warn_of_traps

__all__ = ["Parameters", "read_parameters"]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*\Z")
_NESTS = "parameters"


@dataclass(kw_only=True, slots=True)
class Parameters:
    """What is read."""

    found: dict[str, d.Distribution] = field(default_factory=dict)
    """By dotted name, in the order of the file."""
    cursors: dict[str, Cursor] = field(default_factory=dict)
    """Where each name stands, also of those that could not be read."""


def read_parameters(at: Cursor) -> Parameters:
    """Reads the parameters, nested ones too, and remarks on what is wrong with them."""
    parameters = Parameters()
    _read_level(at, "", parameters)
    check_overlaps(parameters.found, parameters.cursors)
    return parameters


def _read_level(at: Cursor, prefix: str, parameters: Parameters) -> None:
    if not at.is_mapping("a parameter for each option to search"):
        return
    if not at.value:
        at.problem("there are none; give at least one option to search")
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
            _read_level(inner.at(_NESTS), f"{name}.", parameters)
        elif name in parameters.cursors:
            first = parameters.cursors[name].place
            inner.problem(f"{name} is there already, as {'.'.join(map(str, first))}")
        else:
            parameters.cursors[name] = inner
            _read_parameter(inner, name, parameters)


def _read_parameter(at: Cursor, name: str, parameters: Parameters) -> None:
    before = len(at.document.problems)
    if not at.value.keys() & _READERS.keys():
        at.problem(_why_not_a_parameter(at))
        return
    kind = _kind_of(at)
    if kind is None:
        at.fields("", dict.fromkeys(_READERS, lambda at: None))  # for its keys' names
        return
    _, must, may = d.KINDS[kind]
    own = (*must, *may, "distribution")
    readers = {
        key: read if key in own else partial(_misplaced, key=key, kind=kind)
        for key, read in _READERS.items()
    }
    # One by one, so that every wrong number is told at once.
    values = at.fields("", readers)
    if missing := [key for key in must if key not in values]:
        at.problem(f"{kind} needs {' and '.join(missing)}")
    keys = {key: value for key, value in values.items() if key in (*must, *may)}
    check_numbers(at, kind, keys)
    if len(at.document.problems) == before:
        parameters.found[name] = d.make(kind, **keys)
        warn_of_traps(at, kind, parameters.found[name])


def _value(at: Cursor) -> Any:
    """Returns it as it is; remarks on what YAML reads as something else, at any depth."""
    if isinstance(at.value, Mapping | list):
        for inner in at.elements():
            _value(inner)
    elif (said := at.document.traps.get(at.place)) is not None:
        at.warn(said)
    at.is_number_read_as_text()
    return at.value


def _list_of(read: Reader) -> Reader:
    def read_list(at: Cursor) -> tuple[Any, ...] | None:
        if isinstance(at.value, list) and at.value:
            return tuple(read(each) for each in at.elements())
        is_list = isinstance(at.value, list)
        at.problem(
            "the list is empty" if is_list else f"expected a list; write [{shown(at.value)}]"
        )
        return None

    return read_list


_READERS: Mapping[str, Reader] = {
    "value": _value,
    "values": _list_of(_value),
    "probabilities": _list_of(Cursor.number),
    "min": Cursor.number,
    "max": Cursor.number,
    "q": lambda at: at.number_above(0),
    "mu": Cursor.number,
    "sigma": lambda at: at.number_above(0, or_equal=True),
    "a": lambda at: at.number_above(0),
    "b": lambda at: at.number_above(0),
    "distribution": one_of(*d.KINDS),
    _NESTS: lambda at: None,
}
"""Every key that a parameter may have, and what reads it."""


def _kind_of(at: Cursor) -> str | None:
    """Returns the distribution named, or the one that W&B infers."""
    if "distribution" in at.value:
        return at.at("distribution").choice(tuple(d.KINDS))
    keys = at.value.keys()
    if "value" in keys:
        return "constant"
    if "values" in keys:
        return "categorical"
    if "q" in keys and keys & {"min", "max"}:
        at.at("q").problem("q needs a distribution that rounds: add distribution: q_uniform")
    elif keys & {"min", "max"}:
        whole = all(
            isinstance(at.value[key], int) and not isinstance(at.value[key], bool)
            for key in ("min", "max")
            if key in keys
        )
        return "int_uniform" if whole else "uniform"
    elif keys & {"mu", "sigma"}:
        at.problem("mu and sigma need a distribution: add distribution: normal, or log_normal")
    elif keys & {"a", "b"}:
        at.problem("a and b need a distribution: add distribution: beta")
    else:
        at.problem("there is nothing to choose from; give value, values, or min and max")
    return None


def _misplaced(at: Cursor, *, key: str, kind: str) -> None:
    if key == "q" and f"q_{kind}" in d.KINDS:
        at.problem(f"{kind} does not round; q belongs to q_{kind}")
    else:
        _, must, may = d.KINDS[kind]
        at.problem(f"{kind} takes {' and '.join((*must, *may))}; {key} means nothing to it")


def _why_not_a_parameter(at: Cursor) -> str:
    if any(isinstance(inner, Mapping) for inner in at.value.values()):
        return f"nested options go inside a key {_NESTS}: {{{_NESTS}: {{NAME: ...}}}}"
    near = [key for key in at.value if nearest(key, _READERS)]
    if near:
        return f"there is no key {near[0]!r}; {suggestion(nearest(near[0], _READERS))}"
    return "there is nothing to choose from; give value, values, or min and max"
