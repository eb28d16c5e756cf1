"""From the results of a sweep to its ``report.html``."""

import shlex
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from labcore.record.durations import format_duration
from labcore.record.files import write_atomically
from labcore.report.artifacts import link_from
from labcore.report.page import render_page
from labcore.report.wording import format_number, write_value
from labcore.sweeps.overrides import as_overrides
from labcore.sweeps.report.drawing import Drawings, draw
from labcore.sweeps.report.importance import Importance, measure_importance
from labcore.sweeps.report.model import STATE_LABELS, SweepResults, TrialRow, short_names
from labcore.sweeps.report.scales import NUM_TONES

__all__ = ["REPORT_FILE", "build"]

REPORT_FILE = "report.html"
_TEMPLATES = Path(__file__).parent / "templates"

_OUTCOMES = {
    "running": "It was still going when this page was made.",
    "interrupted": "It was stopped before its end.",
    "stopped": "It was told to stop before its end.",
    "failed": "It gave up.",
}


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
    width = drawings.parallel.plot.width if drawings.parallel else 0
    page = render_page(
        "sweep",
        _context(folder, results, drawings),
        folders=(_TEMPLATES,),
        extra_style=f":root {{ --parallel: {width}px; }}\n",
    )
    write_atomically(path, page)
    return path


def _context(folder: Path, results: SweepResults, drawings: Drawings) -> dict[str, Any]:
    ranked = results.ranked()
    best = ranked[0] if ranked else None
    varying = [parameter.name for parameter in results.varying]
    names = short_names(varying)
    importance = measure_importance(ranked, results.varying, results.goal)
    middles = [("best", 0), ("middle", len(ranked) // 2), ("worst", len(ranked) - 1)]
    return {
        "kind": "sweep",
        "name": results.name,
        "state": results.state,
        "sweep": results,
        "outcome": _outcome(results),
        "facts": _facts(results),
        "tiles": _tiles(results, ranked),
        "best": best,
        "commands": _commands(results, best),
        "fixed": {
            p.name: p.choices[0] if p.choices else p.low for p in results.parameters if not p.varies
        },
        "charts": drawings,
        # What the ends and the middle of the colour scale stand for.
        "legend": [(word, ranked[at].score) for word, at in middles if len(ranked) > 1],
        "num_tones": NUM_TONES,
        "importance": importance,
        "directions": {name: _direction(name, importance, results.goal) for name in varying},
        "varying": varying,
        "names": names,
        "links": {t.number: _link(folder, t.run_folder) for t in results.trials if t.run_folder},
        "data": {
            "labels": {trial.number: _label(trial, varying) for trial in results.trials},
            "order": [trial.number for trial in ranked],
        },
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


def _tiles(results: SweepResults, ranked: Sequence[TrialRow]) -> list[tuple[str, str, str]]:
    """Figures in large print: what each is, its value, and a note."""
    tiles = []
    if ranked:
        best = ranked[0]
        note = f"trial\N{NO-BREAK SPACE}{best.number}"
        if len(ranked) > 1:
            middle = ranked[len(ranked) // 2].score
            note += f"; the middle trial has\N{NO-BREAK SPACE}{format_number(middle)}"
        tiles.append((f"best {results.metric}", format_number(best.score), note))
    counts = Counter(trial.state for trial in results.trials)
    states = ", ".join(f"{counts[s]} {label}" for s, label in STATE_LABELS.items() if counts[s])
    tiles.append(("trials", str(len(results.trials)), states))
    saved = _saved(results)
    if saved is not None:
        note = "of the logs that full trials would have made"
        tiles.append(("saved by early stops", f"{saved:.0%}", note))
    seconds = [trial.seconds for trial in results.trials if trial.seconds]
    if seconds:
        note = f"{format_duration(sum(seconds) / len(seconds))} a trial"
        tiles.append(("time of all trials", format_duration(sum(seconds)), note))
    return tiles


def _saved(results: SweepResults) -> float | None:
    """The share of the logs that early stops left out, if a full trial says how many it makes."""
    full = [len(trial.curve) for trial in results.trials if trial.state == "completed"]
    stopped = [len(t.curve) for t in results.trials if t.state in ("stopped", "diverged")]
    if not full or not stopped or max(full) == 0:
        return None
    whole = max(full)
    return sum(max(whole - logs, 0) for logs in stopped) / (whole * (len(full) + len(stopped)))


def _commands(results: SweepResults, best: TrialRow | None) -> list[tuple[str, str]]:
    commands = list(results.commands)
    if best is not None:
        fixed = [text for text in results.overrides if not text.startswith("plugin=")]
        words = [f"plugin={results.plugin}", *fixed, *as_overrides(best.values)]
        commands.append(("the best trial, in full", shlex.join(["lab", "run", *words])))
    return commands


def _direction(name: str, found: Importance, goal: str) -> str:
    rho = found.correlations.get(name)
    if rho is None:
        return "choices have none"
    if abs(rho) < 0.2:
        return "no clear one"
    larger = (rho < 0) == (goal == "minimize")
    return f"{'larger' if larger else 'smaller'} is better ({rho:+.2f})"


def _label(trial: TrialRow, varying: Sequence[str]) -> str:
    """A trial in one line, for whoever follows it through the page."""
    values = [
        f"{name.rpartition('.')[2]} {write_value(trial.values[name])}"
        for name in varying
        if name in trial.values
    ]
    score = "no value" if trial.best_metric is None else format_number(trial.best_metric)
    return f"trial {trial.number}: {score}, {STATE_LABELS[trial.state]}; {', '.join(values)}"


def _link(folder: Path, run: Path) -> str:
    """The run's own page, or its folder while it has none, relative to the sweep's folder."""
    return link_from(folder, run / REPORT_FILE if (run / REPORT_FILE).exists() else run)
