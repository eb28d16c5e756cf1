"""The process of one probe: ``python -m labcore.doctor.probes.child MODULE:FUNCTION FILE LIMIT``.

The result goes to a file: whatever libraries print stays apart from it. A crash leaves Python's
stack on standard error, and so does a hang shortly before its time is up.
"""

import faulthandler
import importlib
import signal
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from labcore.doctor.probes.outcome import NotInstalled, Skipped, WrongResult
from labcore.record.records import write_json

__all__ = ["main", "try_probe"]

_NOTICE = 0.9
"""Share of the time limit after which a hanging probe's stack is written."""
_GRACE_S = 30
"""A child whose parent was killed ends by itself this long after its limit."""


def main(target: str, out: Path, limit_s: float) -> None:
    """Runs one probe and writes its result."""
    faulthandler.enable()
    faulthandler.dump_traceback_later(limit_s * _NOTICE)
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, limit_s + _GRACE_S)
    write_json(out, try_probe(target))
    faulthandler.cancel_dump_traceback_later()


def try_probe(target: str) -> dict[str, Any]:
    """Runs a probe's function and returns what came of it."""
    module, _, function = target.partition(":")
    try:
        result: Mapping[str, Any] = getattr(importlib.import_module(module), function)()
    except NotInstalled as error:
        return {"outcome": "missing", "packages": list(error.args)}
    except Skipped as error:
        return {"outcome": "skipped", "reason": str(error)}
    except WrongResult as error:
        return {"outcome": "wrong", "error": str(error)}
    except Exception as error:  # anything that a framework raises is the probe's result
        traceback.print_exc()
        return {"outcome": "failed", "error": f"{type(error).__name__}: {error}"}
    return {"outcome": "ok", "result": dict(result)}


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), float(sys.argv[3]))
