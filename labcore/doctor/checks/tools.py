"""Checks of the tools, services and folders beside Python."""

import shlex
from collections.abc import Mapping
from functools import partial

from labcore.doctor.check import check
from labcore.doctor.finding import Finding, failure, ok, warning
from labcore.doctor.machine import Machine

__all__ = ["CHECKS"]

_OPTIONAL = {
    "ffmpeg": "videos are not written; pictures and GIFs are (sudo apt install ffmpeg)",
    "libfluidsynth": "MIDI is played by plain tones (sudo apt install libfluidsynth3; macOS: brew "
    "install fluid-synth)",
    "chromium": "reports cannot be turned into pictures by tests; a browser shows them as well",
}
"""Tool to what is different without it."""


@check("tools", "tools", "tools of the system", needs=("tools",))
def _tools(machine: Machine) -> Finding:
    tools = machine.tools or {}
    there = [name for name in ("git", *_OPTIONAL) if tools.get(name)]
    absent = [name for name in ("git", *_OPTIONAL) if tools.get(name) == ""]
    text = f"found {', '.join(there)}" if there else "none found"
    return ok(text + (f"; not {', '.join(absent)}" if absent else ""), tools=dict(tools))


@check("git", "tools", "git", needs=("tools",))
def _git(machine: Machine) -> Finding | None:
    path = (machine.tools or {}).get("git")
    if path is None:
        return None
    if path:
        return ok("git is there: runs record the commit and what was changed", path=path)
    return warning(
        "git is not installed",
        cause="runs cannot record which code they ran",
        fix="sudo apt install git (macOS: xcode-select --install; Windows: winget install Git.Git)",
    )


def _optional(name: str, machine: Machine) -> Finding | None:
    path = (machine.tools or {}).get(name)
    if path is None:
        return None
    return ok(f"{name} is there", path=path) if path else ok(f"no {name}: {_OPTIONAL[name]}")


@check("wandb-login", "tools", "W&B login and mode", needs=("packages",))
def _wandb_login(machine: Machine) -> Finding | None:
    if machine.version("wandb") is None:
        return ok("wandb is not installed: runs are logged to their folders only")
    mode = machine.wandb_mode or ""
    if mode in {"offline", "dryrun"}:
        return ok("W&B is offline: runs are kept in their folders, wandb sync sends them later")
    if mode == "disabled":
        return ok("W&B is turned off: runs are logged to their folders only")
    if machine.wandb_login:
        return ok("W&B has a key: runs are logged online")
    if mode == "online":
        return warning(
            "WANDB_MODE=online, but there is no key",
            cause="a run would stop to ask for one, or fail where nobody can answer",
            fix="wandb login, or unset WANDB_MODE: without a key runs are logged offline",
        )
    if machine.wandb_login is not None:
        return ok("W&B has no key: runs are logged offline (wandb login, wandb sync)")
    return None


@check("cache-dirs", "tools", "cache folders", "cache_dirs")
def _cache_dirs(_: Machine, folders: Mapping[str, bool]) -> Finding:
    shut = sorted(folder for folder, may_write in folders.items() if not may_write)
    if not shut:
        return ok("the folders for weights and datasets may be written", folders=sorted(folders))
    return failure(
        f"{shut[0]} may not be written" + (f", nor {', '.join(shut[1:])}" if shut[1:] else ""),
        cause="weights and datasets are kept there: a download fails",
        fix=f"own it (sudo chown -R $USER {shlex.quote(shut[0])}), or choose another: HF_HOME, "
        "TORCH_HOME, LAB_DATA_DIR, or XDG_CACHE_HOME for all",
        folders=shut,
    )


@check("renderer-gl", "tools", "drawing without a display", needs=("packages",))
def _renderer(machine: Machine) -> Finding | None:
    if machine.version("pyrender") is None:
        return None
    opengl = machine.version("pyopengl")
    platform = machine.variable("PYOPENGL_PLATFORM")
    has_display = bool(machine.variable("DISPLAY") or machine.variable("WAYLAND_DISPLAY"))
    if opengl is not None and opengl.startswith("3.1.0"):
        return warning(
            f"PyOpenGL {opengl} cannot draw without a window",
            cause='"OSMesaCreateContextAttribs" and the EGL functions are not in it; pyrender asks '
            "for this old release",
            fix='pip install --no-deps "PyOpenGL>=3.1.6"',
        )
    if platform == "osmesa" and not (machine.tools or {}).get("libOSMesa", "unknown"):
        return failure(
            "PYOPENGL_PLATFORM=osmesa, but libOSMesa is not installed",
            cause="pyrender then has nothing to draw with",
            fix="sudo apt install libosmesa6, or export PYOPENGL_PLATFORM=egl on a GPU",
        )
    if machine.os == "linux" and not platform and not has_display:
        return warning(
            "pyrender has no display here, and is not told to do without",
            cause='it opens a window by default: "Cannot connect to None"',
            fix="export PYOPENGL_PLATFORM=egl (GPU) or osmesa (CPU, sudo apt install libosmesa6)",
        )
    return ok(f"pyrender can draw ({platform or 'on the display'})")


CHECKS = tuple(
    check(each.removeprefix("lib"), "tools", each, needs=("tools",))(partial(_optional, each))
    for each in _OPTIONAL
)
