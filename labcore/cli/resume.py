"""``lab resume RUN``: goes on in the folder of a run that was stopped."""

import sys
from pathlib import Path

import click

from labcore.discovery import find_plugins, pick_plugin
from labcore.errors import UsageError
from labcore.run.store import StoredRun, find_run

__all__ = ["resume"]


def _can_resume(run: StoredRun) -> bool:
    return run.status.observed_state() in {"interrupted", "failed", "lost"}


@click.command()
@click.argument("run")
@click.option("--runs-dir", default="runs", show_default=True, type=click.Path(path_type=Path))
def resume(run: str, runs_dir: Path) -> None:
    """Go on with RUN (latest, an id from `lab runs`, or a folder) where it was stopped."""
    from labcore.run.life import resume as go_on

    stored = find_run(
        runs_dir,
        run,
        accept=_can_resume if run == "latest" else lambda _: True,
        wanted="run that was stopped",
    )
    state = stored.status.observed_state()
    if state == "finished":
        raise UsageError(
            f"{stored.id} has finished: there is nothing to go on with",
            fix=f"start another: lab run plugin={stored.status.plugin}",
        )
    if state == "running":
        raise UsageError(
            f"{stored.id} is still running (process {stored.status.owner['pid']})",
            fix="stop it first (Ctrl-C or kill), or watch it: lab runs",
        )
    found = pick_plugin(find_plugins(), stored.status.plugin)
    sys.exit(go_on(found, stored.folder, argv=sys.argv[1:], say=click.echo))
