"""From the results of a sweep to its ``report.html``."""

import os
import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from labcore.record.durations import format_duration
from labcore.record.files import write_atomically
from labcore.report.page import render_page
from labcore.report.wording import format_number
from labcore.sweeps.overrides import as_overrides
from labcore.sweeps.report.drawing import Drawings, draw
from labcore.sweeps.report.importance import Importance, measure_importance
from labcore.sweeps.report.model import STATE_LABELS, Parameter, SweepResults, TrialRow
from labcore.sweeps.report.scales import NUM_TONES, tones
from labcore.sweeps.report.words import short_names, write_value

__all__ = ["REPORT_FILE", "build"]

REPORT_FILE = "report.html"
_TEMPLATES = Path(__file__).parent / "templates"

_OUTCOMES = {
    "running": "It was still going when this page was made.",
    "interrupted": "It was stopped before its end.",
    "stopped": "It was told to stop before its end.",
    "failed": "It gave up.",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Tile:
    label: str
    value: str
    note: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Bar:
    """A row of the importance table; the lengths are in hundredths of the column."""

    prefix: str
    end: str
    length: float
    share: str
    direction: str


@dataclass(frozen=True, kw_only=True, slots=True)
class _Cell:
    text: str
    key: Any
    """What the table is sorted by."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Row:
    trial: TrialRow
    label: str
    cells: Sequence[_Cell]
    best: _Cell
    last: _Cell
    logs: int
    time: _Cell
    href: str
    run: str
    is_best: bool


def build(folder: Path, results: SweepResults) -> Path:
    """Writes the page of a sweep, however far the sweep is.

    Args:
        folder: The sweep's folder; links to the runs are relative to it.
        results: The sweep as it stands.

    Returns:
        The path of ``report.html``.

    Raises:
        OSError: The page cannot be written.
    """
    path = folder / REPORT_FILE
    drawings = draw(results)
    write_atomically(
        path,
        render_page(
            "sweep.html.j2",
            _context(folder, results, drawings),
            styles=("report.css", "sweep.css"),
            scripts=("page.js", "sweep.js"),
            folders=(_TEMPLATES,),
            extra_style=_widths(drawings),
        ),
    )
    return path


def _widths(drawings: Drawings) -> str:
    """Keeps the labels of the parallel coordinates readable, however many axes there are."""
    if drawings.parallel is None:
        return ""
    width = drawings.parallel.plot.width
    return (
        f".parallel svg {{ min-width: {0.8 * width:.0f}px; max-width: {1.2 * width:.0f}px; }}\n"
        f"@media (max-width: 640px) {{ .parallel svg {{ min-width: {0.66 * width:.0f}px; }} }}\n"
    )


def _context(folder: Path, results: SweepResults, drawings: Drawings) -> dict[str, Any]:
    ranked = results.ranked()
    best = ranked[0] if ranked else None
    varying = results.varying
    fixed = [p for p in results.parameters if not p.varies]
    names = short_names([parameter.name for parameter in varying])
    rows = [_row(folder, trial, varying, trial is best) for trial in results.trials]
    colours = tones(results)
    return {
        "sweep": results,
        "outcome": _outcome(results),
        "facts": _facts(results),
        "tiles": _tiles(results, ranked),
        "best": best,
        "best_values": _values(best, varying),
        "best_href": next((row.href for row in rows if row.is_best), ""),
        "commands": _commands(results, best),
        "fixed": [(p.name, write_value(p.choices[0] if p.choices else p.low)) for p in fixed],
        "charts": drawings,
        "legend": _legend(ranked),
        "num_tones": NUM_TONES,
        "importance": _importance(results, ranked, varying),
        "names": [names[parameter.name] for parameter in varying],
        "rows": rows,
        "errors": [trial for trial in results.trials if trial.error],
        "labels": {row.trial.number: row.label for row in rows},
        "order": [trial.number for trial in ranked],
        "colours": colours,
        "state_labels": STATE_LABELS,
    }


def _outcome(results: SweepResults) -> str:
    parts = [_OUTCOMES.get(results.state, "")]
    if not results.trials:
        parts.append("No trial has started.")
    elif not results.ranked():
        parts.append(f"No trial has a value of {results.metric} that can be compared.")
    return " ".join(part for part in parts if part)


def _facts(results: SweepResults) -> list[tuple[str, str]]:
    aim = "make it small" if results.goal == "minimize" else "make it large"
    facts = [
        ("plugin", results.plugin),
        ("metric", f"{results.metric} ({aim})"),
        ("method", results.method),
        *results.facts,
    ]
    return [(name, value) for name, value in facts if value]


def _tiles(results: SweepResults, ranked: Sequence[TrialRow]) -> list[_Tile]:
    tiles = []
    if ranked:
        best = ranked[0]
        note = f"trial {best.number}"
        if len(ranked) > 1:
            middle = ranked[len(ranked) // 2].score
            note += f"; the middle trial has {format_number(middle)}"
        tiles.append(
            _Tile(label=f"best {results.metric}", value=format_number(best.score), note=note)
        )
    counts = Counter(trial.state for trial in results.trials)
    states = ", ".join(f"{counts[s]} {label}" for s, label in STATE_LABELS.items() if counts[s])
    tiles.append(_Tile(label="trials", value=str(len(results.trials)), note=states))
    saved = _saved(results)
    if saved is not None:
        tiles.append(
            _Tile(
                label="saved by early stops",
                value=f"{saved:.0%}",
                note="of the logs that full trials would have made",
            )
        )
    seconds = [trial.seconds for trial in results.trials if trial.seconds]
    if seconds:
        tiles.append(
            _Tile(
                label="time of all trials",
                value=format_duration(sum(seconds)),
                note=f"{format_duration(sum(seconds) / len(seconds))} a trial",
            )
        )
    return tiles


def _saved(results: SweepResults) -> float | None:
    """The share of the logs that early stops left out, if a full trial says how many it makes."""
    full = [len(trial.curve) for trial in results.trials if trial.state == "completed"]
    stopped = [len(t.curve) for t in results.trials if t.state in ("stopped", "diverged")]
    if not full or not stopped or max(full) == 0:
        return None
    whole = max(full)
    return sum(max(whole - logs, 0) for logs in stopped) / (whole * (len(full) + len(stopped)))


def _values(best: TrialRow | None, varying: Sequence[Parameter]) -> list[tuple[str, str]]:
    if best is None:
        return []
    return [(p.name, write_value(best.values[p.name])) for p in varying if p.name in best.values]


def _commands(results: SweepResults, best: TrialRow | None) -> list[tuple[str, str]]:
    commands = list(results.commands)
    if best is not None:
        fixed = [text for text in results.overrides if not text.startswith("plugin=")]
        words = [f"plugin={results.plugin}", *fixed, *as_overrides(best.values)]
        commands.append(("the best trial, in full", shlex.join(["lab", "run", *words])))
    return commands


def _legend(ranked: Sequence[TrialRow]) -> list[tuple[str, str]]:
    """What the ends and the middle of the colour scale stand for."""
    if len(ranked) < 2:
        return []
    marks = [("best", 0), ("middle", len(ranked) // 2), ("worst", len(ranked) - 1)]
    return [(word, format_number(ranked[index].score)) for word, index in marks]


def _importance(
    results: SweepResults, ranked: Sequence[TrialRow], varying: Sequence[Parameter]
) -> tuple[list[_Bar], str]:
    """Rows of the table, and why there are none."""
    found = measure_importance(ranked, varying, results.goal)
    names = short_names([parameter.name for parameter in varying])
    longest = max(found.shares.values(), default=1.0) or 1.0
    bars = [
        _Bar(
            prefix=names[name][0],
            end=names[name][1],
            length=round(100 * share / longest, 1),
            share=f"{share:.0%}",
            direction=_direction(name, found, results.goal),
        )
        for name, share in found.shares.items()
    ]
    return bars, found.reason


def _direction(name: str, found: Importance, goal: str) -> str:
    rho = found.correlations.get(name)
    if rho is None:
        return "choices have none"
    if abs(rho) < 0.2:
        return "no clear one"
    larger = (rho < 0) == (goal == "minimize")
    return f"{'larger' if larger else 'smaller'} is better ({rho:+.2f})"


def _row(folder: Path, trial: TrialRow, varying: Sequence[Parameter], is_best: bool) -> _Row:
    values = {p.name: trial.values[p.name] for p in varying if p.name in trial.values}
    parts = [f"{name.rpartition('.')[2]} {write_value(value)}" for name, value in values.items()]
    score = "no value" if trial.best_metric is None else format_number(trial.best_metric)
    href = _link(folder, trial.run_folder)
    return _Row(
        trial=trial,
        label=f"trial {trial.number}: {score}, {STATE_LABELS[trial.state]}; {', '.join(parts)}",
        cells=[_cell(values.get(parameter.name), parameter) for parameter in varying],
        best=_number(trial.best_metric),
        last=_number(trial.metric),
        logs=len(trial.curve),
        time=_Cell(
            text="" if trial.seconds is None else format_duration(trial.seconds),
            key="" if trial.seconds is None else trial.seconds,
        ),
        href=href,
        run=trial.run_folder.name if trial.run_folder else "",
        is_best=is_best,
    )


def _cell(value: Any, parameter: Parameter) -> _Cell:
    if value is None and not parameter.choices:
        return _Cell(text="", key="")
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return _Cell(text=write_value(value), key=value if is_number else write_value(value))


def _number(value: float | None) -> _Cell:
    return _Cell(text="", key="") if value is None else _Cell(text=format_number(value), key=value)


def _link(folder: Path, run: Path | None) -> str:
    """The run's own page, or its folder while it has none, relative to the sweep's folder."""
    if run is None:
        return ""
    target = run / REPORT_FILE if (run / REPORT_FILE).exists() else run
    try:
        relative = os.path.relpath(target.resolve(), folder.resolve())
    except ValueError:  # another drive of Windows
        return target.resolve().as_uri()
    return quote(Path(relative).as_posix())
