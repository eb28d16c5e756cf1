"""Handing a sweep to W&B, through its own client."""

import contextlib
import io
import logging
import os
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

from labcore.config import peek
from labcore.errors import LabError, RequirementError, UsageError
from labcore.sweeps.sweep import Sweep
from labcore.sweeps.wandb_engine.address import SweepAddress
from labcore.sweeps.wandb_engine.server import WandbServer

__all__ = ["create_sweep", "hooks_override"]

_HOOKS = "hooks=[default,wandb]"
_LEFT_BEHIND = ("WANDB_ENTITY", "WANDB_PROJECT")
log = logging.getLogger(__name__)


def create_sweep(sweep: Sweep, *, project: str = "", entity: str = "") -> SweepAddress:
    """Makes a sweep on W&B's server.

    Its ``command`` is a lab run that logs to W&B, whatever the file has, so that ``wandb agent`` on
    any machine with this environment runs trials of it too.

    Args:
        sweep: As read from its file.
        project: Project; that of the file, of ``WANDB_PROJECT``, or the plugin's name when empty.
        entity: User or team; that of the file, of ``WANDB_ENTITY``, or the account's when empty.

    Raises:
        RequirementError: wandb is not installed, nobody is logged in, or the key is refused.
        UsageError: The trials would not log to W&B.
        LabError: W&B refuses the sweep, or does not answer.
    """
    hooks = hooks_override(sweep.overrides)
    project = project or sweep.project or os.environ.get("WANDB_PROJECT", "") or sweep.plugin
    entity = entity or sweep.entity or os.environ.get("WANDB_ENTITY", "")
    entity = entity or WandbServer().default_entity()
    config = {**sweep.raw, "command": _command(sweep, hooks)}
    return SweepAddress(entity=entity, project=project, id=_create(config, project, entity))


def hooks_override(overrides: Sequence[str]) -> list[str]:
    """Returns the override that turns the W&B hook on; none when the sweep's own do.

    Raises:
        UsageError: They choose hooks and leave W&B's out.
    """
    hooks = peek(overrides, "hooks")
    if hooks is None:
        return [_HOOKS]
    if "wandb" not in hooks:
        raise UsageError(
            f"hooks={hooks} leaves out W&B, which chooses by what the trials log to it",
            fix=f"add it: {_HOOKS}, or let the sweep run here: --engine local",
        )
    return []


def _command(sweep: Sweep, hooks: Sequence[str]) -> list[str]:
    """Returns the command that W&B's own agent runs, with its macros."""
    is_parameter = "plugin" in sweep.raw.get("parameters", {})
    plugin = [] if is_parameter else [f"plugin={sweep.plugin}"]
    words = ["-m", "labcore", "run", *plugin, *sweep.overrides, *hooks]
    return ["${env}", "${interpreter}", *words, "${args_no_hyphens}"]


def _create(config: dict[str, Any], project: str, entity: str) -> str:
    try:
        import wandb
    except ImportError as error:
        raise RequirementError(
            "wandb is not installed", fix="pip install wandb, or --engine local"
        ) from error
    with _tidy():
        try:
            return str(wandb.sweep(config, project=project, entity=entity))
        except wandb.errors.AuthenticationError as error:
            raise RequirementError(
                f"W&B refuses the API key: {error}", fix="wandb login --relogin"
            ) from error
        except (wandb.errors.Error, ValueError, TypeError) as error:
            raise LabError(f"W&B does not take the sweep: {error}") from error
        finally:
            wandb.teardown()  # ends the service process that it has started


@contextlib.contextmanager
def _tidy() -> Iterator[None]:
    """Keeps what wandb prints for the log, and undoes what it leaves in the environment."""
    before = {name: os.environ.get(name) for name in _LEFT_BEHIND}
    os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
    said = io.StringIO()
    try:
        with (
            contextlib.redirect_stdout(said),
            contextlib.redirect_stderr(said),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore", DeprecationWarning)  # of wandb's calls of wandb
            yield
    finally:
        for line in said.getvalue().splitlines():
            log.log(logging.WARNING if "WARN" in line else logging.INFO, "%s", line)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
