"""The ``early_terminate`` of a sweep file."""

from labcore.sweeps.file.cursor import Cursor
from labcore.sweeps.hyperband import Hyperband

__all__ = ["read_early_terminate"]


def read_early_terminate(at: Cursor) -> Hyperband | None:
    """Reads it and remarks on what is wrong."""
    if not at.is_mapping("type: hyperband and min_iter"):
        return None
    before = len(at.remarks.problems)
    at.check_keys(("type", "min_iter", "max_iter", "s", "eta", "strict"))
    if (kind := at.get("type")) is None:
        at.problem("the key type is missing; add type: hyperband")
    else:
        kind.choice(("hyperband",))
    counts: dict[str, int | None] = {
        key: found.integer(at_least=1)
        for key in ("min_iter", "max_iter", "s")
        if (found := at.get(key)) is not None
    }
    eta: float | None = found.number() if (found := at.get("eta")) is not None else 3
    if eta is not None and eta <= 1:
        at.at("eta").problem(f"it is {eta:g}; it must be above 1")
    strict = found.boolean() if (found := at.get("strict")) is not None else False
    if "min_iter" not in at.value and "max_iter" not in at.value:
        at.problem("hyperband needs min_iter, or max_iter and s")
    elif "max_iter" in at.value and "s" not in at.value:
        at.at("max_iter").problem("max_iter needs s, the number of brackets below it")
    elif "max_iter" in at.value and "min_iter" in at.value:
        at.at("min_iter").warn("max_iter and s set the brackets, so min_iter changes nothing")
    elif "max_iter" not in at.value and "s" in at.value:
        at.at("s").warn("s belongs to max_iter, so it changes nothing")
    if len(at.remarks.problems) > before or eta is None or strict is None:
        return None
    try:
        return Hyperband(**counts, eta=eta, strict=strict)
    except ValueError as error:
        at.problem(str(error))
        return None
