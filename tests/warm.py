"""``lab`` in a process of its own that has the frameworks imported already.

Most of what a short run costs is importing torch. Processes forked from a server that has done so
are what a user starts in all else: arguments, folder, environment, output and exit code. Tests of
signals, of start-up and of what is imported when start a fresh Python instead.
"""

import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

__all__ = ["PRELOAD", "lab"]

PRELOAD = ["torch", "lightning_fabric", "labcore.training.fitting", "labcore.cli.main"]
PRELOAD += ["labcore.cli.runs.run", "labcore.life.execute", "matplotlib.figure", "pytorch3d.io"]
_TIMEOUT_S = 280


def lab(
    folder: Path, *words: str, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs ``lab WORDS`` in ``folder``; ``env`` is added to the environment."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOAD)
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), **(env or {})}
    with tempfile.TemporaryDirectory() as place:
        out, err = Path(place) / "out", Path(place) / "err"
        process = context.Process(target=_be_lab, args=(words, str(folder), environ, out, err))
        process.start()
        process.join(_TIMEOUT_S)
        if process.exitcode is None:
            process.kill()
            process.join()
        told = [path.read_text(encoding="utf-8") for path in (out, err)]
    return subprocess.CompletedProcess(words, process.exitcode, *told)


def _be_lab(
    words: Sequence[str], folder: str, environ: dict[str, str], out: Path, err: Path
) -> None:
    for number, path in ((1, out), (2, err)):
        os.dup2(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND), number)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", buffering=1, closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", buffering=1, closefd=False)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    sys.argv = ["lab", *words]
    from labcore.cli.main import main

    main()
