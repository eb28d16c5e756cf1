"""``lab env``: plans for environments that pip alone does not get right."""

import dataclasses
import json
from typing import Any

import click
from rich.padding import Padding
from rich.text import Text

from labcore.cli.console import printer
from labcore.cli.machine.entries import print_alternatives, print_commands, print_pair
from labcore.doctor.gather import gather_here
from labcore.doctor.plans import (
    commands_of,
    described,
    plan_pytorch3d,
    shell_of,
    snippet,
    target_of,
)
from labcore.doctor.tables import cuda_of_tag, parse_version
from labcore.errors import RequirementError, UsageError

__all__ = ["env"]


@click.group()
def env() -> None:
    """Plan environments: which versions go together, and how to build what has no wheel."""


@env.command()
@click.argument("package", type=click.Choice(["pytorch3d"]))
@click.option("--torch", metavar="V", help="Version of torch; the installed one by default.")
@click.option("--cuda", metavar="V", help="CUDA of the torch build and of the toolkit.")
@click.option("--os", "system", type=click.Choice(["linux", "windows", "macos"]))
@click.option("--pytorch3d", metavar="V", help="Version of PyTorch3D; the newest that fits.")
@click.option("--gpu", metavar="NAME", help='The card, "RTX 3080", or its capability, 8.6.')
@click.option("--python", metavar="V", help="Version of Python.")
@click.option(
    "--shell",
    type=click.Choice(["text", "bash", "powershell"]),
    default="text",
    help="Print a script for this shell instead of the explained plan.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")
def plan(
    package: str,
    torch: str | None,
    cuda: str | None,
    system: Any,
    pytorch3d: str | None,
    gpu: str | None,
    python: str | None,
    shell: Any,
    as_json: bool,
) -> int:
    """Say how to get PACKAGE on this machine, or on the one that the options describe.

    Nothing is installed or built. What the options leave open is taken from this machine, unless
    they name another operating system. Exit code 3: the versions do not go together.

    \b
      lab env plan pytorch3d
      lab env plan pytorch3d --torch 2.0.1 --cuda 11.7 --os windows --shell powershell
    """  # noqa: D301  # click reads the backspace as: keep these lines as they are
    _check_versions(torch=torch, cuda=cuda, pytorch3d=pytorch3d, python=python)
    target = described(
        target_of(gather_here()), os=system, python=python, torch=torch, cuda=cuda, gpu=gpu
    )
    if shell not in ("text", shell_of(target.os)):
        raise UsageError(
            f"--shell {shell} does not go with a plan for {target.os}",
            fix=f"--shell {shell_of(target.os)}, or name the other system with --os",
        )
    made = plan_pytorch3d(target, pytorch3d)
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(made), indent=1))
    elif shell == "text" or not made.steps:
        _print(made)
    else:
        click.echo(snippet(made), nl=False)
    return RequirementError.exit_code if made.problems else 0


def _check_versions(**versions: str | None) -> None:
    """Tells every option that is no version, before anything is looked up."""
    problems = []
    for name, value in versions.items():
        try:
            if value is not None:
                (cuda_of_tag if name == "cuda" else parse_version)(value)
        except ValueError as error:
            problems.append(f"--{name}: {error}")
    if problems:
        raise UsageError("lab env plan got no versions", problems=problems)


def _print(made: Any) -> None:
    with printer() as console:
        console.print(Text(made.title, style="bold"))
        width = max(len(name) for name in made.facts) + 2
        for name, value in made.facts.items():
            console.print(Text.assemble((f"  {name.ljust(width)}", "dim"), value))
        for line in made.problems:
            print_pair(console, line)
        if made.problems:
            if any(line.verdict.state == "no" for line in made.problems):
                print_alternatives(console, made.alternatives)
            return
        for number, step in enumerate(made.steps, 1):
            console.print(Padding(Text(f"{number}. {step.title}", style="bold cyan"), (1, 0, 0, 0)))
            if step.why:
                console.print(Padding(Text(step.why, style="dim"), (0, 0, 0, 3)))
            print_commands(console, commands_of(step, made.os), 3)
        console.print()
        for line in made.cares:
            print_pair(console, line)
        for note in made.notes:
            console.print(Padding(Text(f"- {note}"), (0, 0, 0, 2)))
