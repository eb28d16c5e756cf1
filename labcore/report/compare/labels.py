"""What a run and a group of runs are called where there is little room: by what is its own."""

from labcore.errors import clean
from labcore.report.compare.comparison import Comparison, Group, Spread
from labcore.report.compare.reading import ComparedRun
from labcore.report.wording import format_number, write_value

__all__ = ["group_label", "run_label", "seeds", "write_spread"]

_LONGEST = 44
"""Characters of a label; the table of runs has all options."""


def group_label(comparison: Comparison, group: Group) -> str:
    """Returns the group's number and what differs: ``2 smoke, lr=0.0003``."""
    first = group.runs[0]
    words = [
        str(getattr(first.stored.status, name)) or "no preset"
        for name in ("plugin", "task", "preset")
        if len({getattr(run.stored.status, name) for run in comparison.runs}) > 1
    ]
    for name in comparison.options:
        short = name.removesuffix(".name").rpartition(".")[2]
        if name in first.options:
            words.append(f"{short}={comparison.option(first, name)}")
    return clean(write_value(f"{group.number} {', '.join(words)}".strip(), _LONGEST))


def run_label(comparison: Comparison, group: Group, run: ComparedRun) -> str:
    """Returns the label of its group with the seed, where it needs one."""
    label, seed = group_label(comparison, group), f"seed {clean(run.seed)}"
    if len(group.runs) == 1:
        return label
    return seed if len(comparison.groups) == 1 else f"{label}, {seed}"


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
