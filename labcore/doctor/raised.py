"""What the doctor knows of an error that a run has raised."""

import traceback

from labcore.errors import LabError, RequirementError, RunFailed

__all__ = ["explain_raised"]


def explain_raised(error: BaseException) -> LabError | None:
    """Returns what is known of an error that comes from a library, if anything is.

    A library that cannot be loaded is a requirement that is not met, whatever it raised.
    """
    if not isinstance(error, ImportError | OSError | RuntimeError):
        return None
    from labcore.doctor.pasted import read

    # Not the lines of code between: they may speak of errors that did not happen.
    told = "".join(line for each in _chain(error) for line in traceback.format_exception_only(each))
    found = next((each for each in read(told).errors if each.state == "failure"), None)
    if found is None:
        return None
    kind = RequirementError if isinstance(error, ImportError) else RunFailed
    text = f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
    return kind(f"{found.summary}\n  {text}\n  {found.cause}", fix=found.fix)


def _chain(error: BaseException) -> list[BaseException]:
    """Returns an error with those that led to it, the first one first."""
    chain: list[BaseException] = []
    each: BaseException | None = error
    while each is not None and each not in chain:
        chain.insert(0, each)
        each = each.__cause__ or (None if each.__suppress_context__ else each.__context__)
    return chain
