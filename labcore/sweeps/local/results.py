"""A sweep of the local engine as plain rows: for the page, tables, and other programs."""

import json
import math
from collections.abc import Sequence
from typing import Any

from labcore.sweeps.best import rerun_command
from labcore.sweeps.folder import Settings, SweepFolder
from labcore.sweeps.local.metric_log import MetricLog
from labcore.sweeps.local.record import Record
from labcore.sweeps.report import Parameter, SweepResults, TrialRow
from labcore.sweeps.report.model import STATE_LABELS
from labcore.sweeps.sweep import Sweep
from labcore.sweeps.trial import shows_life, status_of

__all__ = ["as_rows", "as_table", "results_of", "state_of"]

_STATES = {label: state for state, label in STATE_LABELS.items()}


def results_of(
    folder: SweepFolder, sweep: Sweep, settings: Settings, records: Sequence[Record]
) -> SweepResults:
    """Returns what the sweep's page is made from."""
    method = sweep.method
    state = folder.status().observed_state()
    rule, longest = sweep.early_terminate, max((len(r.history) for r in records), default=0)
    commands = [("run the best trial again", rerun_command(folder, settings.plugin))]
    if state != "finished":
        commands.append(("go on with the sweep", f"lab sweep --resume {folder.name}"))
    return SweepResults(
        name=folder.name,
        plugin=settings.plugin,
        metric="" if sweep.metric is None else sweep.metric.name,
        goal="minimize" if sweep.metric is None else sweep.metric.goal,
        parameters=[Parameter.of(name, each) for name, each in sweep.parameters.items()],
        trials=[_row(folder, sweep, record) for record in records],
        state="interrupted" if state == "lost" else state,
        method=f"{method} ({settings.sampler.upper()})" if method == "bayes" else method,
        overrides=settings.overrides,
        brackets=() if rule is None else rule.brackets(longest),
        facts=[
            ("early stops", str(rule or "")),
            ("seed", str(settings.seed)),
            ("trials at once", str(settings.agents)),
        ],
        source=(folder.path / settings.file).read_text(encoding="utf-8"),
        commands=commands,
    )


def state_of(folder: SweepFolder, record: Record) -> str:
    """Returns one of the page's states for a trial."""
    if record.outcome:
        return _STATES[record.outcome]
    if shows_life(folder.trial_file(record.number, "lock"), record.folder):
        return "running"
    return "queued" if status_of(record.folder) is None else "interrupted"


def as_rows(folder: SweepFolder, records: Sequence[Record]) -> list[dict[str, Any]]:
    """Returns one mapping for each trial, of values that JSON can hold."""
    return [
        {
            "trial": record.number,
            "state": state_of(folder, record),
            "reason": record.reason,
            "value": record.value,
            "logs": len(record.history),
            "seconds": None if record.seconds is None else round(record.seconds, 3),
            "parameters": dict(record.values),
            "run": str(record.folder),
        }
        for record in records
    ]


def as_table(folder: SweepFolder, records: Sequence[Record]) -> list[list[str]]:
    """Returns the rows as text, the first with the names; a column for each parameter."""
    names = list(dict.fromkeys(name for record in records for name in record.values))
    table = [["trial", "state", "reason", "value", "logs", "seconds", *names, "run"]]
    for row in as_rows(folder, records):
        *cells, values, run = row.values()
        cells += [*(values.get(name) for name in names), run]
        table.append([_text(cell) for cell in cells])
    return table


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def _row(folder: SweepFolder, sweep: Sweep, record: Record) -> TrialRow:
    history, steps = record.history, list(range(1, len(record.history) + 1))
    if sweep.metric is not None:
        log = MetricLog(record.folder, sweep.metric.name)
        log.read()
        if record.is_open or len(log.values) == len(history):
            history, steps = log.values, log.steps
    curve = [
        (at, step, value) for at, (step, value) in enumerate(zip(steps, history, strict=True), 1)
    ]
    finite = [point for point in curve if math.isfinite(point[2])]
    is_failure = record.outcome == "failed"
    return TrialRow(
        number=record.number,
        state=state_of(folder, record),
        values=record.values,
        metric=finite[-1][2] if finite else None,
        best_metric=record.value,
        curve=finite,
        stopped_by="" if is_failure else record.reason,
        seconds=record.seconds,
        run_folder=record.folder if record.folder.exists() else None,
        error=record.reason if is_failure else "",
    )
