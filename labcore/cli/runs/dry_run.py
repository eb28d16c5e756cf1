"""``lab run ... --dry-run``: what would be run, and from where every value comes."""

from collections.abc import Mapping
from pathlib import Path

from rich.table import Table
from rich.text import Text

from labcore.cli.console import columns, printer
from labcore.config.compose import Composed
from labcore.config.options import as_typed
from labcore.data import chosen_folder, data_folder, state
from labcore.devices import plan
from labcore.discovery import FoundPlugin
from labcore.errors import LabError
from labcore.life.checks import check_start
from labcore.life.start import processes_of
from labcore.plugin import Plugin
from labcore.record.folder import plan_run_folder
from labcore.run.source import SourceRun

__all__ = ["show_dry_run"]


def show_dry_run(found: FoundPlugin, composed: Composed, source: SourceRun | None = None) -> None:
    """Prints config, device, requirements, datasets and run folder; leaves nothing on the disk."""
    plugin = found.plugin
    assert plugin is not None
    if not found.missing:
        check_start(plugin, composed.task, composed.config)
    folder = plan_run_folder(Path(composed.config.runs_dir), plugin.name, composed.run_name)
    facts = columns("", "", wrapped=1)
    facts.columns[0].style = "bold"
    facts.add_row("task", Text(f"{composed.task.name}: {composed.task.summary}"))
    facts.add_row("preset", Text(_preset_line(plugin, composed)))
    if composed.task.needs_run:
        facts.add_row("model", _model(source))
    facts.add_row("device", _device(plugin, composed))
    facts.add_row("requirements", _requirements(found))
    for number, line in enumerate(_datasets(plugin, composed)):
        facts.add_row("datasets" if number == 0 else "", Text(line))
    facts.add_row("run folder", Text(str(folder)))
    with printer(120) as console:
        console.print(_config_table(composed))
        console.print("\n* differs from the plugin's default\n", style="dim")
        console.print(facts)
        console.print("\nNothing was started (--dry-run).", style="dim")


def _config_table(composed: Composed) -> Table:
    table = columns("", "option", "value", "from", wrapped=2)
    changed = set(composed.changed)
    for path, value in composed.values().items():
        is_changed = path in changed
        style = "bold yellow" if is_changed else ""
        table.add_row(
            Text("*" if is_changed else "", style=style),
            Text(path, style=style),
            Text(as_typed(value) or "''", style=style),
            Text(_origin(composed.origins, path), style="" if is_changed else "dim"),
        )
    return table


def _origin(origins: Mapping[str, str], path: str) -> str:
    """Returns where a value came from; a reference to a section has the origin of the whole."""
    while path and path not in origins:
        path = path.rpartition(".")[0]
    return origins.get(path, "")


def _preset_line(plugin: Plugin, composed: Composed) -> str:
    if composed.preset == "none":
        return "none"
    summary = plugin.presets.get(composed.preset, "")
    return f"{composed.preset}: {summary}" if summary else composed.preset


def _device(plugin: Plugin, composed: Composed) -> Text:
    config = composed.config
    try:
        device = plan(
            config.device.request(),
            plugin.requires,
            config.threads,
            processes=processes_of(config),
            paper=composed.preset == "paper",
        )
        return Text(device.describe())
    except LabError as error:
        return Text(str(error), style="red")


def _model(source: SourceRun | None) -> Text:
    if source is None:
        return Text("there is no such run yet, and the task needs one", style="red")
    return Text(f"of {source.stored.id} (preset {source.stored.status.preset or 'none'})")


def _requirements(found: FoundPlugin) -> Text:
    if found.missing:
        return Text(f"not met: {', '.join(found.missing)}\nfix: {found.fix}", style="red")
    packages = found.plugin.requires.packages if found.plugin is not None else ()
    return Text(f"met: {', '.join(packages)}" if packages else "none")


def _datasets(plugin: Plugin, composed: Composed) -> list[str]:
    if not composed.task.datasets or not plugin.datasets:
        return ["none needed"]
    folder = data_folder(composed.config.data_dir)
    return [
        state(plugin, each, folder, folder=chosen_folder(each, composed.config)).describe()
        for each in plugin.datasets
    ]
