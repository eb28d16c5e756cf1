"""What a plan is, steps in their order, each with its reason; and it as a script for a shell."""

import shlex
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field

from labcore.doctor.tables import Alternative, OsName, Pair

HERE = "./"
"""Start of a value that is a path in the folder where the commands run."""

_STOP_AT_ERRORS = {
    "bash": ["set -euo pipefail"],
    "powershell": [
        '$ErrorActionPreference = "Stop"',
        "$PSNativeCommandUseErrorActionPreference = $true",
    ],
}
_COMMENT = textwrap.TextWrapper(94, break_long_words=False, break_on_hyphens=False)
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


def shell_of(os: OsName) -> str:
    """Returns the shell that the commands of a system are written for."""
    return "powershell" if os == "windows" else "bash"


def snippet(plan: Plan) -> str:
    """Returns a plan as a script, for its system's shell, that stops at the first error."""
    lines = [f"# {plan.title}", *_STOP_AT_ERRORS[shell_of(plan.os)]]
    for step in plan.steps:
        lines += ["", f"# {step.title}"]
        lines += [f"# {line}" for line in _COMMENT.wrap(step.why)]
        lines += commands_of(step, plan.os)
    return "\n".join(lines) + "\n"


def commands_of(step: Step, os: OsName) -> list[str]:
    """Returns the lines of one step, for the system's shell."""
    is_windows = os == "windows"
    lines = _fetch(step.download, is_windows) if step.download is not None else []
    lines += [f"Remove-Item Env:{each}" if is_windows else f"unset {each}" for each in step.unset]
    lines += [_assign(name, value, is_windows) for name, value in step.env.items()]
    lines += step.commands
    return lines + (_run(step.script, is_windows) if step.script is not None else [])


def _assign(name: str, value: str, is_windows: bool) -> str:
    here = value.startswith(HERE)
    plain = value.removeprefix(HERE)
    if not is_windows:
        return f'export {name}="$PWD/{plain}"' if here else f"export {name}={shlex.quote(plain)}"
    quoted = plain.replace("`", "``").replace("$", "`$").replace('"', '`"')
    return f'$env:{name} = "$PWD\\{quoted}"' if here else f'$env:{name} = "{quoted}"'


def _fetch(url: str, is_windows: bool) -> list[str]:
    if is_windows:
        return [
            f'Invoke-WebRequest -Uri "{url}" -OutFile cub.zip',
            "Expand-Archive cub.zip -DestinationPath . -Force",
        ]
    return [f"curl -fsSL {url.removesuffix('.zip')}.tar.gz | tar xz"]


def _run(script: str, is_windows: bool) -> list[str]:
    """Runs Python text in the temporary folder, away from any clone."""
    lines = script.rstrip("\n").split("\n")
    if is_windows:
        return ["Push-Location $env:TEMP", "@'", *lines, "'@ | python -", "Pop-Location"]
    start = f"(cd \"${{TMPDIR:-/tmp}}\" && python - <<'{_SCRIPT_END}'"
    return [start, *lines, _SCRIPT_END, ")"]
