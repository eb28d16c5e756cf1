"""What a run that is a trial of a sweep is told by whoever started it."""

import os
from pathlib import Path

from labcore.errors import RequirementError, UsageError

__all__ = [
    "RESULT_VARIABLE",
    "SWEEP_VARIABLE",
    "TRIAL_FOLDER_VARIABLE",
    "TRIAL_VARIABLE",
    "take_trial_folder",
    "trial_of_environment",
]

SWEEP_VARIABLE = "LAB_SWEEP"
"""Name of the sweep."""
TRIAL_VARIABLE = "LAB_TRIAL"
"""Number of the trial."""
TRIAL_FOLDER_VARIABLE = "LAB_TRIAL_FOLDER"
"""The run folder to make, so that it is known before the run starts."""
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
