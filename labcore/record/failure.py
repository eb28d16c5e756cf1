"""The error that ends a command, handed to the program that started it, which raises it again."""

import os
from pathlib import Path
from typing import Any

from labcore import errors
from labcore.errors import Interrupted, LabError, UsageError
from labcore.record.records import read_json, write_json

__all__ = ["ERROR_VARIABLE", "error_left", "leave_error", "take_error_file"]

ERROR_VARIABLE = "LAB_ERROR_FILE"
"""Names the file where a command leaves its error for whoever started it, and prints none."""


def take_error_file() -> Path | None:
    """Returns where to leave an error; None when nobody asks for it.

    The variable is taken away: a command that this one starts tells its errors as ever.
    """
    told = os.environ.pop(ERROR_VARIABLE, "")
    return Path(told) if told else None


def leave_error(path: Path, error: LabError) -> None:
    """Writes an error down as plain values, without the secrets in it."""
    row: dict[str, Any] = {"kind": type(error).__name__, "message": error.message, "fix": error.fix}
    row |= {"problems": list(error.problems)} if isinstance(error, UsageError) else {}
    row |= {"signal": error.signal_number} if isinstance(error, Interrupted) else {}
    write_json(path, row)


def error_left(path: Path) -> LabError | None:
    """Returns the error that a command has left, or None."""
    row = read_json(path)
    if not isinstance(row, dict) or not isinstance(row.get("message"), str):
        return None
    kind, message, fix = getattr(errors, str(row.get("kind")), None), row["message"], row.get("fix")
    if kind is Interrupted:
        error: LabError = Interrupted(int(row.get("signal", 2)), message)
        error.fix = fix
    elif kind is UsageError:
        error = UsageError(message, problems=row.get("problems", ()), fix=fix)
    elif isinstance(kind, type) and issubclass(kind, LabError):
        error = kind(message, fix=fix)
    else:  # a kind of a plugin's own
        error = errors.RunFailed(message, fix=fix)
    return error
