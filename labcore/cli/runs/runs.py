"""``lab runs``: what has been run, how it went, and where it is."""

import dataclasses
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from labcore.config.facts import facts_of, quick_config, took_s, where_all
from labcore.config.root import training_options
from labcore.errors import UsageError, clean
from labcore.record.durations import format_duration
from labcore.record.store import StoredRun, list_runs

__all__ = ["runs"]

_COLOURS = {
    "finished": "green",
    "running": "cyan",
    "failed": "red",
    "lost": "red",
    "interrupted": "yellow",
}
_HEADER = ("state", "run", "preset", "seed", "time", "step", "result")


@click.command()
@click.option("--plugin", help="Only runs of this plugin.")
@click.option("--state", help="Only runs in this state.")
@click.option(
    "--where",
    multiple=True,
    metavar="NAME=VALUE",
    help="Only runs with this task, preset, sweep, or value of an option: --where seed=3",
)
@click.option("--sort", metavar="NAME", help="By time, step, a metric or an option; smallest last.")
@click.option("--last", default=20, show_default=True, help="How many to show; 0 shows all.")
@click.option("--runs-dir", default="runs", show_default=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")
def runs(
    plugin: str | None,
    state: str | None,
    where: tuple[str, ...],
    sort: str | None,
    last: int,
    runs_dir: Path,
    as_json: bool,
) -> None:
    """List the runs, newest last."""
    damaged: dict[Path, str] = {}
    found = list_runs(runs_dir, plugin, damaged=damaged)
    if state:
        found = [run for run in found if run.status.observed_state() == state]
    found = where_all(found, where)
    if sort:
        found = _sorted(found, sort)
    found = found[-last:] if last else found
    if as_json:
        rows = [
            {
                **dataclasses.asdict(run.status),
                "state": run.status.observed_state(),
                "id": run.id,
                "folder": str(run.folder),
            }
            for run in found
        ]
        click.echo(json.dumps(rows, indent=1))
    elif found:
        _print([_row(run) for run in found])
    else:
        click.echo(f"No runs in {runs_dir}/. Start one: lab run plugin=musicvae")
    for folder, reason in damaged.items():
        click.echo(clean(f"{folder.parent.name}/{folder.name} is left out: {reason}"), err=True)


def _sorted(found: list[StoredRun], name: str) -> list[StoredRun]:
    known = [(run, facts_of(run).get(name)) for run in found]
    if found and all(value is None for _, value in known):
        raise UsageError(
            f"--sort {name}: no run here has that", fix="sort by time, step, a metric or an option"
        )

    def order(pair: tuple[StoredRun, Any]) -> tuple[int, float, str]:
        value = pair[1]
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return (value is not None, -value if is_number else math.inf, str(value))

    return [run for run, _ in sorted(known, key=order)]


def _row(run: StoredRun) -> tuple[str, ...]:
    status, config = run.status, quick_config(run)
    state = status.observed_state()
    result = _result(status.metrics, config)
    if status.error and state == "failed":
        result = str(status.error.get("message", "")).partition("\n")[0]
    took = format_duration(took_s(run))
    step = "" if status.step is None else f"{status.step:,}"
    seed = str(config.get("seed", ""))[:12]
    return tuple(map(clean, (state, run.id, status.preset, seed, took, step, result)))


def _result(metrics: Mapping[str, float], config: Mapping[str, Any]) -> str:
    """Returns the monitored metric, or the first one of a run that monitors none."""
    options = training_options(config)
    wanted = f"val/{options.monitor}" if options is not None else ""
    name = wanted if wanted in metrics else next(iter(metrics), "")
    return f"{name}={metrics[name]:.4g}" if name else ""


def _print(rows: list[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip(_HEADER, *rows, strict=True)]
    click.secho(_line(_HEADER, widths), bold=True)
    for row in rows:
        colour = _COLOURS.get(row[0])
        line = _line(row, widths)
        state, rest = line[: widths[0]], line[widths[0] :]
        click.echo((click.style(state, fg=colour) if colour else state) + rest)


def _line(cells: tuple[str, ...], widths: list[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
