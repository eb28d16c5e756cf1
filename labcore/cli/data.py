"""``lab data``: list, prepare and verify the datasets that plugins declare."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import click

from labcore.data import DatasetState, data_folder, ensure, state, verify
from labcore.discovery import find_plugins
from labcore.errors import LabError, RequirementError, RunFailed, UsageError, nearest, suggestion
from labcore.plugin import Dataset, Plugin

__all__ = ["data"]

_Pair = tuple[Plugin, Dataset]
_COLOURS = {"present": "green", "absent": "yellow", "damaged": "red"}
_SHOWN_PROBLEMS = 8

_data_dir = click.option(
    "--data-dir",
    default="",
    help="Folder of all datasets; LAB_DATA_DIR or the user's cache folder.",
)


@click.group()
def data() -> None:
    """List, prepare and verify the datasets."""


@data.command("list")
@click.option("--plugin", "plugin_name", help="Only the datasets of this plugin.")
@_data_dir
def list_datasets(plugin_name: str | None, data_dir: str) -> None:
    """List the datasets: source, licence, size, and whether they are here."""
    pairs = _select([plugin_name] if plugin_name else [])
    if not pairs:
        click.echo("No dataset is declared.")
        return
    from rich.text import Text

    from labcore.cli.console import columns, printer

    table = columns("dataset", "state", "size", "source", "licence", "path", wrapped=4)
    table.columns[5].no_wrap = False
    folder = data_folder(data_dir)
    for plugin, dataset in pairs:
        seen = state(plugin, dataset, folder)
        table.add_row(
            Text(seen.name),
            Text(seen.state, style=_COLOURS[seen.state]),
            Text(_size(dataset, seen)),
            Text(dataset.source),
            Text(dataset.licence),
            Text(str(seen.path)),
        )
    with printer(200) as console:
        console.print(table)


@data.command()
@click.argument("targets", nargs=-1, metavar="PLUGIN[/DATASET]...")
@click.option("--all", "everything", is_flag=True, help="Prepare the datasets of all plugins.")
@_data_dir
def prepare(targets: tuple[str, ...], everything: bool, data_dir: str) -> None:
    """Fetch and prepare datasets, so that a run can start without network.

    What is here and whole is left alone; what is damaged is made anew.
    """
    if not targets and not everything:
        raise UsageError(
            "lab data prepare needs to know which datasets",
            fix="name a plugin or PLUGIN/DATASET (lab data list shows them), or use --all",
        )
    folder = data_folder(data_dir)
    failures: list[LabError] = []
    for plugin, dataset in _select(() if everything else targets):
        name = f"{plugin.name}/{dataset.name}"
        try:
            _prepare(plugin, dataset, folder, required=name in targets)
        except RequirementError as error:
            failures.append(error)
            click.echo(f"{click.style('failed ', fg='red')}  {name}")
    if len(failures) == 1:
        raise failures[0]
    if failures:
        raise RequirementError(
            f"{len(failures)} datasets cannot be prepared:\n"
            + "\n".join(f"  - {error.message}\n    fix: {error.fix}" for error in failures)
        )


@data.command("verify")
@click.argument("targets", nargs=-1, metavar="[PLUGIN[/DATASET]]...")
@_data_dir
def verify_datasets(targets: tuple[str, ...], data_dir: str) -> None:
    """Compare every file of the datasets that are here with what was recorded."""
    folder = data_folder(data_dir)
    damaged: list[str] = []
    absent: list[str] = []
    for plugin, dataset in _select(targets):
        seen = verify(plugin, dataset, folder)
        click.echo(f"{click.style(f'{seen.state:7}', fg=_COLOURS[seen.state])}  {seen.describe()}")
        for problem in seen.problems[:_SHOWN_PROBLEMS]:
            click.echo(f"           {problem}")
        if len(seen.problems) > _SHOWN_PROBLEMS:
            click.echo(f"           and {len(seen.problems) - _SHOWN_PROBLEMS} more")
        if seen.state == "damaged":
            damaged.append(seen.name)
        elif seen.state == "absent" and seen.name in targets:
            absent.append(seen.name)
    if damaged:
        raise RunFailed(
            f"damaged: {', '.join(damaged)}", fix=f"lab data prepare {' '.join(damaged)}"
        )
    if absent:
        raise RequirementError(
            f"not here: {', '.join(absent)}", fix=f"lab data prepare {' '.join(absent)}"
        )


def _prepare(plugin: Plugin, dataset: Dataset, folder: Path, *, required: bool) -> None:
    seen = verify(plugin, dataset, folder)
    # Asked for everything, the lab does what it can; asked for this one, it says what is needed.
    if dataset.kind == "folder" and seen.state == "absent" and not required:
        click.echo(f"{click.style('skipped', fg='yellow')}  {seen.describe()}")
        return
    if seen.state != "present":
        click.echo(f"{seen.name}: {dataset.summary}")
        click.echo(f"  licence: {dataset.licence}")
        if dataset.homepage:
            click.echo(f"  homepage: {dataset.homepage}")
        with _bar(f"  {dataset.source}", in_bytes=dataset.kind != "made") as progress:
            ensure(plugin, dataset, folder, progress=progress, force=seen.state == "damaged")
        seen = state(plugin, dataset, folder)
    click.echo(f"{click.style('ready  ', fg='green')}  {seen.describe()}")


@contextlib.contextmanager
def _bar(title: str, *, in_bytes: bool) -> Iterator[Callable[[int, int | None], None]]:
    """A progress bar; nothing when the output is not a terminal."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    amount = DownloadColumn() if in_bytes else MofNCompleteColumn()
    columns = (TextColumn("{task.description}"), BarColumn(), amount, TimeRemainingColumn())
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bars:
        task = bars.add_task(title.replace("[", r"\["), total=None)

        def show(done: int, total: int | None) -> None:
            bars.update(task, completed=done, total=total)

        yield show


def _select(targets: Sequence[str]) -> list[_Pair]:
    """Returns the datasets that the targets name; those of all plugins when there are none.

    Raises:
        UsageError: A name is wrong; every wrong one is listed with the nearest right one.
    """
    found = find_plugins()
    usable = {name: entry.plugin for name, entry in found.items() if entry.plugin is not None}
    everything = [(plugin, dataset) for plugin in usable.values() for dataset in plugin.datasets]
    if not targets:
        return everything
    known = {f"{plugin.name}/{dataset.name}": (plugin, dataset) for plugin, dataset in everything}
    chosen: dict[str, _Pair] = {}
    problems: list[str] = []
    for target in targets:
        if target in usable:
            chosen |= {name: pair for name, pair in known.items() if pair[0].name == target}
        elif target in known:
            chosen[target] = known[target]
        elif target in found:
            problems.append(f"plugin {target} is broken: {found[target].error}")
        else:
            hint = suggestion(nearest(target, [*known, *usable]))
            problem = f"there is no plugin or dataset {target!r}"
            problems.append(f"{problem}; {hint}" if hint else problem)
    if problems:
        raise UsageError(
            "which datasets?",
            problems=problems,
            fix=f"choose from: {', '.join([*usable, *known]) or 'none is declared'}",
        )
    return list(chosen.values())


def _size(dataset: Dataset, seen: DatasetState) -> str:
    if seen.state == "present":
        return f"{seen.size_bytes / 1e6:.1f} MB"
    return f"{dataset.size_mb:g} MB download" if dataset.size_mb else "-"
