"""``lab run plugin=NAME [OVERRIDES]``: composes a config and runs it."""

import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from labcore.cli.completion import complete_override
from labcore.config import choose_preset, compose, find_groups, peek, select_plugin
from labcore.config.compose import Composed
from labcore.discovery import FoundPlugin, find_plugins
from labcore.errors import LabError, UsageError
from labcore.plugin import Plugin

__all__ = ["run"]

_INFO = ["all", "config", "defaults", "defaults-tree", "plugins", "searchpath"]


@click.command(add_help_option=False)
@click.argument("overrides", nargs=-1, shell_complete=complete_override)
@click.option("-h", "--help", "wants_help", is_flag=True, help="This help; with a plugin, its own.")
@click.option("--dry-run", is_flag=True, help="Say what would be run, and start nothing.")
@click.option("-m", "--multirun", is_flag=True, help="Run every combination of several values.")
@click.option("-c", "--cfg", type=click.Choice(["job", "hydra", "all"]), help="Print the config.")
@click.option("--resolve", is_flag=True, help="With --cfg: put values in the place of references.")
@click.option("-p", "--package", help="With --cfg: print only this part of the config.")
@click.option(
    "-i", "--info", type=click.Choice(_INFO), is_flag=False, flag_value="all", help="Ask Hydra."
)
@click.option("--config-dir", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--hydra-help", is_flag=True, help="Hydra's own flags and options.")
def run(
    overrides: tuple[str, ...],
    wants_help: bool,
    dry_run: bool,
    multirun: bool,
    cfg: str | None,
    resolve: bool,
    package: str | None,
    info: str | None,
    config_dir: Path | None,
    hydra_help: bool,
) -> int:
    """Run an experiment: lab run musicvae."""
    if (resolve or package) and cfg is None:
        raise click.UsageError("--resolve and --package are for --cfg")
    if sum((dry_run, multirun, cfg is not None, info is not None)) > 1:
        raise click.UsageError("give one of --dry-run, --multirun, --cfg and --info")
    if hydra_help:
        from labcore.config.multirun import run_hydra

        run_hydra(["--hydra-help"])
        return 0
    if any(text.startswith("+best=") for text in overrides):
        from labcore.sweeps.best import expand_best

        overrides = expand_best(overrides)
    plugins = find_plugins()
    overrides = _name_plugin(overrides)
    if wants_help:
        from labcore.cli.runs.run_help import show_help, show_plugin_help

        if not peek(overrides, "plugin"):
            show_help(plugins)
            return 0
        found = select_plugin(plugins, overrides)
        assert found.plugin is not None
        show_plugin_help(found, overrides, preset=_preset_here(found, found.plugin, overrides))
        return 0
    found = select_plugin(plugins, overrides)
    search_dirs = [config_dir] if config_dir is not None else []
    if multirun:
        return _sweep(found, overrides, search_dirs)
    if info is not None:
        return _ask_hydra(info, found, overrides, search_dirs)

    def compose_with(words: Sequence[str]) -> Composed:
        return compose(
            found,
            words,
            preset_for_auto=lambda plugin: _preset_here(found, plugin, overrides),
            search_dirs=search_dirs,
        )

    composed = compose_with(overrides)
    if cfg is not None:
        _print_config(composed, cfg, resolve=resolve, package=package)
        return 0
    source, argv = None, sys.argv[1:]
    if composed.task.needs_run:
        from labcore.run.source import SourceRun

        assert found.plugin is not None
        config = composed.config
        with contextlib.suppress(UsageError) if dry_run else contextlib.nullcontext():
            source = SourceRun.find(found.plugin, config.run or "latest", Path(config.runs_dir))
    if source is not None:
        from labcore.run.source import follow

        composed = follow(composed, source, overrides, compose_with)
        # Recorded is the run that was meant, not what was the latest one then.
        argv = [word for word in argv if not word.startswith("run=")] + [f"run={source.reference}"]
    if dry_run:
        from labcore.cli.runs.dry_run import show_dry_run

        show_dry_run(found, composed, source)
        return 0
    from labcore.life.execute import execute

    return execute(found, composed, argv=argv, source=source, say=click.echo, known=explain_raised)


def explain_raised(error: BaseException) -> LabError | None:
    """Asks the doctor about an error; it is imported when there is one."""
    from labcore.doctor.pasted import explain_raised as ask

    return ask(error)


def _name_plugin(overrides: tuple[str, ...]) -> tuple[str, ...]:
    """Reads a bare first word as the plugin: ``musicvae`` is ``plugin=musicvae``."""
    if overrides and peek(overrides, "plugin") is None and overrides[0].isidentifier():
        return (f"plugin={overrides[0]}", *overrides[1:])
    return overrides


def _preset_here(found: FoundPlugin, plugin: Plugin, overrides: tuple[str, ...]) -> str:
    """Names the preset for the device that the run would get."""
    from labcore.config.root import peek_request
    from labcore.devices import fits_paper

    fits = fits_paper(peek_request(overrides), plugin.requires)
    return choose_preset(find_groups(found.config_dir).presets, paper_fits=fits)


def _sweep(found: FoundPlugin, overrides: tuple[str, ...], search_dirs: list[Path]) -> int:
    from labcore.config.multirun import run_sweep
    from labcore.life.start import usable

    usable(found)
    result = run_sweep(found, overrides, search_dirs=search_dirs)
    common = set.intersection(*(set(job.overrides) for job in result.jobs)) if result.jobs else ()
    click.echo(f"\n{len(result.jobs)} runs, recorded in {result.folder}")
    for job in result.jobs:
        swept = " ".join(text for text in job.overrides if text not in common) or "no difference"
        metric = "" if job.metric is None else f"  {job.metric_name}={job.metric:.5g}"
        click.echo(f"  {job.state:11} {swept}{metric}  {job.run or f'exit code {job.exit_code}'}")
    return result.exit_code


def _ask_hydra(
    info: str, found: FoundPlugin, overrides: tuple[str, ...], search_dirs: list[Path]
) -> int:
    from labcore.config.multirun import check_sweep, run_hydra

    if peek(overrides, "preset") in (None, "auto") and found.plugin is not None:
        rest = [text for text in overrides if not text.startswith("preset=")]
        overrides = (*rest, f"preset={_preset_here(found, found.plugin, overrides)}")
    given = check_sweep(found, overrides, search_dirs=search_dirs)
    run_hydra(["--info", info], found, given, search_dirs=search_dirs)
    return 0


def _print_config(composed: Composed, kind: str, *, resolve: bool, package: str | None) -> None:
    """Prints the config exactly as Hydra's ``--cfg`` does."""
    from omegaconf import OmegaConf

    tree = composed.cfg if kind == "job" else composed.with_hydra()
    if resolve:
        OmegaConf.resolve(tree.hydra if kind == "hydra" else tree)
    if kind == "hydra":
        tree = OmegaConf.masked_copy(tree, "hydra")
    if package is not None and package != "_global_":
        part = OmegaConf.select(tree, package)
        if part is None:
            raise click.UsageError(f"there is no part {package!r} in the config")
        if not OmegaConf.is_config(part):
            click.echo(part)
            return
        click.echo(f"# @package {package}")
        tree = part
    click.echo(OmegaConf.to_yaml(tree), nl=False)
