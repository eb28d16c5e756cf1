"""What can be wrong, or seldom meant, with the numbers of a parameter."""

import math
from collections.abc import Mapping
from typing import Any

from labcore.sweeps import distributions as d
from labcore.sweeps.file.cursor import Cursor

__all__ = ["check_overlaps", "is_sound", "too_many_for_a_grid", "warn_of_traps"]

_BETWEEN = ("min", "max")
_LARGEST_EXPONENT = 700
"""e to more than this is no float."""
_MOST_MULTIPLES = 100_000
_EXPONENTS = {"log_uniform", "q_log_uniform", "inv_log_uniform"}
_LOGARITHMS = {"log_uniform_values", "q_log_uniform_values", "inv_log_uniform_values"}


def is_sound(at: Cursor, kind: str, values: dict[str, Any]) -> bool:
    """Whether the numbers that could be read make a distribution; a problem for each that not."""
    before = len(at.remarks.problems)
    low, high = values.get("min"), values.get("max")
    if low is not None and high is not None:
        if low > high:
            at.problem(f"min {low} is above max {high}")
        elif low == high:
            at.problem(f"min and max are both {low}; for one value write {{value: {low}}}")
    if kind == "int_uniform":
        for key in values.keys() & {*_BETWEEN}:
            if not isinstance(values[key], int):
                at.at(key).problem(f"int_uniform takes whole numbers, got {values[key]}")
    if kind in _LOGARITHMS and low is not None and low <= 0:
        at.at("min").problem(f"{low} has no logarithm; min must be above 0")
    if kind in _EXPONENTS:
        for key in values.keys() & {*_BETWEEN}:
            if abs(values[key]) > _LARGEST_EXPONENT:
                at.at(key).problem(
                    f"{kind} takes exponents of e, and e^{values[key]:g} is no number; "
                    f"{kind}_values takes the values themselves"
                )
    for key, least in (
        ("q", "above 0"),
        ("a", "above 0"),
        ("b", "above 0"),
        ("sigma", "0 or more"),
    ):
        if key in values and not (values[key] > 0 or (key == "sigma" and values[key] == 0)):
            at.at(key).problem(f"it is {values[key]:g}; it must be {least}")
    if values.keys() >= {"values", "probabilities"}:
        _check_probabilities(at.at("probabilities"), values)
    return len(at.remarks.problems) == before


def _check_probabilities(at: Cursor, values: dict[str, Any]) -> None:
    probabilities = values["probabilities"]
    if len(probabilities) != len(values["values"]):
        at.problem(f"there are {len(probabilities)} of them for {len(values['values'])} values")
    elif min(probabilities) < 0:
        at.problem(f"{min(probabilities):g} is no probability; it must be 0 or more")
    elif not math.isclose(sum(probabilities), 1, abs_tol=1e-6):
        at.problem(f"they sum to {sum(probabilities):g}, not to 1")


def warn_of_traps(at: Cursor, kind: str, distribution: d.Distribution) -> None:
    """Remarks on what is legal and seldom meant."""
    low, high = at.value.get("min"), at.value.get("max")
    if isinstance(distribution, d.IntUniform) and "distribution" not in at.value:
        if (low, high) == (0, 1):
            at.warn(
                "min: 0 and max: 1 are whole numbers, so only 0 and 1 are tried; "
                "for all between write 0.0 and 1.0"
            )
    elif isinstance(distribution, d.Categorical):
        distinct = d.Categorical(values=distribution.values).grid() or ()
        repeated = len(distribution.values) - len(distinct)
        if repeated:
            at.at("values").warn(f"{repeated} of the values are there twice or more")
    elif kind in _EXPONENTS and (low > 0 if kind != "inv_log_uniform" else 0 < low < high <= 1):
        assert distribution.bounds is not None
        least, greatest = distribution.bounds
        at.warn(
            f"{kind} takes exponents of e, so this searches {least:.4g} to {greatest:.4g}; "
            f"for {low:g} to {high:g} write {kind}_values"
        )
    elif kind in {"q_uniform", "q_log_uniform_values"}:
        assert distribution.bounds is not None
        least, greatest = distribution.bounds
        step = at.value.get("q", 1)
        if least == greatest:
            at.warn(f"rounded to multiples of {step:g}, every value is {least:g}")
        elif least < low or greatest > high:
            at.warn(
                f"rounded to multiples of {step:g}, the values go from {least:g} to {greatest:g}"
            )


def check_overlaps(found: Mapping[str, d.Distribution], cursors: Mapping[str, Cursor]) -> None:
    """Remarks on a parameter whose values are mappings that hold another parameter."""
    for name, distribution in found.items():
        if not isinstance(distribution, d.Categorical | d.Constant):
            continue
        inside = [other for other in cursors if other.startswith(f"{name}.")]
        if inside and any(isinstance(value, Mapping) for value in distribution.values):
            cursors[inside[0]].problem(
                f"{name} is searched as a whole, so {inside[0]} cannot be searched as well"
            )


def too_many_for_a_grid(distribution: d.Distribution) -> bool:
    """Whether a rounded distribution has more multiples than can be listed."""
    if not isinstance(distribution, d.Rounded) or not isinstance(distribution.base, d.Uniform):
        return False
    return (distribution.base.max - distribution.base.min) / distribution.q > _MOST_MULTIPLES
