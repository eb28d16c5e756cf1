"""The process of one probe: ``python -m labcore.doctor.probes.child MODULE:FUNCTION --out FILE``.

The result goes to a file: whatever libraries print stays apart from it. A crash leaves Python's
stack on standard error, and so does a hang shortly before its time is up.
"""

import argparse
import faulthandler
import importlib
import json
import signal
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from labcore.doctor.probes.outcome import NotInstalled, Skipped, WrongResult

__all__ = ["main", "try_probe"]

_NOTICE = 0.9
"""Share of the time limit after which a hanging probe's stack is written."""
_GRACE_S = 30
"""A child whose parent was killed ends by itself this long after its limit."""


def main(arguments: list[str] | None = None) -> None:
    """Runs one probe and writes its result."""
    parser = argparse.ArgumentParser(prog="python -m labcore.doctor.probes.child")
    parser.add_argument("probe", help="module:function")
    parser.add_argument("--out", type=Path, required=True, help="file for the result")
    parser.add_argument("--limit", type=float, default=120.0, help="seconds")
    given = parser.parse_args(arguments)
    faulthandler.enable()
    faulthandler.dump_traceback_later(given.limit * _NOTICE)
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, given.limit + _GRACE_S)
    result = try_probe(given.probe)
    draft = given.out.with_suffix(".draft")
    draft.write_text(json.dumps(result), encoding="utf-8")
    draft.replace(given.out)
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
    main(sys.argv[1:])
