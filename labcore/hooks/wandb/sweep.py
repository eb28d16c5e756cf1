"""What is different for a run that is a trial of a W&B sweep.

The sweep has given it an id before it starts, and names that, the project and the entity in the
environment, where wandb itself looks. The run folder remembers them, so that ``lab resume`` goes on
with the same run on W&B wherever it is typed.
"""

import json
import os
import signal
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from labcore.record.trial import leave_note, note_of_this_process, read_note

__all__ = ["IDENTITY_FILE", "SweepTrial"]

IDENTITY_FILE = "wandb.json"
"""In the run folder of a trial that W&B knows: id, project, entity and sweep."""
_SERVER = "W&B"


class SweepTrial:
    """A run's place in a sweep.

    Attributes:
        identity: Arguments of ``wandb.init`` that say which run it is; none where the environment
            says it, since wandb then warns of arguments.
    """

    def __init__(self, identity: Mapping[str, Any]) -> None:
        self.identity = dict(identity)
        self._note = note_of_this_process()
        self._stopped_by = ""

    @classmethod
    def find(cls, folder: Path) -> "SweepTrial | None":
        """Returns the trial that this process runs, or None when the run is no trial."""
        if os.environ.get("WANDB_SWEEP_ID") and os.environ.get("WANDB_RUN_ID"):
            return cls({})
        try:
            known = json.loads((folder / IDENTITY_FILE).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return cls({name: known[name] for name in ("id", "project", "entity")})

    def remember(self, folder: Path, wandb_run: Any) -> None:
        """Keeps in the run folder which run on W&B this is."""
        from labcore.record.files import write_atomically

        names = ("id", "project", "entity", "sweep_id")
        row = {name: getattr(wandb_run, name) for name in names}
        write_atomically(folder / IDENTITY_FILE, json.dumps(row, indent=1) + "\n")

    def adjust(self, settings: Any) -> None:
        """Has the server's stop end the run as SIGTERM does, once."""
        if "stop_fn" in type(settings).model_fields:  # wandb before it had this sends SIGINT
            settings.stop_fn = self._stop

    def stopped_by(self) -> str | None:
        """Returns who stopped the run; nothing when it was left unfinished, None when unknown.

        It is unknown under ``wandb agent``, which sends the same signal for both.
        """
        if self._stopped_by or self._note is None:
            return self._stopped_by or None
        return read_note(self._note)

    def _stop(self) -> None:
        if self._note is not None and not leave_note(self._note, _SERVER):
            return  # the agent has sent its signal
        self._stopped_by = _SERVER
        main = threading.main_thread().ident
        if hasattr(signal, "pthread_kill") and main is not None:
            # To the main thread itself: another one would not wake it from a wait.
            signal.pthread_kill(main, signal.SIGTERM)
        else:
            signal.raise_signal(signal.SIGTERM)
