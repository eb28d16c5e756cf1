"""``lab compare``: runs beside one another, in the terminal, as CSV and as a page."""

import io
import re
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from labcore.cli.completion import complete_compared
from labcore.config.facts import facts_of, where_all
from labcore.errors import (
    DamagedRun,
    RequirementError,
    UsageError,
    clean,
    nearest_option,
    suggestion,
)
from labcore.record.files import write_atomically
from labcore.record.store import StoredRun, find_run, list_runs

if TYPE_CHECKING:
    from labcore.report.compare import Comparison

__all__ = ["compare"]

_CONDITION = re.compile(r"[\w./-]+=")
_MOST = 20
"""Runs that conditions choose, unless ``last=N`` asks for more."""
_USAGE = "lab compare RUN RUN..., or lab compare plugin=NAME task=TASK last=N; lab runs lists them"


@click.command()
@click.argument(
    "words", nargs=-1, metavar="RUN... | NAME=VALUE...", shell_complete=complete_compared
)
@click.option(
    "--where",
    multiple=True,
    metavar="NAME=VALUE",
    help="Only runs with this state, preset, sweep, or value of an option; as a word without it.",
)
@click.option(
    "--csv",
    "csv_file",
    is_flag=False,
    flag_value="-",
    metavar="[FILE.csv]",
    help="Write a row for each run; to stdout when no file is named, then with no page.",
)
@click.option(
    "--html",
    "html_file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.html",
    help="The page; in runs/compare/ when left out.",
)
@click.option("--runs-dir", default="runs", show_default=True, type=click.Path(path_type=Path))
def compare(
    words: tuple[str, ...],
    where: tuple[str, ...],
    csv_file: str | None,
    html_file: Path | None,
    runs_dir: Path,
) -> None:
    """Compare runs: a table here, and a page with curves, pictures and sounds side by side.

    Name the runs (ids from `lab runs`, parts of them, latest, folders), or say which ones:

    \b
      lab compare 20260102-0304 20260102-0305 latest
      lab compare plugin=musicvae task=train last=6
      lab compare plugin=musicvae preset=laptop state=finished data.dataset=folk --csv

    Conditions take the newest 20 that fit; last=N takes N, last=0 all. Runs that differ only in
    their seed are grouped, with mean and standard deviation. The best of the metric that
    train.monitor names has a star. Of different plugins only what they share is compared.
    """  # noqa: D301  # click's mark for lines that are kept is a backspace
    # Here, so that Tab answers at once.
    from labcore.cli.runs.comparison_table import comparison_lines
    from labcore.report.compare import build, read_runs
    from labcore.report.compare import compare as compare_runs

    _check_suffix("--csv", csv_file, ".csv")
    _check_suffix("--html", html_file, ".html")
    left_out: dict[Path, str] = {}
    chosen = read_runs(_choose(words, where, runs_dir, left_out), left_out)
    for folder, reason in left_out.items():
        click.echo(clean(f"{folder.parent.name}/{folder.name} is left out: {reason}"), err=True)
    if len(chosen) < 2:
        found = f"only {chosen[0].id}" if chosen else "none"
        raise UsageError(f"a comparison needs at least two runs; there is {found}", fix=_USAGE)
    comparison = compare_runs(chosen)
    page = html_file
    if page is None and csv_file != "-":
        page = _free_path(runs_dir / "compare")
    if page is not None:  # before anything is printed, which a pipe may cut short
        try:
            build(page, comparison, left_out)
        except OSError as error:
            raise _unwritable(page, error, "--html FILE.html") from error
    if csv_file is None:
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 100
        for line in comparison_lines(comparison, width):
            click.echo(line)
    else:
        _write_csv(comparison, csv_file)
    if page is not None:
        click.echo(f"page: {page}", err=csv_file == "-")


def _check_suffix(option: str, file: Path | str | None, suffix: str) -> None:
    if file is not None and file != "-" and not str(file).endswith(suffix):
        raise UsageError(
            f"{option} {file}: the file's name must end with {suffix}, so that no run is taken"
            " for a file",
            fix=f"{option} FILE{suffix}" + (", or --csv at the end" if suffix == ".csv" else ""),
        )


def _choose(
    words: Sequence[str], where: Sequence[str], runs_dir: Path, left_out: dict[Path, str]
) -> list[StoredRun]:
    """Returns the runs that are meant, each once."""
    conditions = [word for word in words if _CONDITION.match(word) and not Path(word).exists()]
    names = [word for word in words if word not in conditions]
    conditions += where
    if names and conditions:
        raise UsageError(
            f"runs are named ({names[0]}) or chosen by conditions ({conditions[0]}), not both",
            fix=_USAGE,
        )
    if conditions:
        return _fitting(conditions, runs_dir, left_out)
    found: dict[Path, StoredRun] = {}
    for name in names:
        try:
            run = find_run(runs_dir, name)
        except DamagedRun as error:
            left_out[Path(name)] = error.message
        else:
            found.setdefault(run.folder.resolve(), run)
    return list(found.values())


def _fitting(
    conditions: Sequence[str], runs_dir: Path, left_out: dict[Path, str]
) -> list[StoredRun]:
    last, plugin, others = _MOST, None, []
    for text in conditions:
        name, _, value = text.partition("=")
        if name == "plugin":
            plugin = value
        elif name != "last":
            others.append(text)
        elif value.isdecimal():
            last = int(value)
        else:
            raise UsageError(f"{text}: how many runs must be a number", fix="last=6; last=0 is all")
    every = list_runs(runs_dir, plugin, damaged=left_out)
    found = where_all(every, others)
    if not found:
        raise UsageError(
            f"no run in {runs_dir} fits {' '.join(conditions)}",
            problems=_unknown(every, others),
            fix="lab runs lists them all",
        )
    if last and len(found) > last:
        text = f"the newest {last} of {len(found)} runs that fit; last={len(found)} takes all"
        click.echo(text, err=True)
    return found[-last:] if last else found


def _unknown(runs: Sequence[StoredRun], conditions: Sequence[str]) -> list[str]:
    """Says which names no run knows."""
    known = {name for run in runs for name in facts_of(run)} | {"plugin", "last"}
    problems = []
    for text in conditions:
        name = text.partition("=")[0]
        if runs and not {name, f"{name}.name"} & known:
            hint = suggestion(nearest_option(name, known))
            problems.append(f"no run has {name!r}" + (f"; {hint}" if hint else ""))
    return problems


def _write_csv(comparison: "Comparison", file: str) -> None:
    from labcore.report.compare import write_csv

    text = io.StringIO()
    write_csv(comparison, text)
    if file == "-":
        click.echo(text.getvalue(), nl=False)
        return
    try:
        write_atomically(Path(file), text.getvalue())
    except OSError as error:
        raise _unwritable(Path(file), error, "--csv FILE.csv") from error
    click.echo(f"table: {file}")


def _unwritable(path: Path, error: OSError, option: str) -> RequirementError:
    return RequirementError(
        f"{path} cannot be written: {error.strerror}", fix=f"elsewhere: {option}"
    )


def _free_path(folder: Path) -> Path:
    stamp = time.strftime("%Y%m%d-%H%M%S")
    names = [stamp, *(f"{stamp}-{number}" for number in range(2, 100))]
    return next(path for name in names if not (path := folder / f"{name}.html").exists())
