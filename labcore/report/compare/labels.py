"""What a run and a group of runs are called where there is little room: by what is its own."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from labcore.config.options import as_typed
from labcore.errors import clean
from labcore.report.compare.comparison import Comparison, Group, Spread
from labcore.report.wording import format_number, write_value

__all__ = ["group_labels", "run_labels", "seeds", "write_spread"]

_LONGEST = 44
"""Characters of a label; the table of runs has all options."""


def group_labels(comparison: Comparison) -> dict[int, str]:
    """Returns each group's number and what tells it from the others: ``2 lr=0.0003``."""
    columns = {
        name: [str(getattr(group.runs[0].stored.status, name)) for group in comparison.groups]
        for name in ("plugin", "task", "preset")
    }
    for name in comparison.options:
        short = name.removesuffix(".name").rpartition(".")[2]
        options = [group.runs[0].options for group in comparison.groups]
        columns[name] = [
            f"{short}={_short(each[name])}" if name in each else "" for each in options
        ]
    rows = zip(*(columns[name] for name in _telling(columns)), strict=True)
    words = [", ".join(filter(None, row)) for row in rows] or [""] * len(comparison.groups)
    return {
        group.number: clean(write_value(f"{group.number} {text}".strip(), _LONGEST))
        for group, text in zip(comparison.groups, words, strict=True)
    }


def _short(value: Any) -> str:
    return format_number(value) if isinstance(value, float) else as_typed(value)


def _telling(columns: Mapping[str, Sequence[str]]) -> list[str]:
    """Returns as few columns as tell all rows apart, or all that help when nothing does."""
    num = max(map(len, columns.values()))
    alone = [name for name, cells in columns.items() if all(cells) and len({*cells}) == num]
    if alone:
        return alone[:1] if num > 1 else []
    chosen: list[str] = []
    known = 1
    for name in columns:
        told = len(set(zip(*(columns[each] for each in (*chosen, name)), strict=True)))
        if told > known:
            chosen, known = [*chosen, name], told
    return chosen


def run_labels(comparison: Comparison) -> dict[Path, str]:
    """Returns the label of each run's group, with the seed where it needs one."""
    groups = group_labels(comparison)
    labels = {}
    for group in comparison.groups:
        for run in group.runs:
            seed, label = f"seed {clean(run.seed)}", groups[group.number]
            if len(comparison.groups) == 1:
                label = seed
            elif len(group.runs) > 1:
                label = f"{label}, {seed}"
            labels[run.folder] = label
    return labels


def seeds(group: Group) -> str:
    """Returns how many runs a group has: ``3 seeds``, or ``3 runs`` when some share theirs."""
    num = len(group.runs)
    if num == 1:
        return f"seed {group.runs[0].seed}"
    return f"{num} {'seeds' if len({run.seed for run in group.runs}) == num else 'runs'}"


def write_spread(spread: Spread | None, num_runs: int) -> str:
    """Writes a mean and its deviation: ``142.2 ±0.61``; says when a run has no finite value."""
    if spread is None:
        return ""
    text = format_number(spread.mean)
    if spread.deviation is not None:
        text += f" ±{format_number(float(f'{spread.deviation:.2g}'))}"
    return text if spread.num == num_runs else f"{text} ({spread.num} of {num_runs})"
