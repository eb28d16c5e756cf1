"""``lab runs``: what has been run, how it went, and where it is."""

import dataclasses
import json
import time
from pathlib import Path

import click

from labcore.run.store import StoredRun, list_runs

__all__ = ["runs"]

_COLOURS = {
    "finished": "green",
    "running": "cyan",
    "failed": "red",
    "lost": "red",
    "interrupted": "yellow",
}


@click.command()
@click.option("--plugin", help="Only runs of this plugin.")
@click.option("--state", help="Only runs in this state.")
@click.option("--last", default=20, show_default=True, help="How many to show; 0 shows all.")
@click.option("--runs-dir", default="runs", show_default=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")
def runs(plugin: str | None, state: str | None, last: int, runs_dir: Path, as_json: bool) -> None:
    """List the runs, newest last."""
    found = list_runs(runs_dir, plugin)
    if state:
        found = [run for run in found if run.status.observed_state() == state]
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
        return
    if not found:
        click.echo(f"No runs in {runs_dir}/. Start one: lab run plugin=musicvae")
        return
    width = max(len(run.id) for run in found)
    for run in found:
        click.echo(_line(run, width))


def _line(run: StoredRun, width: int) -> str:
    status = run.status
    state = status.observed_state()
    end = status.ended or (time.time() if state == "running" else status.heartbeat)
    took = end - (status.started or status.created)
    steps = f"step {status.step}" if status.step is not None else ""
    figures = "  ".join(f"{k}={v:.4g}" for k, v in list(status.metrics.items())[:3])
    coloured = click.style(f"{state:11}", fg=_COLOURS.get(state))
    line = f"{coloured} {run.id:{width}}  {took / 60:6.1f} min  {steps:11} {figures}".rstrip()
    if status.error and state == "failed":
        line += f"\n{'':12}{status.error['message'].splitlines()[0]}"
    return line
