"""What a forked process does to be like one that was started afresh, and to become a trial."""

import atexit
import logging
import os
import random
import runpy
import signal
import sys
import threading
from typing import NoReturn

from labcore.sweeps.trial import TrialRequest

__all__ = ["become_trial"]


def become_trial(request: TrialRequest) -> NoReturn:
    """Turns a fresh fork into the process of a trial and ends with its exit code.

    The trial is ``python -m labcore run ...`` in all but the start of the interpreter: its own
    session, environment, output, signals and random numbers.

    Args:
        request: The trial.
    """
    try:
        _leave_parent(request)
        sys.argv = ["lab", *request.words]
        runpy.run_module("labcore", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        _end(end.code if isinstance(end.code, int) else int(end.code is not None))
    except BaseException:
        sys.excepthook(*sys.exc_info())
        _end(1)
    _end(0)


def _end(code: int) -> NoReturn:
    """Ends as an interpreter does, without taking the imported modules apart one by one.

    With torch that takes most of a second, and the system frees the memory anyway.
    """
    for thread in threading.enumerate():
        if not thread.daemon and thread is not threading.current_thread():
            thread.join()
    try:
        atexit._run_exitfuncs()
    finally:
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _leave_parent(request: TrialRequest) -> None:
    os.setsid()
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    null = os.open(os.devnull, os.O_RDONLY)
    log = os.open(request.log or os.devnull, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for source, target in ((null, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    os.close(null)
    os.close(log)
    os.environ.update(request.variables())
    _new_random_numbers()


def _new_random_numbers() -> None:
    """Seeds the global generators from the system, as imports in a fresh process do."""
    random.seed()
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed()
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.default_generator.seed()
