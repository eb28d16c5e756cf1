"""Handing a sweep to W&B, through its own client."""

import contextlib
import io
import logging
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from labcore.config import peek
from labcore.errors import LabError, RequirementError, UsageError
from labcore.hooks.wandb.account import base_url, has_credentials
from labcore.sweeps.sweep import Sweep

__all__ = ["SweepAddress", "create_sweep"]

_API, _PAGES = "https://api.wandb.ai", "https://wandb.ai"
_HOOKS = "hooks=[default,wandb]"
_LEFT_BEHIND = ("WANDB_ENTITY", "WANDB_PROJECT")
log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class SweepAddress:
    """Names a sweep; ``str()`` gives what ``wandb agent`` takes."""

    entity: str
    """User or team."""
    project: str
    id: str

    def __str__(self) -> str:
        return f"{self.entity}/{self.project}/{self.id}"

    @property
    def url(self) -> str:
        """Returns the address of the sweep's page."""
        server = base_url()
        pages = _PAGES if server == _API else server
        return f"{pages}/{quote(self.entity)}/{quote(self.project)}/sweeps/{quote(self.id)}"


def create_sweep(sweep: Sweep) -> SweepAddress:
    """Makes a sweep on W&B's server.

    Its ``command`` is a lab run that logs to W&B, whatever the file has, so that ``wandb agent`` on
    any machine with this environment runs trials of it. The project is that of the file, of
    ``WANDB_PROJECT``, or the plugin's name; the entity that of the file, of ``WANDB_ENTITY``, or
    the account's.

    Args:
        sweep: As read from its file.

    Raises:
        RequirementError: wandb is not installed, nobody is logged in, or W&B lets nobody in.
        UsageError: The trials would not log to W&B.
        LabError: W&B does not take the sweep.
    """
    hooks = _hooks_override(sweep.overrides)
    project = sweep.project or os.environ.get("WANDB_PROJECT", "") or sweep.plugin
    entity = sweep.entity or os.environ.get("WANDB_ENTITY", "")
    parameters = dict(_flat(sweep.raw.get("parameters", {})))
    plugin = [] if "plugin" in parameters else [f"plugin={sweep.plugin}"]
    words = ["-m", "labcore", "sweep", "wandb-trial", *plugin, *sweep.overrides, *hooks]
    config = {
        **sweep.raw,
        "parameters": parameters,
        "command": ["${env}", "${interpreter}", *words],
    }
    try:
        import wandb
    except ImportError as error:
        raise RequirementError(
            "wandb is not installed", fix="pip install wandb, or --engine local"
        ) from error
    if not has_credentials():
        raise RequirementError(
            f"there is no API key for {base_url()}", fix="wandb login, or --engine local"
        )
    with _tidy():
        try:
            entity = entity or wandb.Api().default_entity or ""
            made = str(wandb.sweep(config, project=project, entity=entity))
        except wandb.errors.AuthenticationError as error:
            raise RequirementError(
                f"logging in to {base_url()} failed: {error}",
                fix="wandb login --relogin, or --engine local while it cannot be reached",
            ) from error
        except Exception as error:  # its client has private kinds of them
            raise LabError(f"W&B does not take the sweep: {error}") from error
        finally:
            wandb.teardown()  # ends the service process that it has started
    return SweepAddress(entity=entity, project=project, id=made)


def _hooks_override(overrides: Sequence[str]) -> list[str]:
    """Returns the override that turns the W&B hook on; none when the sweep's own do."""
    hooks = peek(overrides, "hooks")
    if hooks is None:
        return [_HOOKS]
    if "wandb" not in hooks:
        raise UsageError(
            f"hooks={hooks} leaves out W&B, which chooses by what the trials log to it",
            fix=f"add it: {_HOOKS}, or let the sweep run here: --engine local",
        )
    return []


def _flat(parameters: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Gives nested parameters their dotted names: a trial gets its values by option."""
    for name, spec in parameters.items():
        if isinstance(spec, Mapping) and "parameters" in spec:
            yield from _flat(spec["parameters"], f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", spec


@contextlib.contextmanager
def _tidy() -> Iterator[None]:
    """Keeps what wandb prints for the log, and undoes what it leaves in the environment."""
    before = {name: os.environ[name] for name in _LEFT_BEHIND if name in os.environ}
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
        for name in _LEFT_BEHIND:
            os.environ.pop(name, None)
        os.environ.update(before)
