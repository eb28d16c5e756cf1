"""Starting a sweep, or going on with one, with whichever engine it has."""

import contextlib
import dataclasses
import secrets
import shutil
from pathlib import Path
from typing import Any

import click

from labcore.cli.sweeps.show import print_best
from labcore.cli.sweeps.view import choose_view
from labcore.errors import UsageError
from labcore.sweeps.decide import check_engine, decide, doubt_of_preset
from labcore.sweeps.file.read import read_sweep
from labcore.sweeps.folder import Settings, SweepFolder, create_sweep, find_sweep
from labcore.sweeps.launchers import check_launcher, connect, first_job
from labcore.sweeps.prepare import Prepared, prepare, reopen
from labcore.sweeps.trial import Launcher

__all__ = ["begin", "go_on"]

_CHANGEABLE = ("agents", "count", "retries", "ray_address", "slurm")
"""What a resumed sweep may have otherwise than before."""
_KEPT = ("sweeps_dir", "storage", "dry_run", "overrides", *_CHANGEABLE)


def begin(file: Path, options: dict[str, Any]) -> int:
    """Starts a sweep; returns the exit code.

    Args:
        file: The sweep file.
        options: What was typed, by name.
    """
    overrides = options.get("overrides", ())
    prepared = prepare(file, [text for text in overrides if not text.startswith("runs_dir=")])
    for warning in prepared.warnings:
        click.echo(f"warning: {warning}", err=True)
    settings = decide(file, prepared, options)
    is_dry = bool(options.get("dry_run"))
    check_launcher(settings, prepared, starting=not is_dry)
    if warning := doubt_of_preset(settings, read_sweep(file, overrides=overrides).overrides):
        click.echo(f"warning: {warning}", err=True)
    if is_dry:
        from labcore.cli.sweeps.dry_run import show_dry_run

        name, sweeps_dir = options.get("name", ""), options["sweeps_dir"]
        show_dry_run(prepared, settings, job=first_job(name, sweeps_dir, prepared, settings))
        return 0
    folder = create_sweep(options["sweeps_dir"], options.get("name", ""), file)
    settings = dataclasses.replace(settings, study=f"{folder.name}-{secrets.token_hex(4)}")
    try:
        folder.write_settings(settings)
        return _run(folder, prepared, settings, options)
    except BaseException:
        if not folder.has_begun:  # what could not start should not be listed
            shutil.rmtree(folder.path, ignore_errors=True)
        raise


def go_on(name: str, options: dict[str, Any]) -> int:
    """Goes on with a sweep; returns the exit code."""
    stray = [f"--{key.replace('_', '-')}" for key in options if key not in _KEPT]
    folder = find_sweep(options["sweeps_dir"], name)
    if stray:
        raise UsageError(
            f"{', '.join(stray)} cannot change while sweep {folder.name} goes on",
            fix=f"lab sweep --resume {folder.name}, or start another sweep",
        )
    prepared, settings = reopen(folder)
    changed = {key: options[key] for key in _CHANGEABLE if key in options}
    settings = dataclasses.replace(settings, **changed)
    check_engine(settings, options)
    check_launcher(settings, prepared)
    if settings.engine == "local":
        folder.write_settings(settings)
    return _run(folder, prepared, settings, options)


def _plan(settings: Settings, method: str, limit: int | None) -> str:
    pace = f"{settings.agents} at once" if settings.agents > 1 else "one at a time"
    pace += {"local": "", "ray": " on Ray", "slurm": " as jobs of Slurm"}[settings.launcher]
    end = "until Ctrl-C, for there is no run_cap and no --count" if limit is None else ""
    trials = f"{limit} trials" if limit is not None else "trials"
    return f"plugin {settings.plugin}, {method}, {trials}, {pace} {end}".rstrip()


def _run(
    folder: SweepFolder, prepared: Prepared, settings: Settings, options: dict[str, Any]
) -> int:
    if settings.engine == "wandb":
        return _conduct_on_wandb(folder, prepared, settings)
    launcher = connect(folder, prepared, settings)
    for warning in launcher.warnings:
        click.echo(f"warning: {warning}", err=True)
    settings = dataclasses.replace(settings, agents=launcher.agents)
    folder.write_settings(settings)
    with contextlib.closing(launcher.starter):
        return _conduct(folder, prepared, settings, options, launcher)


def _conduct_on_wandb(folder: SweepFolder, prepared: Prepared, settings: Settings) -> int:
    from labcore.sweeps.wandb_engine import conduct

    ended = conduct(folder, prepared, settings, tell=click.echo)
    counts = ended.status.counts.items()
    counted = ", ".join(f"{number} {outcome}" for outcome, number in counts)
    click.echo(f"sweep {folder.name} {ended.status.state}: {counted or 'no trials'}")
    if ended.status.message:
        click.echo(f"the first error: {ended.status.message}", err=True)
    click.echo(f"results: {ended.url}")
    if ended.status.state != "finished":
        click.echo(f"go on with it: lab sweep --resume {folder.name}")
    return ended.exit_code


def _conduct(
    folder: SweepFolder,
    prepared: Prepared,
    settings: Settings,
    options: dict[str, Any],
    launcher: Launcher,
) -> int:
    from labcore.sweeps.local.engine import conduct
    from labcore.sweeps.local.standing import limit_of, varying_of

    sweep = prepared.sweep
    metric = "" if sweep.metric is None else sweep.metric.name
    limit = limit_of(sweep, settings.count)
    click.echo(f"sweep {folder.name}: {_plan(settings, sweep.method, limit)}")
    with choose_view(metric, varying_of(sweep), limit) as view:
        ended = conduct(
            folder,
            prepared,
            settings,
            launcher,
            watch=view,
            storage=options.get("storage", ""),
        )
    words = f": {ended.message}" if ended.message else ""
    click.echo(f"sweep {folder.name} {ended.state}{words}", err=ended.state == "failed")
    if folder.best_file.exists():
        print_best(folder)
    click.echo(f"report: {folder.path / 'report.html'}")
    if ended.state != "finished":
        click.echo(f"go on with it: lab sweep --resume {folder.name}")
    return ended.exit_code
