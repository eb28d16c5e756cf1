"""What the worker imports so that no trial has to.

Only imports, and one composition for the sake of Hydra's parser: no framework computes anything or
looks for a GPU here, since a trial gets its devices after the fork.
"""

import contextlib
import gc
import importlib
import logging
from collections.abc import Sequence

from labcore.config import compose
from labcore.discovery import find_plugins, pick_plugin
from labcore.hooks.build import BUILT_IN
from labcore.plugin import load_object

__all__ = ["can_fork", "preload"]

_ALWAYS = (
    "labcore.cli.main",
    "labcore.cli.runs.run",
    "labcore.cli.runs.resume",
    "labcore.life.execute",
    "labcore.data",
    "labcore.report.page",
    "jinja2",
)
_WITH_TORCH = ("torch", "labcore.training", "labcore.devices.torch_setup")
log = logging.getLogger(__name__)


def can_fork(framework: str, platform: str) -> bool:
    """Whether a process that has imported a framework may fork.

    TensorFlow starts threads when it is imported, and so do macOS's own libraries: a fork would
    have their locks and not the threads that open them.

    Args:
        framework: The plugin's.
        platform: ``sys.platform``.
    """
    return platform.startswith("linux") and framework in {"torch", "none"}


def preload(plugin: str, overrides: Sequence[str]) -> None:
    """Imports what a run of the plugin will; what cannot be imported is for the trial to report.

    Args:
        plugin: Name of the plugin.
        overrides: What every trial sets.
    """
    found = pick_plugin(find_plugins(), plugin)
    assert found.plugin is not None
    modules = [*_ALWAYS, *(_WITH_TORCH if found.plugin.requires.framework == "torch" else ())]
    with contextlib.suppress(Exception):
        composed = compose(found, overrides)
        modules.append(composed.task.run.partition(":")[0])
        for name in composed.config.hooks:
            load_object({**BUILT_IN, **found.plugin.hooks}[name])
    for module in modules:
        try:
            importlib.import_module(module)
        except Exception as error:
            log.warning("%s cannot be imported beforehand: %s", module, error)
    # Every full collection of a trial would walk, and so copy, the frameworks' million objects.
    gc.collect()
    gc.freeze()
