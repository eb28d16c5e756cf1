"""``lab show``: everything that a plugin declares, or where a run stands and what it came from."""

from collections.abc import Iterable
from pathlib import Path

import click

from labcore.cli.completion import complete_plugin
from labcore.discovery import find_plugins, pick_plugin
from labcore.plugin import Plugin, Requires

__all__ = ["show"]


@click.command()
@click.argument("plugin", metavar="PLUGIN|RUN", shell_complete=complete_plugin)
@click.option("--runs-dir", default="runs", show_default=True, type=click.Path(path_type=Path))
def show(plugin: str, runs_dir: Path) -> None:
    """Show a PLUGIN: its tasks, presets, datasets, papers, needs; or a RUN: what it came from."""
    if plugin == "latest" or "/" in plugin:
        _show_run(runs_dir, plugin)
        return
    found = pick_plugin(find_plugins(), plugin)
    declared = found.plugin
    assert declared is not None
    click.echo(f"{click.style(declared.name, bold=True)}  {declared.summary}")
    click.echo(f"from {found.origin}")
    if found.missing:
        click.echo(click.style(f"cannot run here: {found.reason}", fg="yellow"))
        click.echo(f"fix: {found.fix}")
    _section("Tasks", [(task.name, task.summary) for task in declared.tasks])
    # Listed here: config.find_groups brings all that composes, for twice the time of this command.
    files = sorted((found.config_dir / "preset").glob("*.yaml")) if found.config_dir else []
    by_place = {file.stem: "" for file in files}
    _section("Presets", {**by_place, **declared.presets}.items())
    _section("Datasets", [(d.name, _dataset_line(declared, d.name)) for d in declared.datasets])
    _section("Metrics", declared.metrics.items())
    _section("Needs", _needs(declared.requires))
    _section("Papers", [(str(p.year), f"{p.title} ({p.venue}) {p.url}") for p in declared.papers])
    click.echo(f"\nEvery option: lab run plugin={declared.name} --help")


def _show_run(runs_dir: Path, reference: str) -> None:
    from labcore.record.records import read_json
    from labcore.record.store import find_run
    from labcore.run.source import read_source

    run = find_run(runs_dir, reference)
    status, source = run.status, read_source(run.folder)
    environment = read_json(run.folder / "environment.json")
    record = environment if isinstance(environment, dict) else {}
    commands = record.get("commands") or [record.get("command", "")]
    click.echo(f"{click.style(run.id, bold=True)}  {status.observed_state()}")
    click.echo(f"task {status.task}, preset {status.preset or 'none'}, in {run.folder}")
    _section("Commands", [("", str(command)) for command in commands])
    if source:
        rows = [("run", source.get("id", "")), ("preset", source.get("preset", "none"))]
        rows += [("folder", source.get("folder", "")), ("command", source.get("command", ""))]
        _section("Works with the model of", rows)
    _section("Figures", [(name, f"{value:.6g}") for name, value in status.metrics.items()])


def _section(title: str, rows: Iterable[tuple[str, str]]) -> None:
    rows = list(rows)
    if not rows:
        return
    width = max(len(name) for name, _ in rows)
    click.echo(click.style(f"\n{title}", bold=True))
    for name, text in rows:
        click.echo(f"  {name.ljust(width)}  {text}".rstrip())


def _dataset_line(plugin: Plugin, name: str) -> str:
    dataset = plugin.dataset(name)
    size = f", {dataset.size_mb:g} MB" if dataset.size_mb else ""
    return f"{dataset.summary} [{dataset.source}{size}] {dataset.licence}"


def _needs(requires: Requires) -> list[tuple[str, str]]:
    gpu = "runs on a CPU" if requires.cpu else "needs a GPU"
    if requires.min_memory_gb:
        gpu += f"; preset=paper on a GPU with {requires.min_memory_gb:g} GB"
    if requires.min_compute_capability:
        gpu += f", compute capability {requires.min_compute_capability:g}"
    return [
        ("framework", requires.framework),
        ("packages", ", ".join(requires.packages) or "none"),
        ("device", gpu),
    ]
