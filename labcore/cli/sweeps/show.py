"""Looking at a sweep: its state, its best trial, its trials for other programs."""

import csv
import io
import json
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import click
from rich.markup import escape

from labcore.cli.console import columns, printer
from labcore.cli.sweeps.words import COLOURS, TrialTable, number
from labcore.errors import UsageError
from labcore.sweeps.best import read_best, rerun_command
from labcore.sweeps.file.read import read_sweep
from labcore.sweeps.folder import SweepFolder, find_sweep, list_sweeps
from labcore.sweeps.local.record import Record
from labcore.sweeps.local.results import as_rows, as_table, state_of
from labcore.sweeps.local.standing import best_record, varying_of
from labcore.sweeps.sweep import Sweep

__all__ = ["export_trials", "print_best", "show_best", "show_list", "show_status", "stop_sweep"]

_STOP_PATIENCE_S = 180.0


def _open(folder: SweepFolder, storage: str) -> tuple[Sweep, list[Record]]:
    """Reads the sweep file and the trials."""
    from labcore.sweeps.local.engine import open_study

    settings = folder.settings()
    if settings.engine != "local":
        raise UsageError(
            f"sweep {folder.name} is on W&B's server, which has its trials",
            fix=f"see them here too: lab runs --plugin {settings.plugin}",
        )
    sweep = read_sweep(folder.path / settings.file)
    with closing(open_study(folder, sweep, settings, storage=storage, reading=True)) as store:
        return sweep, store.records()


def show_status(name: str, sweeps_dir: Path, *, last: int, storage: str) -> None:
    """Prints how a sweep stands, and a table of its trials."""
    folder = find_sweep(sweeps_dir, name)
    status = folder.status()
    sweep, records = _open(folder, storage)
    state = status.observed_state()
    words = f": {status.message}" if status.message else ""
    click.echo(f"{folder.name}  {click.style(state, fg=COLOURS.get(state))}{words}")
    states = {record.number: state_of(folder, record) for record in records}
    counts = Counter(states.values())
    counted = ", ".join(f"{count} {each}" for each, count in counts.items())
    click.echo(f"plugin {status.plugin}, {sweep.method}; {len(records)} trials: {counted or '-'}")
    best = best_record(sweep, records)
    shown = records[-last:] if last else records
    if best is not None and best not in shown:
        shown = [best, *shown]
    if shown:
        metric = "" if sweep.metric is None else sweep.metric.name
        rows = TrialTable(metric, varying_of(sweep), best)
        for record in shown:
            rows.add(record, states[record.number])
        with printer(140) as console:
            console.print(rows.table)
    if state in {"interrupted", "lost", "failed"}:
        click.echo(f"go on with it: lab sweep --resume {folder.name}")
    page = folder.path / "report.html"
    if page.exists():
        click.echo(f"report: {page}")


def show_best(name: str, sweeps_dir: Path, *, storage: str) -> None:
    """Prints the best trial so far, and writes its overrides anew."""
    from labcore.sweeps.local.engine import write_up
    from labcore.sweeps.prepare import reopen

    folder = find_sweep(sweeps_dir, name)
    prepared, settings = reopen(folder)
    write_up(folder, prepared, settings, _open(folder, storage)[1])
    print_best(folder)


def print_best(folder: SweepFolder) -> None:
    """Prints what ``best.yaml`` says."""
    best = read_best(folder)
    metric = best["metric"]
    click.echo(f"best trial {best['trial']}: {metric['name']} {metric['value']:.6g}")
    width = max((len(name) for name in best["parameters"]), default=0)
    for option, value in best["parameters"].items():
        text = value if isinstance(value, str) else json.dumps(value)
        click.echo(f"  {option:{width}}  {text}")
    click.echo(f"run it again: {rerun_command(folder, best['plugin'])}")


def export_trials(name: str, sweeps_dir: Path, *, as_json: bool, storage: str) -> None:
    """Prints all trials as JSON or CSV."""
    folder = find_sweep(sweeps_dir, name)
    _, records = _open(folder, storage)
    if as_json:
        click.echo(json.dumps(as_rows(folder, records), indent=1, ensure_ascii=False))
        return
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(as_table(folder, records))
    click.echo(text.getvalue(), nl=False)


def stop_sweep(name: str, sweeps_dir: Path, *, wait: bool) -> None:
    """Asks a sweep to stop, and waits until it has."""
    folder = find_sweep(sweeps_dir, name)
    state = folder.status().observed_state()
    if state != "running":
        click.echo(f"{folder.name} is not running: {state}")
        return
    folder.ask_to_stop()
    deadline = time.monotonic() + _STOP_PATIENCE_S
    while wait and folder.status().observed_state() == "running":
        if time.monotonic() > deadline:
            raise UsageError(
                f"{folder.name} has been asked to stop and still runs",
                fix=f"its trials may be long at a step; see lab sweep status {folder.name}",
            )
        time.sleep(0.2)
    click.echo(
        f"{folder.name} {'has stopped' if wait else 'will stop'}; "
        f"go on: lab sweep --resume {folder.name}"
    )


def show_list(sweeps_dir: Path) -> None:
    """Prints the sweeps."""
    found = list_sweeps(sweeps_dir)
    if not found:
        click.echo(f"No sweeps in {sweeps_dir}/. Start one: lab sweep musicvae")
        return
    table = columns("", "", "", "", "", wrapped=4)
    for folder in found:
        try:
            table.add_row(*_listed(folder))
        except UsageError as error:
            table.add_row("[red]unreadable[/]", escape(folder.name), "", "", escape(error.message))
    with printer(140) as console:
        console.print(table)


def _listed(folder: SweepFolder) -> tuple[str, ...]:
    status = folder.status()
    state = status.observed_state()
    done = sum(n for word, n in status.counts.items() if word not in {"running", "interrupted"})
    best = "" if status.best is None else f"best {number(status.best.get('value'))}"
    colour = COLOURS.get(state, "default")
    return f"[{colour}]{state}[/]", escape(folder.name), status.plugin, f"{done} trials", best
