"""Completion in the shell: of plugins, presets, tasks, options, their values, runs and sweeps.

Click asks; what is asked of an override, which is no option of click's, is answered here. Nothing
here imports Hydra: Tab must answer at once.
"""

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click
from click.shell_completion import BashComplete, CompletionItem, add_completion_class

from labcore.errors import LabError

__all__ = [
    "complete_compared",
    "complete_override",
    "complete_plugin",
    "complete_run",
    "completion",
]

_LINES = {
    "bash": 'eval "$(lab completion bash)"   # in ~/.bashrc',
    "zsh": 'eval "$(lab completion zsh)"    # in ~/.zshrc, after compinit',
    "fish": "lab completion fish | source   # in ~/.config/fish/config.fish",
}


@click.command()
@click.argument("shell", type=click.Choice(list(_LINES)), required=False)
def completion(shell: str | None) -> None:
    """Print what makes SHELL (bash, zsh or fish) complete plugins, options and runs."""
    if shell is None:
        click.echo("Put one of these lines where your shell starts:\n")
        click.echo("\n".join(_LINES.values()))
        return
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None
    root = click.get_current_context().find_root().command
    click.echo(kind(root, {}, "lab", "_LAB_COMPLETE").source())


def complete_plugin(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Completes the name of a plugin."""
    from labcore.discovery import find_plugins

    return _starting(incomplete, find_plugins())


def complete_run(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Completes ``latest`` or the id of a run, newest first; a part of one stands for it."""
    runs_dir = Path(ctx.params.get("runs_dir") or "runs")
    return _runs(runs_dir, incomplete)


def complete_compared(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Completes a word of ``lab compare``: one more run, or what chooses runs."""
    runs_dir = Path(ctx.params.get("runs_dir") or "runs")
    typed = ctx.params.get("words") or ()
    ids = _runs(runs_dir, "")
    plugins = sorted({f"plugin={name.partition('/')[0]}" for name in ids if "/" in name})
    words = [*ids, *plugins, "task=", "preset=", "state=", "last="]
    return [word for word in _starting(incomplete, words) if word not in typed]


def complete_override(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Completes a word of ``lab run``: ``plugin=``, a group, an option or its value."""
    typed = [str(word) for word in ctx.params.get("overrides") or ()]
    words: Iterable[str] = ()
    with contextlib.suppress(LabError):
        words = list(_words(typed, incomplete))
    return [CompletionItem(word) for word in _starting(incomplete, words)]


def _words(typed: list[str], incomplete: str) -> Iterator[str]:
    from labcore.config import find_groups, list_options, peek
    from labcore.discovery import find_plugins

    plugins = find_plugins()
    name = peek(typed, "plugin") or (typed[0] if typed and typed[0] in plugins else "")
    found = plugins.get(name)
    key, is_value, _ = incomplete.partition("=")
    if found is None or found.plugin is None:
        yield from (f"plugin={each}" for each in plugins)
        yield from () if typed else plugins
        return
    plugin = found.plugin
    groups = dict(find_groups(found.config_dir, hooks=found.plugin.hooks).options)
    groups["task"] = tuple(task.name for task in plugin.tasks)
    options = [option for option in list_options(plugin, docs=False) if option.path != "plugin"]
    if not is_value:
        paths = [*groups, *(option.path for option in options)]
        depth = key.count(".") + 1
        # A level at a time, as folders are completed: 70 options at once are no help.
        for path in paths:
            head = ".".join(path.split(".")[:depth])
            yield f"{head}=" if head == path else f"{head}."
        return
    values = list(groups.get(key, ()))
    if key == "run":
        values = _runs(Path(peek(typed, "runs_dir") or "runs"), "", plugin.name)
    elif key == "device":
        values = ["auto", "cpu", "cuda"]
    for option in options:
        if option.path == key:
            values += option.choices or (["true", "false"] if option.type == "true|false" else [])
    yield from (f"{key}={value}" for value in values)


def _runs(runs_dir: Path, incomplete: str, plugin: str = "*") -> list[str]:
    """Lists run ids by their folders; reading 1,000 status files would take too long."""
    folders = sorted(runs_dir.glob(f"{plugin}/*/status.json"), key=lambda path: path.parent.name)
    ids = [f"{path.parts[-3]}/{path.parts[-2]}" for path in reversed(folders)]
    return _starting(incomplete, ["latest", *ids])


def _starting(incomplete: str, words: Iterable[str]) -> list[str]:
    return [word for word in dict.fromkeys(words) if word.startswith(incomplete)]


class _Bash(BashComplete):
    """Bash takes ``plugin=mus`` as three words and wants what follows the ``=``."""

    source_template = BashComplete.source_template.replace(
        "    return 0\n", "    [[ $COMPREPLY == *[=./] ]] && compopt -o nospace\n    return 0\n"
    )

    def get_completion_args(self) -> tuple[list[str], str]:
        last = int(os.environ["COMP_CWORD"])
        words = os.environ["COMP_WORDS"].split("\n")[: last + 1]
        joined: list[str] = []
        for word in [*words, ""][: last + 1]:  # a word not begun may be left out
            follows = joined and (word == "=" or joined[-1].endswith("="))
            joined = [*joined[:-1], joined[-1] + word] if follows else [*joined, word]
        self._is_value = "=" in joined[-1]
        return joined[1:-1], joined[-1]

    def format_completion(self, item: "CompletionItem[Any]") -> str:
        value = str(item.value)
        return f"{item.type},{value.partition('=')[2] if self._is_value else value}"


add_completion_class(_Bash)
