"""A PostgreSQL server of one's own, from the binaries on this machine, on loopback."""

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

__all__ = ["missing", "postgres"]

_USER = "nobody"
"""Who runs the server when we are root, which PostgreSQL refuses."""


def missing() -> str:
    """Says what is not here to start a server; empty when all is."""
    absent = [name for name in ("initdb", "postgres", "pg_ctl") if shutil.which(name) is None]
    if absent:
        return f"no {', '.join(absent)} on this machine; apt-get install postgresql"
    try:
        import psycopg  # noqa: F401  # the driver
    except ImportError:
        return 'no driver; pip install "psycopg[binary]"'
    return ""


@contextlib.contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """Gives the URL of a fresh database for the time of the block.

    Args:
        folder: Takes the server's files; must not exist, and its parents must let others in.
    """
    folder.mkdir(parents=True)
    user = None
    if os.getuid() == 0:
        user = _USER
        account = pwd.getpwnam(user)
        os.chown(folder, account.pw_uid, account.pw_gid)
    data, port = folder / "data", _free_port()

    def run(*words: str) -> None:
        done = subprocess.run(
            words, user=user, capture_output=True, text=True, check=False, cwd=folder
        )
        if done.returncode:
            raise RuntimeError(f"{words[0]}: {done.stdout}{done.stderr}")

    run("initdb", "-D", str(data), "-U", "lab", "-A", "trust", "-N")
    options = f"-p {port} -h 127.0.0.1 -k {folder} -c fsync=off"
    log = folder / "log"
    # Its output goes to the file: pg_ctl's pipes would stay open as long as the server.
    run("pg_ctl", "-D", str(data), "-o", options, "-l", str(log), "-w", "start")
    try:
        yield f"postgresql+psycopg://lab@127.0.0.1:{port}/postgres"
    finally:
        run("pg_ctl", "-D", str(data), "-m", "immediate", "-w", "stop")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
