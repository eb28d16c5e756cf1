"""What a run that is a trial of a sweep is told by whoever started it, and who stopped it.

A trial may hear of its end twice, from the agent's signal and through its own connection to W&B,
and the second signal would cut its checkpoint short. So whoever leaves a note first sends the one
signal, and the note says who stopped the trial.
"""

import os
from pathlib import Path

from labcore.errors import RequirementError, UsageError

__all__ = [
    "NOTE_VARIABLE",
    "RESULT_VARIABLE",
    "SWEEP_VARIABLE",
    "TRIAL_FOLDER_VARIABLE",
    "TRIAL_VARIABLE",
    "leave_note",
    "note_of_this_process",
    "read_note",
    "take_trial_folder",
    "trial_of_environment",
]

SWEEP_VARIABLE = "LAB_SWEEP"
"""Name of the sweep."""
TRIAL_VARIABLE = "LAB_TRIAL"
"""Number of the trial."""
TRIAL_FOLDER_VARIABLE = "LAB_TRIAL_FOLDER"
"""The run folder to make, so that it is known before the run starts."""
NOTE_VARIABLE = "LAB_STOP_NOTE"
"""Names the file of the note in a trial's environment."""
RESULT_VARIABLE = "LAB_RESULT_FILE"
"""Names the file where a run leaves its outcome for whoever started it."""


def trial_of_environment() -> tuple[str, int | None]:
    """Returns the sweep and the number of the trial that this process is; none by default."""
    number = os.environ.get(TRIAL_VARIABLE, "")
    return os.environ.get(SWEEP_VARIABLE, ""), int(number) if number.isdecimal() else None


def take_trial_folder() -> Path | None:
    """Makes the run folder that this process was told to use; None when it was told of none.

    The variable is taken away, since a run that the trial starts is a run of its own.

    Raises:
        UsageError: Another run is in it.
        RequirementError: It cannot be made.
    """
    told = os.environ.pop(TRIAL_FOLDER_VARIABLE, "")
    if not told:
        return None
    folder = Path(told)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RequirementError(
            f"the run folder {folder} cannot be created: {error.strerror}",
            fix="choose a writable folder: runs_dir=/path/to/runs",
        ) from error
    if (folder / "status.json").exists():
        raise UsageError(f"{folder} holds a run already", fix=f"go on with it: lab resume {folder}")
    return folder


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
