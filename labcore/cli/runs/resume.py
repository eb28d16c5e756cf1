"""``lab resume RUN``: goes on in the folder of a run that was stopped."""

import sys
from pathlib import Path

import click

from labcore.cli.completion import complete_run
from labcore.discovery import find_plugins, pick_plugin
from labcore.errors import UsageError
from labcore.record.folder import typed_name
from labcore.record.status import read_status
from labcore.record.store import StoredRun, find_run
from labcore.run.ranks import is_main_process, join_folder

__all__ = ["resume"]


@click.command()
@click.argument("run", shell_complete=complete_run)
@click.argument("secrets", nargs=-1, metavar="[OPTION=VALUE]...")
@click.option("--runs-dir", default="runs", show_default=True, type=click.Path(path_type=Path))
def resume(run: str, secrets: tuple[str, ...], runs_dir: Path) -> None:
    """Go on with RUN (latest, an id from `lab runs`, or a folder) where it was stopped.

    A run keeps its options; only passwords and the like are not kept, and are given again as
    OPTION=VALUE.
    """
    from labcore.cli.runs.run import explain_raised
    from labcore.life.execute import resume as go_on

    if is_main_process():
        stored = _find(run, runs_dir)
    else:  # the main process has looked, and the run is in its hands by now
        is_folder = (Path(run) / "status.json").exists()
        folder = join_folder(Path(run).parent.parent if is_folder else runs_dir)
        stored = StoredRun(folder=folder, status=read_status(folder))
    found = pick_plugin(find_plugins(), stored.status.plugin)
    # Recorded is the run that was meant, not what was the latest one then.
    argv = [typed_name(stored.folder) if word == run else word for word in sys.argv[1:]]
    given = {name: value for name, _, value in (text.partition("=") for text in secrets)}
    sys.exit(
        go_on(found, stored.folder, argv=argv, secrets=given, say=click.echo, known=explain_raised)
    )


def _find(run: str, runs_dir: Path) -> StoredRun:
    def accept(each: StoredRun) -> bool:
        return run != "latest" or each.status.observed_state() in {"interrupted", "failed", "lost"}

    stored = find_run(runs_dir, run, accept=accept, wanted="run that was stopped")
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
    return stored
