"""``lab run --help``, and ``lab run plugin=NAME --help`` with every option of that plugin."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from labcore.cli.console import columns, printer
from labcore.config import Option, find_groups, list_options, peek
from labcore.config.compose import preset_values
from labcore.config.diagnosis import with_variants
from labcore.config.hydra.groups import PRESET, Groups
from labcore.config.options import as_typed
from labcore.discovery import FoundPlugin
from labcore.errors import UsageError
from labcore.plugin import Plugin

__all__ = ["show_help", "show_plugin_help"]

_FLAGS = {
    "--help, -h": "this help; with plugin=NAME, that plugin's tasks, presets and options",
    "--dry-run": "show config, device, datasets and run folder, and start nothing",
    "--multirun, -m": "run every combination: lab run -m plugin=musicvae seed=1,2,3",
    "--cfg, -c job|hydra|all": "print the composed config as YAML",
    "--resolve": "with --cfg: put values in the place of references",
    "--package, -p PART": "with --cfg: print only this part",
    "--info, -i [WHAT]": "what Hydra did: defaults, defaults-tree, config, plugins, searchpath",
    "--config-dir FOLDER": "take more config files from this folder",
    "--hydra-help": "Hydra's own flags",
}
_EXAMPLES = {
    "lab run plugin=musicvae": "the first task, at the size that fits this machine",
    "lab run plugin=musicvae preset=smoke": "the same in seconds",
    "lab run plugin=musicvae task=sample run=latest": "use the last trained model",
    "lab run plugin=musicvae optimizer.lr=3e-4": "change one option",
    "lab run plugin=musicvae 'taps={\"encoder.*\":[stats]}'": "watch layers",
}


def show_help(plugins: Mapping[str, FoundPlugin]) -> None:
    """Prints the general help: how to write a command, and which plugins there are."""
    rows = [
        (name, found.plugin.summary if found.plugin else f"broken: {found.error}")
        for name, found in plugins.items()
    ]
    with printer() as console:
        _say(console, "Usage: lab run plugin=NAME [OPTION=VALUE]... [FLAGS]", "bold")
        _say(console, "\nRuns a task of a plugin and leaves everything in one folder below runs/.")
        _section(console, "Plugins", rows or [("none", "see lab list")])
        _section(console, "Examples", _EXAMPLES.items())
        _section(console, "Flags", _FLAGS.items())
        _say(console, "\nEvery option of a plugin: lab run plugin=NAME --help", "dim")


def show_plugin_help(found: FoundPlugin, overrides: Sequence[str], *, preset: str) -> None:
    """Prints what one plugin can do, and every option with its default and documentation.

    Args:
        found: The plugin.
        overrides: The defaults shown are the ones that these lead to.
        preset: The preset that ``preset=auto`` takes here.
    """
    assert found.plugin is not None
    groups = find_groups(found.config_dir, hooks=found.plugin.hooks)
    typed = peek(overrides, PRESET)
    chosen = preset if typed is None or typed == "auto" else typed
    plugin = with_variants(found, overrides, preset=chosen)
    problem = None
    try:
        values = preset_values(found, groups, overrides, chosen)
    except UsageError as error:
        values, problem = {}, error
    with printer() as console:
        _say(console, f"{plugin.name}  {plugin.summary}", "bold")
        if found.missing:
            _say(console, f"cannot run here: {found.reason}; fix: {found.fix}", "yellow")
        command = f"lab run plugin={plugin.name}"
        _say(console, f"\nUsage: {command} [task=TASK] [preset=PRESET] [OPTION=VALUE]...")
        _section(console, "Tasks (task=)", _tasks(plugin))
        _section(console, "Presets (preset=)", _presets(plugin, groups, preset))
        rows = [(group, ", ".join(groups.options[group])) for group in (*groups.own, "hooks")]
        _section(console, "Groups (GROUP=OPTION)", rows)
        options = [_as_run(option, plugin) for option in list_options(plugin)]
        for section in dict.fromkeys(option.section for option in options):
            inside = [option for option in options if option.section == section]
            title = "Options" if section == plugin.name else f"Options of {section}"
            _options(console, title, inside, values)
        shown = f"with preset={chosen}" if chosen != "none" else "with no preset"
        _say(console, f"\nThe values are the defaults {shown}. Flags: lab run --help", "dim")
    if problem is not None:
        click.echo(f"\n{problem}", err=True)


def _say(console: Console, text: str, style: str = "") -> None:
    console.print(Text(text, style=style), soft_wrap=True)


def _section(console: Console, title: str, rows: Iterable[tuple[str, str]]) -> None:
    rows = list(rows)
    if rows:
        _say(console, f"\n{title}", "bold")
        table = columns("", "", wrapped=1)
        for name, text in rows:
            table.add_row(Text(f"  {name}", style="cyan"), Text(text))
        console.print(table)


def _tasks(plugin: Plugin) -> list[tuple[str, str]]:
    first = plugin.tasks[0]
    return [(t.name, t.summary + (" (default)" if t is first else "")) for t in plugin.tasks]


def _presets(plugin: Plugin, groups: Groups, chosen: str) -> list[tuple[str, str]]:
    declared = [name for name in plugin.presets if name in groups.presets]
    mark = {chosen: " (auto takes this here)"}
    return [
        (name, plugin.presets.get(name, "") + mark.get(name, ""))
        for name in dict.fromkeys([*declared, *groups.presets])
    ]


def _as_run(option: Option, plugin: Plugin) -> Option:
    """Shows what the core fills in, in the place of the empty default that stands for it."""
    filled = {"plugin": plugin.name, "task": plugin.tasks[0].name, "hooks": "default"}
    if option.path not in filled:
        return option
    kind = "a group" if option.path == "hooks" else option.type
    return dataclasses.replace(option, default=filled[option.path], type=kind)


def _options(
    console: Console, title: str, options: Sequence[Option], values: Mapping[str, Any]
) -> None:
    _say(console, f"\n{title}", "bold")
    table = columns("", "", wrapped=1)
    for option in options:
        value = _number(values.get(option.path, option.default), option)
        is_changed = value != option.default
        name = Text(f"  {option.path}", style="cyan")
        name.append(f"={_shown(value)}", style="bold" if is_changed else "")
        note = (
            f"{option.type}; {_shown(option.default)} without preset" if is_changed else option.type
        )
        text = Text(f"{option.doc} " if option.doc else "")
        text.append(f"[{note}]", style="dim")
        table.add_row(name, text)
    console.print(table)


def _number(value: Any, option: Option) -> Any:
    """Reads 1e-3 as a number, which plain YAML does not."""
    if option.type.startswith("number") and isinstance(value, int | str):
        return float(value)
    return value


def _shown(value: Any) -> str:
    return "???" if value is dataclasses.MISSING else as_typed(value)
