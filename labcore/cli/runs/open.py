"""``lab open [RUN]``: shows the report of a run, or another page, in the browser."""

import os
import sys
import webbrowser
from pathlib import Path

import click

from labcore.cli.completion import complete_run
from labcore.errors import UsageError
from labcore.record.store import StoredRun, find_run

__all__ = ["open_report"]


@click.command("open")
@click.argument("run", default="latest", shell_complete=complete_run)
@click.option("--runs-dir", default="runs", show_default=True, type=click.Path(path_type=Path))
def open_report(run: str, runs_dir: Path) -> None:
    """Open a report in the browser: RUN is latest, an id from `lab runs`, a folder, or a page."""
    page = Path(run)
    if page.suffix != ".html" or not page.is_file():
        page = _report(runs_dir, run)
    page = page.resolve()
    if _has_screen():
        webbrowser.open(page.as_uri())
    click.echo(page)


def _report(runs_dir: Path, run: str) -> Path:
    accept = _has_report if run == "latest" else lambda _: True
    stored = find_run(runs_dir, run, accept=accept, wanted="run with a report")
    if not _has_report(stored):
        raise UsageError(
            f"{stored.id} has no report yet: it is written when a run ends",
            fix="see how it stands: lab runs",
        )
    return stored.folder / "report.html"


def _has_report(run: StoredRun) -> bool:
    return (run.folder / "report.html").is_file()


def _has_screen() -> bool:
    """Whether a browser would be seen: not over SSH, nor where nothing can be drawn."""
    if "SSH_CONNECTION" in os.environ:
        return False
    return sys.platform in ("darwin", "win32") or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
