"""The ``lab`` command. Sub-commands are imported when typed, so that ``lab --help`` is instant."""

import importlib
import os
import sys
from typing import NoReturn

import click

from labcore import __version__
from labcore.errors import LabError, clean
from labcore.record.failure import leave_error, take_error_file

__all__ = ["cli", "main"]

# name -> (module, attribute, one-line help): the help is here so that listing the commands
# imports none of them.
COMMANDS = {
    "run": ("labcore.cli.runs.run", "run", "Run an experiment: lab run musicvae"),
    "new": ("labcore.cli.new", "new", "Make a plugin to begin with: lab new NAME"),
    "list": ("labcore.cli.list", "list_plugins", "List the plugins and whether they can run here."),
    "show": (
        "labcore.cli.runs.show",
        "show",
        "Show a plugin: tasks, presets, datasets, papers, needs.",
    ),
    "runs": ("labcore.cli.runs.runs", "runs", "List the runs, newest last."),
    "compare": (
        "labcore.cli.runs.compare",
        "compare",
        "Compare runs: options, figures, curves, pictures.",
    ),
    "open": ("labcore.cli.runs.open", "open_report", "Open the report of a run in the browser."),
    "resume": ("labcore.cli.runs.resume", "resume", "Go on with a run that was stopped."),
    "devices": ("labcore.cli.devices", "devices", "Show the GPUs, who uses them and who waits."),
    "sweep": (
        "labcore.cli.sweeps.sweep",
        "sweep",
        "Search options with a sweep file: lab sweep musicvae",
    ),
    "data": ("labcore.cli.data", "data", "List, prepare and verify the datasets."),
    "doctor": (
        "labcore.cli.machine.doctor",
        "doctor",
        "Say what is wrong with this machine; mend it.",
    ),
    "env": ("labcore.cli.machine.env", "env", "Plan environments: lab env plan pytorch3d"),
    "completion": ("labcore.cli.completion", "completion", "Let the shell complete with Tab."),
    "smoke": ("labcore.cli.machine.smoke", "smoke", "See that every plugin computes on the GPU."),
}


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, _, text) in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        is_unknown = args and args[0] not in COMMANDS and not args[0].startswith("-")
        if is_unknown and not ctx.resilient_parsing:
            from labcore.errors import nearest, suggestion

            hint = suggestion(nearest(args[0], COMMANDS)) or "the commands are below"
            raise click.UsageError(
                f"there is no command {args[0]!r}; {hint}\nCommands: {', '.join(COMMANDS)}", ctx
            )
        return super().resolve_command(ctx, args)


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="lab")
def cli() -> None:
    """One command line for every experiment of the lab.

    Start with `lab run musicvae`; `lab list` shows what else there is.
    """


def main() -> NoReturn:
    """Runs the command line and exits with the code that the errors module documents."""
    if "_LAB_COMPLETE" in os.environ:
        import labcore.cli.completion  # noqa: F401  # tells click how bash splits words
    try:
        sys.exit(_run())
    except KeyboardInterrupt:
        sys.exit(130)


def _run() -> int:
    asked_for = take_error_file()
    try:
        code = cli.main(prog_name="lab", standalone_mode=False)
        sys.stdout.flush()
    except LabError as error:
        if asked_for is not None:
            leave_error(asked_for, error)
        else:
            click.echo(f"error: {clean(str(error))}", err=True)
        code = error.exit_code
    except click.Abort:
        code = 130
    except click.ClickException as error:
        error.show()
        code = 2
    except BrokenPipeError:
        # The reader of a pipe (head, less) has gone: nothing is wrong, and nothing can be printed.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    return code if isinstance(code, int) else 0


if __name__ == "__main__":
    main()
