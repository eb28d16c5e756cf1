"""Probes that misbehave in every way, for the children of test_runner."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from labcore.doctor.probes.outcome import Skipped, WrongResult, need


def fine():
    print("chatter on stdout")
    return {"answer": 42}


def environment():
    return {
        "mode": os.environ.get("WANDB_MODE"),
        "folder": str(Path.cwd()),
        "stdin": sys.stdin.read(),
    }


def segfault():
    print("about to fall", file=sys.stderr, flush=True)
    ctypes.string_at(0)


def killed():
    os.kill(os.getpid(), signal.SIGKILL)


def hang():
    print("waiting", flush=True)
    time.sleep(600)


def hang_deaf():
    """Does not listen to polite signals, and leaves a child of its own behind."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    time.sleep(600)


def raises():
    raise OSError("libnothing.so.1: cannot open shared object file: No such file or directory")


def wrong():
    raise WrongResult("off by one")


def skipped():
    raise Skipped("no such device here")


def missing():
    need("json", "a_package_that_nobody_has")


def exits():
    os._exit(3)


def floods():
    line = "x" * 1000 + "\n"
    for _ in range(50_000):
        sys.stdout.write(line)
    print("the last line")
    raise ValueError("after the flood")


def garbage():
    sys.stdout.buffer.write(bytes(range(256)) * 4)
    print('{"outcome": "ok"}')
    raise ValueError("\udce9 bad text")


def not_json():
    return {"answer": object()}


def crash_at_the_end():
    import atexit

    atexit.register(os.kill, os.getpid(), signal.SIGSEGV)
    return {"answer": 42}
