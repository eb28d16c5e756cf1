"""``environment.json`` and ``git.diff``: what a run was made with, so that it can be made again."""

import dataclasses
import importlib.metadata
import os
import platform
import re
import shlex
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil

from labcore.devices import DevicePlan, available_cores, survey
from labcore.life.checkout import Checkout, read_checkout
from labcore.record.files import write_atomically
from labcore.record.records import read_json, write_json
from labcore.record.redaction import recordable_variables, redact_arguments, redact_text

__all__ = ["capture"]

_RECORD = "environment.json"
_DIFF = "git.diff"


def capture(
    folder: Path, argv: Sequence[str], device: DevicePlan, *, code: Sequence[Path] = ()
) -> None:
    """Writes what the run is made with into its folder. Imports no framework.

    Secrets are left out: only the variables on a list are written, and options named like a secret
    are masked. A resumed run keeps the records of its earlier processes as
    ``environment.1.json`` and so on; ``command`` stays the one that started it, and ``commands``
    are all of them.

    Args:
        folder: The run folder.
        argv: The command line.
        device: Where the run computes.
        code: Folders with code of the run, beside the lab's own and the working directory; the
            git state of each is written.

    Raises:
        OSError: The folder cannot be written.
    """
    checkouts = _checkouts([Path(__file__).parent, *code, Path.cwd()])
    found = survey()
    memory = psutil.virtual_memory()
    record: dict[str, Any] = {
        "time": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "command": shlex.join(redact_arguments(argv)),
        "folder": str(Path.cwd()),
        "host": socket.gethostname(),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "executable": sys.executable,
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "usable_cores": available_cores(),
        "memory_gb": round(memory.total / 1e9, 1),
        "device": {
            "kind": device.kind,
            "name": device.name,
            "uuids": list(device.uuids),
            "threads": device.threads,
            "reason": device.reason,
            "env": recordable_variables(device.env),
            "leased": list(device.lease.uuids) if device.lease is not None else [],
        },
        "driver": found.driver,
        "cuda_driver": found.cuda_driver,
        "gpus": [dataclasses.asdict(gpu) for gpu in found.gpus],
        "git": [_git_row(checkout) for checkout in checkouts],
        "variables": recordable_variables(os.environ),
        "packages": _packages(),
    }
    _keep_earlier(folder, record)
    write_json(folder / _RECORD, record)
    diff = "".join(
        f"# {checkout.root} at {checkout.commit}\n{checkout.diff}"
        for checkout in checkouts
        if checkout.diff
    )
    if diff:
        write_atomically(folder / _DIFF, redact_text(diff, is_code=True))


def _keep_earlier(folder: Path, record: dict[str, Any]) -> None:
    record["commands"] = [record["command"]]
    if not (folder / _RECORD).exists():
        return
    earlier = read_json(folder / _RECORD)
    if isinstance(earlier, dict) and isinstance(began := earlier.get("command"), str):
        record["commands"] = [*earlier.get("commands", [began]), record["command"]]
        record["command"] = began
    number = 1
    while (folder / f"environment.{number}.json").exists():
        number += 1
    (folder / _RECORD).rename(folder / f"environment.{number}.json")
    if (folder / _DIFF).exists():
        (folder / _DIFF).rename(folder / f"git.{number}.diff")


def _checkouts(folders: Sequence[Path]) -> list[Checkout]:
    """Returns the work trees that the folders are in, each once."""
    found: dict[str, Checkout] = {}
    for folder in dict.fromkeys(path.resolve() for path in folders):
        # An installed package may lie inside a work tree (a .venv) that has nothing to do with it.
        if {"site-packages", "dist-packages"} & set(folder.parts):
            continue
        if any(folder == Path(root) or Path(root) in folder.parents for root in found):
            continue
        checkout = read_checkout(folder)
        if checkout is not None:
            found.setdefault(checkout.root, checkout)
    return list(found.values())


def _git_row(checkout: Checkout) -> dict[str, Any]:
    row = dataclasses.asdict(checkout)
    del row["diff"]
    return {**row, "dirty": checkout.dirty}


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _packages() -> dict[str, str]:
    """Returns name and version of every installed distribution.

    Read from the names of the metadata folders, which takes milliseconds; opening each metadata
    file would take most of a second on a slow disk.
    """
    versions: dict[str, str] = {}
    for distribution in importlib.metadata.distributions():
        match = re.match(r"(.+?)-([^-]+)\.dist-info\Z", _folder_name(distribution))
        if match is not None:
            name, version = match[1], match[2]
        else:
            name, version = distribution.metadata["Name"] or "", distribution.version
        if name:
            # The first on the path is the one that an import gets.
            versions.setdefault(re.sub(r"[-_.]+", "-", name).lower(), version)
    return dict(sorted(versions.items()))


def _folder_name(distribution: importlib.metadata.Distribution) -> str:
    path = getattr(distribution, "_path", None)
    return Path(str(path)).name if path is not None else ""
