"""``lab sweep FILE``: runs a sweep; its sub-commands look at one, stop it, and take it out."""

import signal
import sys
from pathlib import Path
from typing import Any

import click

from labcore.discovery import sweep_file
from labcore.errors import UsageError

__all__ = ["sweep"]

_START = "start"


class _FileFirst(click.Group):
    """A group whose first word is a sub-command or else the file of a sweep to start."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in {*self.commands, "-h", "--help"}:
            args = [_START, *args]
        return super().parse_args(ctx, args)

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_usage("lab sweep", "FILE [plugin=NAME] [OVERRIDES]...")
        formatter.write_usage("lab sweep", "--resume NAME")
        formatter.write_usage("lab sweep", "status|best|export|stop NAME, or list")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Shows the options of the start, which is what is typed most."""
        start = self.commands[_START]
        options = [each for each in start.get_params(ctx) if isinstance(each, click.Option)]
        rows = [row for each in options if (row := each.get_help_record(ctx))]
        with formatter.section("Options"):
            formatter.write_dl(rows)
        others = [name for name, command in self.commands.items() if not command.hidden]
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, self.commands[name].get_short_help_str(80)) for name in others]
            )


@click.group(cls=_FileFirst, context_settings={"help_option_names": ["-h", "--help"]})
def sweep() -> None:
    """Search the options of an experiment with a W&B sweep file, with its server or with none.

    FILE is JSON or YAML as W&B documents it, or the name of one that comes with the lab: lab sweep
    musicvae. Ctrl-C stops it after a checkpoint of every trial; lab sweep --resume NAME goes on.
    """


_in_sweeps_dir = click.option(
    "--sweeps-dir",
    default=Path("sweeps"),
    show_default=True,
    type=click.Path(path_type=Path),
    help="Folder of all sweeps.",
)
_with_storage = click.option(
    "--storage", default="", help="Database of the study, as a URL; a file when left out."
)


@sweep.command(_START, hidden=True)
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.argument("overrides", nargs=-1)
@click.option("--resume", "resumed", default="", help="Go on with this sweep (or latest).")
@click.option(
    "--engine",
    default="auto",
    show_default=True,
    type=click.Choice(["auto", "local", "wandb"]),
    help="Who suggests: W&B's server, or this machine; auto asks W&B when logged in.",
)
@click.option("--agents", type=click.IntRange(1), help="Trials at once; one for each GPU.")
@click.option(
    "--launcher",
    default="local",
    show_default=True,
    type=click.Choice(["local", "ray", "slurm"]),
    help="Where trials run: on this machine, or wherever Ray or Slurm has room.",
)
@click.option(
    "--ray-address",
    default="",
    help="Ray cluster: auto or HOST:PORT; one of this machine when left out.",
)
@click.option(
    "--slurm",
    multiple=True,
    metavar="KEY=VALUE",
    help="What jobs ask of the queue: partition=gpu, time=4:00:00; can be repeated.",
)
@click.option("--count", type=click.IntRange(1), help="Most trials, if fewer than run_cap.")
@click.option("--name", default="", help="Name of the sweep; the file's and the time by default.")
@click.option("--seed", default=0, show_default=True, help="Of everything that is drawn.")
@click.option(
    "--sampler",
    default="tpe",
    show_default=True,
    type=click.Choice(["tpe", "gp"]),
    help="What bayes means: Parzen estimator or Gaussian process.",
)
@click.option(
    "--retries",
    default=1,
    show_default=True,
    type=click.IntRange(0),
    help="How often a trial that failed is tried again.",
)
@_with_storage
@click.option(
    "--wandb",
    type=click.Choice(["off", "offline", "online"]),
    help="Whether trials log to W&B, in one group; offline when the file names a project.",
)
@click.option("--dry-run", is_flag=True, help="Check everything, say what would be run, and stop.")
@click.option("--runs-dir", default="", help="Folder of the runs; runs/ by default.")
@_in_sweeps_dir
def start(file: Path | None, resumed: str, **options: Any) -> None:
    """Start a sweep, or go on with one."""
    from labcore.cli.sweeps.start import begin, go_on

    if resumed:
        given = [*([str(file)] if file else []), *options["overrides"]]
        if given:
            raise UsageError(
                f"--resume goes on with a sweep as it is; leave out {' '.join(given)}",
                fix="start another for other options: lab sweep FILE OVERRIDES",
            )
        sys.exit(go_on(resumed, _typed(options)))
    if file is None:
        raise UsageError(
            "which sweep file?",
            fix="lab sweep FILE (lab sweep musicvae is one), or lab sweep --resume NAME",
        )
    sys.exit(begin(sweep_file(file), _typed(options)))


def _typed(options: dict[str, Any]) -> dict[str, Any]:
    """Leaves what was not typed out, so that a resumed sweep keeps what it had."""
    source_of = click.get_current_context().get_parameter_source
    default = click.core.ParameterSource.DEFAULT
    typed = {name: options[name] for name in options if source_of(name) is not default}
    return {"sweeps_dir": options["sweeps_dir"], **typed}


@sweep.command("wandb-trial", hidden=True)
@click.argument("overrides", nargs=-1)
def wandb_trial(overrides: tuple[str, ...]) -> None:
    """Run the trial that W&B's agent has chosen: this is the command of sweeps on W&B."""
    from labcore.cli.main import main
    from labcore.sweeps.wandb_engine import words_of_trial

    sys.argv[1:] = words_of_trial(overrides)
    try:
        main()
    except SystemExit as ended:  # a stop by W&B's agent, which sends SIGTERM, is no failure to it
        sys.exit(0 if ended.code == 128 + signal.SIGTERM else ended.code)


@sweep.command("status")
@click.argument("name", default="latest")
@click.option("--last", default=20, show_default=True, help="Trials to show; 0 shows all.")
@_with_storage
@_in_sweeps_dir
def status(name: str, last: int, storage: str, sweeps_dir: Path) -> None:
    """Say how a sweep stands, trial by trial."""
    from labcore.cli.sweeps.show import show_status

    show_status(name, sweeps_dir, last=last, storage=storage)


@sweep.command("best")
@click.argument("name", default="latest")
@_with_storage
@_in_sweeps_dir
def best(name: str, storage: str, sweeps_dir: Path) -> None:
    """Show the best trial, and the command that runs it again."""
    from labcore.cli.sweeps.show import show_best

    show_best(name, sweeps_dir, storage=storage)


@sweep.command("export")
@click.argument("name", default="latest")
@click.option("--csv", "as_csv", is_flag=True, help="Comma-separated values (the default).")
@click.option("--json", "as_json", is_flag=True, help="JSON.")
@_with_storage
@_in_sweeps_dir
def export(name: str, as_csv: bool, as_json: bool, storage: str, sweeps_dir: Path) -> None:
    """Print all trials for other programs."""
    from labcore.cli.sweeps.show import export_trials

    if as_csv and as_json:
        raise click.UsageError("give one of --csv and --json")
    export_trials(name, sweeps_dir, as_json=as_json, storage=storage)


@sweep.command("stop")
@click.argument("name", default="latest")
@click.option("--wait/--no-wait", default=True, help="Wait until every trial has its checkpoint.")
@_in_sweeps_dir
def stop(name: str, wait: bool, sweeps_dir: Path) -> None:
    """Stop a sweep that runs in another shell, after a checkpoint of every trial."""
    from labcore.cli.sweeps.show import stop_sweep

    stop_sweep(name, sweeps_dir, wait=wait)


@sweep.command("list")
@_in_sweeps_dir
def list_all(sweeps_dir: Path) -> None:
    """List the sweeps, newest last."""
    from labcore.cli.sweeps.show import show_list

    show_list(sweeps_dir)
