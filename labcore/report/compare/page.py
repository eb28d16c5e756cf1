"""The page of a comparison: one file that needs no network."""

import dataclasses
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labcore.record.artifacts import Artifact, ArtifactStore
from labcore.record.durations import format_duration
from labcore.record.files import write_atomically
from labcore.record.folder import typed_name
from labcore.record.records import read_json
from labcore.report.artifacts import (
    Budget,
    Card,
    card_title,
    group_files,
    link_from,
    make_card,
)
from labcore.report.build import REPORT_FILE
from labcore.report.charts import PLOT, ChartGroup, group_charts
from labcore.report.compare.comparison import ABSENT, BEST, Comparison, Group
from labcore.report.compare.labels import group_labels, run_labels, seeds, write_spread
from labcore.report.compare.reading import ComparedRun
from labcore.report.metrics import Series, mean_of
from labcore.report.page import render_page
from labcore.report.wording import format_number, format_time

__all__ = ["build"]

_NUM_COLOURS = 24
"""Eight colours, each plain, dashed and dotted."""
_MOST_TITLES = 60
_MOST_NAMED = 12
"""Runs that a command names; a longer one is no help."""
_MOST_LINES = 12
"""Runs that have a line each; of more, a group has one line with a band."""
_SHOWN = ("image", "video", "audio")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Beside:
    """Cards of the same section and title, with the colour of each."""

    title: str
    cards: Sequence[tuple[int, Card]]


def build(path: Path, comparison: Comparison, left_out: Mapping[Path, str] = {}) -> Path:
    """Writes the page of a comparison.

    Args:
        path: The file; links to the runs are relative to its folder.
        comparison: What to show.
        left_out: Folders that are not in it, and why.

    Raises:
        OSError: The page cannot be written.
    """
    page = render_page(
        "compare",
        _context(path.parent, comparison, left_out),
        assets=("report.css", "compare.css", "report.js"),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, page)
    return path


def _context(folder: Path, comparison: Comparison, left_out: Mapping[Path, str]) -> dict[str, Any]:
    curves = _charts(comparison, "curve", "train", "val", "test", "result")
    perf = _charts(comparison, "perf", "perf")
    sections, notes = _artifacts(folder, comparison)
    colours, labels = _colours(comparison), group_labels(comparison)
    num_bad = sum(run.metrics.num_bad_lines for run in comparison.runs)
    if num_bad:
        notes.append(f"Damaged lines of metrics.jsonl that were skipped: {num_bad}.")
    notes += [
        f"{each.parent.name}/{each.name} is left out: {why}" for each, why in left_out.items()
    ]
    return {
        "kind": "comparison",
        "name": f"{len(comparison.runs)} runs",
        "state": "",
        "outcome": "",
        "facts": _facts(comparison),
        "tiles": _tiles(comparison),
        "commands": _commands(comparison),
        "options": comparison.options,
        "rows": [
            _row(folder, comparison, group, run)
            for group in comparison.groups
            for run in group.runs
        ],
        "shows_state": any(run.state != "finished" for run in comparison.runs),
        "columns": [
            (colours[group.runs[0].folder], labels[group.number], seeds(group))
            for group in comparison.groups
        ],
        "figures": _figures(comparison),
        "every": _every(comparison) if comparison.has_groups else None,
        "monitor": comparison.monitor,
        "goal": "highest" if comparison.maximize else "lowest",
        "num_left_out": comparison.num_left_out,
        "curves": curves,
        "has_bands": _has_bands(comparison) and comparison.has_groups,
        "perf": perf,
        "plot": PLOT,
        "data": {
            "plot": [PLOT.left, PLOT.right, PLOT.top, PLOT.bottom],
            "charts": {chart.id: chart.data for group in (curves, perf) for chart in group.charts},
        },
        "sections": sections,
        "notes": notes,
    }


def _colours(comparison: Comparison) -> dict[Path, int]:
    """Returns the colour of each run: that of its group, or its own where there is one group."""
    places = {run.folder: group.number for group in comparison.groups for run in group.runs}
    if len(comparison.groups) == 1:
        places = {run.folder: place for place, run in enumerate(comparison.runs, start=1)}
    return {run: (place - 1) % _NUM_COLOURS + 1 for run, place in places.items()}


def _facts(comparison: Comparison) -> list[tuple[str, str]]:
    statuses = [run.stored.status for run in comparison.runs]
    facts = [
        (name, ", ".join(dict.fromkeys(getattr(status, name) for status in statuses)))
        for name in ("plugin", "task", "preset")
    ]
    if comparison.monitor:
        end = "highest" if comparison.maximize else "lowest"
        facts.append(("monitored", f"{comparison.monitor} (the {end} is the best)"))
    facts.append(("made", format_time(time.time())))
    return [(name, value) for name, value in facts if value]


def _tiles(comparison: Comparison) -> list[tuple[str, str, str]]:
    """The best run of each figure of the monitored metric, then the best group."""
    tiles = []
    labels = run_labels(comparison)
    for figure in comparison.figures:
        best = [run for run in comparison.runs if run.folder in figure.best]
        if best:
            is_reached = figure.name.startswith(BEST)
            name = figure.name if is_reached else f"{BEST}{figure.name} at the end"
            label = labels[best[0].folder]
            value = format_number(figure.values[best[0].folder])
            tiles.append((name, value, label if len(best) == 1 else f"{label} and others"))
    return tiles


def _commands(comparison: Comparison) -> list[tuple[str, str]]:
    commands = []
    if len(comparison.runs) <= _MOST_NAMED:
        names = [typed_name(run.folder) for run in comparison.runs]
        commands.append(("this comparison again", " ".join(["lab compare", *names])))
    marked = [figure for figure in comparison.figures if figure.best]
    for run in comparison.runs:
        if marked and run.folder in marked[0].best:
            environment = read_json(run.folder / "environment.json")
            command = environment.get("command") if isinstance(environment, dict) else None
            if isinstance(command, str) and command:
                commands.append((f"the best {marked[0].name}", command))
    return commands[:2]


def _row(folder: Path, comparison: Comparison, group: Group, run: ComparedRun) -> dict[str, Any]:
    status = run.stored.status
    page = run.folder / REPORT_FILE
    took = (status.ended or status.heartbeat) - (status.started or status.created)
    return {
        "colour": _colours(comparison)[run.folder],
        "number": group.number,
        "is_first": run is group.runs[0],
        "id": run.id,
        "href": link_from(folder, page if page.exists() else run.folder),
        "preset": status.preset,
        "seed": run.seed,
        "state": run.state,
        "took": format_duration(took),
        "options": [comparison.option(run, name) for name in comparison.options],
    }


def _figures(comparison: Comparison) -> list[tuple[str, bool, list[tuple[str, bool]]]]:
    """Name, whether it is the monitored one, and the text of each group with whether it is best."""
    return [
        (
            figure.name,
            bool(figure.best),
            [
                (
                    write_spread(group.spread(figure), len(group.runs)) or ABSENT,
                    group.number in figure.best_groups and len(comparison.groups) > 1,
                )
                for group in comparison.groups
            ],
        )
        for figure in comparison.figures
    ]


def _every(comparison: Comparison) -> dict[str, Any]:
    """The figures of each run, for whoever wants to see behind the means."""
    colours, labels = _colours(comparison), group_labels(comparison)
    return {
        "columns": [
            (colours[run.folder], labels[group.number], f"seed {run.seed}")
            for group in comparison.groups
            for run in group.runs
        ],
        "rows": [
            (
                figure.name,
                bool(figure.best),
                [
                    (
                        format_number(figure.values[run.folder])
                        if run.folder in figure.values
                        else ABSENT,
                        run.folder in figure.best,
                    )
                    for run in comparison.runs
                ],
            )
            for figure in comparison.figures
        ],
    }


def _charts(comparison: Comparison, prefix: str, *phases: str) -> ChartGroup:
    labels, colours = run_labels(comparison), _colours(comparison)
    if _has_bands(comparison):
        by_group = group_labels(comparison)
        labels = {
            run.folder: by_group[group.number] for group in comparison.groups for run in group.runs
        }
    families: dict[tuple[str, str], list[Series]] = {}
    for run, series in comparison.series(*phases):
        families.setdefault((labels[run.folder], series.full_name), []).append(series)
    lines = [mean_of(family, label, name) for (label, name), family in families.items()]
    return group_charts(
        lines, prefix=prefix, colours={labels[run]: colour for run, colour in colours.items()}
    )


def _has_bands(comparison: Comparison) -> bool:
    return len(comparison.groups) > 1 and len(comparison.runs) > _MOST_LINES


def _artifacts(folder: Path, comparison: Comparison) -> tuple[dict[str, list[_Beside]], list[str]]:
    """Puts pictures and sounds that several runs have beside one another, title by title."""
    notes: list[str] = []
    found: dict[tuple[str, str], dict[Path, list[Artifact]]] = {}
    for run in comparison.runs:
        try:
            artifacts = ArtifactStore(run.folder).read()
        except (OSError, ValueError) as error:
            notes.append(f"The artifacts of {run.id} are left out: {error}")
            continue
        for section, cards in group_files(artifacts).items():
            for family in cards.values():
                if any(artifact.kind in _SHOWN for artifact in family):
                    # The newest of a title counts: some pictures are made again and again.
                    found.setdefault((section, card_title(family)), {})[run.folder] = family
    shared = {key: by_run for key, by_run in found.items() if len(by_run) > 1}
    if len(shared) > _MOST_TITLES:
        notes.append(f"The first {_MOST_TITLES} of {len(shared)} titles are shown.")
        shared = dict(list(shared.items())[:_MOST_TITLES])
    budget = Budget()
    budget.hear(row for by_run in shared.values() for family in by_run.values() for row in family)
    sections: dict[str, list[_Beside]] = {}
    colours, labels = _colours(comparison), run_labels(comparison)
    for (section, title), by_run in shared.items():
        beside = [
            (
                colours[run.folder],
                _card(folder, labels[run.folder], run, by_run[run.folder], budget),
            )
            for group in comparison.groups
            for run in group.runs
            if run.folder in by_run
        ]
        sections.setdefault(section, []).append(_Beside(title=title, cards=beside))
    return sections, notes


def _card(
    folder: Path, label: str, run: ComparedRun, family: Sequence[Artifact], budget: Budget
) -> Card:
    card = make_card(run.folder, family, budget)
    base = link_from(folder, run.folder)
    items = [
        dataclasses.replace(
            item,
            href=f"{base}/{item.href}" if item.href else "",
            title=label if item.title == card.title else item.title,
        )
        for item in card.items
    ]
    return dataclasses.replace(card, title=label, captions=(), items=items)
