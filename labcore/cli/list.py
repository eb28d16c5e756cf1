"""``lab list``: the plugins, and for one that cannot run, why and what to do."""

import json
from typing import Any

import click

from labcore.discovery import FoundPlugin, find_plugins

__all__ = ["list_plugins"]


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")
def list_plugins(as_json: bool) -> None:
    """List the plugins and whether they can run here."""
    found = list(find_plugins().values())
    if as_json:
        click.echo(json.dumps([_row(plugin) for plugin in found], indent=1))
        return
    if not found:
        click.echo("No plugin found. Make one: lab new NAME")
        return
    width = max(len(plugin.name) for plugin in found)
    for plugin in found:
        mark = click.style("ready ", fg="green")
        if plugin.error:
            mark = click.style("broken", fg="red")
        elif plugin.missing:
            mark = click.style("needs ", fg="yellow")
        summary = plugin.plugin.summary if plugin.plugin else ""
        name = click.style(plugin.name.ljust(width), bold=True)
        click.echo(f"{mark}  {name}  {summary}".rstrip())
        for origin in plugin.hides:
            click.echo(f"{'':{width + 10}}from {plugin.origin}; hides that of {origin}")
        if plugin.reason:
            click.echo(f"{'':{width + 10}}{plugin.reason}")
            click.echo(f"{'':{width + 10}}fix: {plugin.fix}")


def _row(plugin: FoundPlugin) -> dict[str, Any]:
    return {
        "name": plugin.name,
        "state": "broken" if plugin.error else "needs packages" if plugin.missing else "ready",
        "summary": plugin.plugin.summary if plugin.plugin else None,
        "origin": plugin.origin,
        "hides": plugin.hides,
        "reason": plugin.reason,
        "fix": plugin.fix,
    }
