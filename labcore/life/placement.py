"""Where a run computes: its device options, its plugin's needs and its processes put together."""

from collections.abc import Callable, Sequence
from typing import Any

from labcore.config.training import training_options
from labcore.devices import DevicePlan, acquire
from labcore.plugin import Plugin
from labcore.record.redaction import redact_arguments

__all__ = ["place", "processes_of"]


def processes_of(config: Any) -> int:
    """Returns how many processes a run has on a machine: one, unless its training asks for more."""
    options = training_options(config)
    return 1 if options is None else options.devices


def place(
    plugin: Plugin,
    config: Any,
    *,
    task: str,
    preset: str,
    argv: Sequence[str],
    say: Callable[[str], None],
) -> DevicePlan:
    """Gets the devices of a run and leases its GPUs until this process ends.

    Args:
        plugin: Whose run it is.
        config: The composed config.
        task: Name of the task.
        preset: Name of the preset.
        argv: The words typed after ``lab``.
        say: Tells the user why the run waits.

    Raises:
        UsageError: A GPU is named that is not there.
        RequirementError: A GPU is asked for or needed, and none could be had.
    """
    request, processes = config.device.request(), processes_of(config)
    if request.count > processes and training_options(config) is not None:
        say(
            f"the run takes {request.count} GPUs and trains on {processes}: to train on all of "
            f"them add train.devices={request.count}"
        )
    return acquire(
        request,
        plugin.requires,
        config.threads,
        processes=processes,
        paper=preset == "paper",
        run=f"{plugin.name}/{task}",
        command=redact_arguments(["lab", *argv]),
        say=say,
    )
