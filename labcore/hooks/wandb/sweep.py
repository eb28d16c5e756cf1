"""What is different for a run that is a trial of a W&B sweep.

The sweep has given it an id before it starts, and names that, the project and the entity in the
environment, where wandb itself looks. The run folder remembers them, so that ``lab resume`` goes on
with the same run on W&B wherever it is typed.

W&B tells a trial to stop twice: its agent sends SIGTERM, and the trial's own connection hears of it
too. A second signal would cut its checkpoint short, so the connection's word only says who it was,
and is acted on when no signal comes, the agent being gone.
"""

import json
import os
import signal
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labcore.record.files import write_atomically
from labcore.record.trial import trial_of_environment

if TYPE_CHECKING:
    from labcore.run.signals import StopSignal

__all__ = ["IDENTITY_FILE", "SweepTrial"]

IDENTITY_FILE = "wandb.json"
"""In the run folder of a trial that W&B knows: id, project, entity and sweep."""
_AGENT_S = 30.0
"""An agent that has sent no signal by then is gone."""


class SweepTrial:
    """A run's place in a sweep.

    Args:
        identity: Arguments of ``wandb.init`` that say which run it is; none where the environment
            says it, since wandb then warns of arguments.
        stop: Takes the run's signals.
        has_agent: Whether one started this process.
    """

    def __init__(
        self, identity: Mapping[str, Any], stop: "StopSignal", *, has_agent: bool = False
    ) -> None:
        self.identity = dict(identity)
        self._stop = stop
        self._is_told = False
        self._agent_is_ours = has_agent and bool(trial_of_environment()[0])
        self._timer = threading.Timer(_AGENT_S if has_agent else 0, self._signal)
        self._timer.daemon = True

    @classmethod
    def find(cls, folder: Path, stop: "StopSignal") -> "SweepTrial | None":
        """Returns the trial that this process runs, or None when the run is no trial."""
        if os.environ.get("WANDB_SWEEP_ID") and os.environ.get("WANDB_RUN_ID"):
            return cls({}, stop, has_agent=True)
        try:
            known = json.loads((folder / IDENTITY_FILE).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return cls({name: known[name] for name in ("id", "project", "entity")}, stop)

    def remember(self, folder: Path, wandb_run: Any) -> None:
        """Keeps in the run folder which run on W&B this is."""
        names = ("id", "project", "entity", "sweep_id")
        row = {name: getattr(wandb_run, name) for name in names}
        write_atomically(folder / IDENTITY_FILE, json.dumps(row, indent=1) + "\n")

    def adjust(self, settings: Any) -> None:
        """Has the server's stop end the run as SIGTERM does, once."""
        if "stop_fn" in type(settings).model_fields:  # wandb before it had this sends SIGINT
            settings.stop_fn = self._hear

    def was_stopped_by_server(self) -> bool:
        """Whether the signal that stopped the run was W&B's.

        Under an agent of ours SIGTERM is; under others it may as well be their user's.
        """
        return self._is_told or (self._agent_is_ours and self._stop.number == signal.SIGTERM)

    def end(self) -> None:
        """Forgets a stop that comes too late."""
        self._timer.cancel()

    def _hear(self) -> None:
        self._is_told = True
        self._timer.start()

    def _signal(self) -> None:
        if self._stop:
            return
        main = threading.main_thread().ident
        if hasattr(signal, "pthread_kill") and main is not None:
            # To the main thread itself: another one would not wake it from a wait.
            signal.pthread_kill(main, signal.SIGTERM)
        else:
            signal.raise_signal(signal.SIGTERM)
