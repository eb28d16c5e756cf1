"""The actor of Ray that runs one trial, on whichever node has room for it."""

import os
import threading
from collections.abc import Mapping
from typing import Any

from labcore.sweeps.launchers.notes import Order
from labcore.sweeps.launchers.supervise import Supervisor

__all__ = ["TrialActor"]


class TrialActor:
    """Runs a trial from the moment it is made, and ends with it.

    It is made with all that it needs, since whoever made it may be gone when there is room for it
    at last.

    Args:
        row: An :class:`Order` as JSON.
    """

    def __init__(self, row: Mapping[str, Any]) -> None:
        self._supervisor = Supervisor(Order.from_json(row))
        threading.Thread(target=self._work, name="lab-supervisor", daemon=True).start()

    def stop(self) -> None:
        """Asks the trial to write a checkpoint and end."""
        self._supervisor.stop()

    def kill(self) -> None:
        """Ends the trial at once."""
        self._supervisor.kill()

    def _work(self) -> None:
        try:
            self._supervisor.run()
        finally:
            _leave()


def _leave() -> None:
    """Gives the CPUs and GPUs back: an actor that is detached would keep them for ever."""
    import ray

    context = ray.get_runtime_context()
    try:
        ray.kill(context.current_actor)
    finally:
        threading.Event().wait(10.0)
        os._exit(0)
