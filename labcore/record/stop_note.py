"""A note that says who stopped a trial.

A trial may hear of its end twice, from the agent's signal and through its own connection to W&B,
and the second signal would cut its checkpoint short. Whoever leaves the note first sends the one
signal.
"""

import os
from pathlib import Path

__all__ = ["NOTE_VARIABLE", "leave_note", "note_of_this_process", "read_note"]

NOTE_VARIABLE = "LAB_STOP_NOTE"
"""Names the file of the note in a trial's environment."""


def leave_note(path: Path, who: str) -> bool:
    """Leaves the note unless there is one already.

    Args:
        path: File of the note; its folder must exist.
        who: Who stops the trial; goes into ``stopped by WHO``.

    Returns:
        Whether this call left it: then the caller sends the signal.
    """
    try:
        with path.open("x", encoding="utf-8") as stream:
            stream.write(who)
    except FileExistsError:
        return False
    return True


def read_note(path: Path) -> str:
    """Returns who stopped the trial; nothing when nobody did."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""


def note_of_this_process() -> Path | None:
    """Returns where the note of this trial lies; None when nobody who started it will look."""
    path = os.environ.get(NOTE_VARIABLE)
    return Path(path) if path else None
