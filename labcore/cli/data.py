"""``lab data``: list, prepare and verify the datasets that plugins declare."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import click

from labcore.data import DatasetState, data_folder, default_folder, ensure, state, verify
from labcore.discovery import find_plugins
from labcore.errors import LabError, RequirementError, RunFailed, UsageError, nearest, suggestion
from labcore.plugin import Dataset, Plugin

__all__ = ["data"]

_Pair = tuple[Plugin, Dataset]
_Folders = dict[str, Path]
"""Options of plugins that name a folder of the user's own, to the folder."""
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
@click.argument("folders", nargs=-1, metavar="[OPTION=FOLDER]...")
@click.option("--plugin", "plugin_name", help="Only the datasets of this plugin.")
@_data_dir
def list_datasets(folders: tuple[str, ...], plugin_name: str | None, data_dir: str) -> None:
    """List the datasets: source, licence, size, and whether they are here.

    OPTION=FOLDER says where a dataset of your own is, as in lab run.
    """
    own, wrong = _folders(folders)
    if wrong:
        raise UsageError(
            f"lab data list does not know {wrong[0]!r}",
            fix=f"one plugin's datasets: lab data list --plugin {wrong[0]}",
        )
    pairs = _select([plugin_name] if plugin_name else [], own)
    if not pairs:
        click.echo("No dataset is declared.")
        return
    from rich.text import Text

    from labcore.cli.console import columns, printer

    table = columns("dataset", "state", "size", "source", "licence", "path", wrapped=4)
    table.columns[5].no_wrap = False
    folder = data_folder(data_dir)
    for plugin, dataset in pairs:
        seen = state(plugin, dataset, folder, folder=_own(plugin, dataset, own))
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
@click.argument("words", nargs=-1, metavar="PLUGIN[/DATASET]... [OPTION=FOLDER]...")
@click.option("--all", "everything", is_flag=True, help="Prepare the datasets of all plugins.")
@_data_dir
def prepare(words: tuple[str, ...], everything: bool, data_dir: str) -> None:
    """Fetch and prepare datasets, so that a run can start without network.

    What is here and whole is left alone; what is damaged is made anew. OPTION=FOLDER says where a
    dataset of your own is, as in lab run.
    """
    own, targets = _folders(words)
    if not targets and not everything:
        raise UsageError(
            "lab data prepare needs to know which datasets",
            fix="name a plugin or PLUGIN/DATASET (lab data list shows them), or use --all",
        )
    folder = data_folder(data_dir)
    failures: list[LabError] = []
    for plugin, dataset in _select(() if everything else targets, own):
        name = f"{plugin.name}/{dataset.name}"
        mine = _own(plugin, dataset, own)
        try:
            asked = name in targets or dataset.origin in own
            _prepare(plugin, dataset, folder, mine, required=asked)
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
@click.argument("words", nargs=-1, metavar="[PLUGIN[/DATASET]]... [OPTION=FOLDER]...")
@_data_dir
def verify_datasets(words: tuple[str, ...], data_dir: str) -> None:
    """Compare every file of the datasets that are here with what was recorded."""
    own, targets = _folders(words)
    folder = data_folder(data_dir)
    damaged: list[str] = []
    absent: list[str] = []
    for plugin, dataset in _select(targets, own):
        seen = verify(plugin, dataset, folder, folder=_own(plugin, dataset, own))
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


def _prepare(
    plugin: Plugin, dataset: Dataset, folder: Path, own: Path | None, *, required: bool
) -> None:
    seen = verify(plugin, dataset, folder, folder=own)
    # Asked for everything, the lab does what it can; asked for this one, it says what is needed.
    if seen.yours and seen.state == "absent" and not required:
        click.echo(f"{click.style('skipped', fg='yellow')}  {seen.describe()}")
        return
    if seen.state != "present":
        click.echo(f"{seen.name}: {dataset.summary}")
        click.echo(f"  licence: {dataset.licence}")
        if dataset.homepage:
            click.echo(f"  homepage: {dataset.homepage}")
        with _bar(f"  {dataset.source}", in_bytes=dataset.kind != "made") as progress:
            force = seen.state == "damaged"
            ensure(plugin, dataset, folder, folder=own, progress=progress, force=force)
        seen = state(plugin, dataset, folder, folder=own)
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


def _folders(words: Sequence[str]) -> tuple[_Folders, list[str]]:
    """Sorts ``OPTION=FOLDER`` from the other words."""
    pairs = [word.partition("=") for word in words if "=" in word]
    folders = {option: Path(path).expanduser().absolute() for option, _, path in pairs}
    return folders, [word for word in words if "=" not in word]


def _own(plugin: Plugin, dataset: Dataset, folders: _Folders) -> Path | None:
    """Returns the user's own folder for a dataset, when it is such a one and there is one."""
    if dataset.kind != "folder":
        return None
    return folders.get(dataset.origin) or default_folder(plugin, dataset)


def _select(targets: Sequence[str], folders: _Folders) -> list[_Pair]:
    """Returns the datasets that the targets name; those of all plugins when there are none.

    Args:
        targets: Names of plugins and datasets.
        folders: Folders of the user's own: each must be of one of the datasets.

    Raises:
        UsageError: A name is wrong; every wrong one is listed with the nearest right one.
    """
    found = find_plugins()
    usable = {name: entry.plugin for name, entry in found.items() if entry.plugin is not None}
    everything = [(plugin, dataset) for plugin in usable.values() for dataset in plugin.datasets]
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
    selected = list(chosen.values()) if targets else everything
    options = {each.origin for _, each in selected if each.kind == "folder"} - {""}
    for option in folders.keys() - options:
        hint = suggestion(nearest(option, options)) or f"there is {', '.join(options) or 'none'}"
        problems.append(f"{option} names the folder of none of these datasets; {hint}")
    if problems:
        raise UsageError(
            "which datasets?",
            problems=problems,
            fix=f"choose from: {', '.join([*usable, *known]) or 'none is declared'}",
        )
    return selected


def _size(dataset: Dataset, seen: DatasetState) -> str:
    if seen.state == "present":
        return f"{seen.size_bytes / 1e6:.1f} MB"
    return f"{dataset.size_mb:g} MB download" if dataset.size_mb else "-"
