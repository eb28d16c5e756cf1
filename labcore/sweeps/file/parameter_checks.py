"""What can be wrong, or seldom meant, with the numbers of a parameter."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from labcore.sweeps import distributions as d
from labcore.sweeps.file.cursor import Cursor

__all__ = ["check_numbers", "check_overlaps", "warn_of_traps"]

_LARGEST_EXPONENT = 700
"""e to more than this is no float."""
_EXPONENTS = {"log_uniform", "q_log_uniform", "inv_log_uniform"}
_LOGARITHMS = {"log_uniform_values", "q_log_uniform_values", "inv_log_uniform_values"}


def check_numbers(at: Cursor, kind: str, keys: Mapping[str, Any]) -> None:
    """Remarks on numbers that make no distribution together; those that are none are None."""
    low, high = keys.get("min"), keys.get("max")
    if low is not None and high is not None:
        if low > high:
            at.problem(f"min {low} is above max {high}")
        elif low == high:
            at.problem(f"min and max are both {low}; for one value write {{value: {low}}}")
    for key, value in {"min": low, "max": high}.items():
        if value is None:
            continue
        if kind == "int_uniform" and not isinstance(value, int):
            at.at(key).problem(f"int_uniform takes whole numbers, got {value}")
        if kind in _LOGARITHMS and key == "min" and value <= 0:
            at.at(key).problem(f"{value} has no logarithm; min must be above 0")
        if kind in _EXPONENTS and abs(value) > _LARGEST_EXPONENT:
            at.at(key).problem(
                f"{kind} takes exponents of e, and e^{value:g} is no number; "
                f"{kind}_values takes the values themselves"
            )
    values, probabilities = keys.get("values"), keys.get("probabilities")
    if values and probabilities and None not in probabilities:
        _check_probabilities(at.at("probabilities"), len(values), probabilities)


def _check_probabilities(at: Cursor, count: int, probabilities: Sequence[float]) -> None:
    if len(probabilities) != count:
        at.problem(f"there are {len(probabilities)} of them for {count} values")
    elif min(probabilities) < 0:
        at.problem(f"{min(probabilities):g} is no probability; it must be 0 or more")
    elif not math.isclose(sum(probabilities), 1, abs_tol=1e-6):
        at.problem(f"they sum to {sum(probabilities):g}, not to 1")


def warn_of_traps(at: Cursor, kind: str, distribution: d.Distribution) -> None:
    """Remarks on what is legal and seldom meant."""
    low, high = at.value.get("min"), at.value.get("max")
    least, greatest = distribution.bounds or (0, 0)
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
        at.warn(
            f"{kind} takes exponents of e, so this searches {least:.4g} to {greatest:.4g}; "
            f"for {low:g} to {high:g} write {kind}_values"
        )
    elif kind in {"q_uniform", "q_log_uniform_values"}:
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
