"""What a plan is, steps in their order, each with its reason; and it as a script for a shell."""

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from labcore.doctor.tables import Alternative, OsName, Pair

__all__ = ["HERE", "Plan", "Shell", "Step", "commands_of", "shell_of", "snippet"]

HERE = "./"
"""Start of a value that is a path in the folder where the commands run."""
Shell = Literal["bash", "powershell"]

_STOP_AT_ERRORS: dict[Shell, list[str]] = {
    "bash": ["set -euo pipefail"],
    "powershell": [
        '$ErrorActionPreference = "Stop"',
        "$PSNativeCommandUseErrorActionPreference = $true",
    ],
}
_WIDTH = 96
_SCRIPT_END = "LAB_CHECK"


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """Something to do: settings, then commands."""

    title: str
    why: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    """Variables to set for this step and those after it."""
    unset: tuple[str, ...] = ()
    """Variables to remove."""
    download: str | None = None
    """Archive to fetch and unpack before the settings."""
    commands: tuple[str, ...] = ()
    """Lines that bash and PowerShell both take."""
    script: str | None = None
    """Python text to run from a folder of its own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """How to get a package."""

    title: str
    os: OsName
    method: str
    """wheel, source, or none when the versions do not go together."""
    facts: Mapping[str, str]
    """What it rests on: thing to version."""
    problems: tuple[Pair, ...] = ()
    """Pairs of versions that do not go together."""
    cares: tuple[Pair, ...] = ()
    """Pairs that go together with a condition."""
    alternatives: tuple[Alternative, ...] = ()
    steps: tuple[Step, ...] = ()
    notes: tuple[str, ...] = ()


def shell_of(os: OsName) -> Shell:
    """Returns the shell that the commands of a system are written for."""
    return "powershell" if os == "windows" else "bash"


def snippet(plan: Plan, shell: Shell) -> str:
    """Returns a plan as a script that stops at the first error."""
    lines = [f"# {plan.title}"]
    lines += _STOP_AT_ERRORS[shell]
    for step in plan.steps:
        lines += ["", f"# {step.title}", *_comment(step.why), *commands_of(step, shell)]
    return "\n".join(lines) + "\n"


def commands_of(step: Step, shell: Shell) -> list[str]:
    """Returns the lines of one step."""
    return list(_lines(step, shell))


def _lines(step: Step, shell: Shell) -> Iterator[str]:
    if step.download is not None:
        yield from _fetch(step.download, shell)
    for name in step.unset:
        yield f"unset {name}" if shell == "bash" else f"Remove-Item Env:{name}"
    for name, value in step.env.items():
        yield _assign(name, value, shell)
    yield from step.commands
    if step.script is not None:
        yield from _run(step.script, shell)


def _assign(name: str, value: str, shell: Shell) -> str:
    here = value.startswith(HERE)
    plain = value.removeprefix(HERE)
    if shell == "bash":
        return f'export {name}="$PWD/{plain}"' if here else f"export {name}={shlex.quote(plain)}"
    quoted = plain.replace("`", "``").replace("$", "`$").replace('"', '`"')
    return f'$env:{name} = "$PWD\\{quoted}"' if here else f'$env:{name} = "{quoted}"'


def _fetch(url: str, shell: Shell) -> Iterator[str]:
    if shell == "bash":
        tarball = url.removesuffix(".zip") + ".tar.gz"
        yield f"curl -fsSL {tarball} | tar xz"
    else:
        yield f'Invoke-WebRequest -Uri "{url}" -OutFile cub.zip'
        yield "Expand-Archive cub.zip -DestinationPath . -Force"


def _run(script: str, shell: Shell) -> Iterator[str]:
    """Runs Python text in the temporary folder, away from any clone."""
    if shell == "bash":
        yield f"(cd \"${{TMPDIR:-/tmp}}\" && python - <<'{_SCRIPT_END}'"
        yield from script.rstrip("\n").split("\n")
        yield _SCRIPT_END
        yield ")"
    else:
        yield "Push-Location $env:TEMP"
        yield "@'"
        yield from script.rstrip("\n").split("\n")
        yield "'@ | python -"
        yield "Pop-Location"


def _comment(text: str) -> Iterator[str]:
    line = "#"
    for word in text.split():
        if len(line) + len(word) + 1 > _WIDTH:
            yield line
            line = "#"
        line += f" {word}"
    if line != "#":
        yield line
