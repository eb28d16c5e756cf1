"""The warm worker: a process that imports what every trial imports, and forks for each.

Beside that it composes one config for the sake of Hydra's parser; no framework computes anything or
looks for a GPU here, since a trial gets its devices after the fork.

Through its pipe come the plugin and the overrides of all trials, once, and then a
:class:`TrialRequest` for each trial. Back go numbers of trials with what is to be said of them::

    {}             it is ready
    {7: None}      trial 7 was started, or runs already: its lock has to tell
    {7: 0}         it has ended; 128 + signal when a signal ended it

When the pipe breaks (the controller is gone, or done) it exits; the trials go on.
"""

import atexit
import contextlib
import gc
import importlib
import logging
import os
import random
import runpy
import signal
import sys
import threading
from collections.abc import Sequence
from multiprocessing.connection import Connection, wait
from typing import NoReturn

from labcore.config import compose
from labcore.discovery import find_plugins, pick_plugin
from labcore.hooks.build import BUILT_IN
from labcore.plugin import load_object
from labcore.record.process import ProcessId
from labcore.sweeps.companion import pipe_to_starter
from labcore.sweeps.trial import TrialRequest
from labcore.sweeps.trial_process import Word, kill_group, name_holder, trial_lock

__all__ = ["main"]

_ALWAYS = (
    "labcore.cli.main",
    "labcore.cli.runs.run",
    "labcore.cli.runs.resume",
    "labcore.life.execute",
    "labcore.data",
    "labcore.report.page",
    "jinja2",
)
_WITH_TORCH = ("torch", "labcore.training", "labcore.devices.torch_setup")
log = logging.getLogger(__name__)


class Worker:
    """Starts trials and tells of their ends.

    Args:
        pipe: To the controller.
    """

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._trials: dict[int, TrialRequest] = {}
        """Process id to trial."""

    def serve(self) -> None:
        """Takes orders until there are no more."""
        woken, wake = os.pipe()
        os.set_blocking(woken, False)
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        self._say({})
        while True:
            # The timeout is for a SIGCHLD that came just before.
            ready = wait([self._pipe, woken], timeout=1.0)
            if woken in ready:
                os.read(woken, 4096)
            self._reap()
            if self._pipe in ready:
                try:
                    self._start(self._pipe.recv())
                except (EOFError, ConnectionError):
                    return

    def _say(self, event: dict[int, Word]) -> None:
        """Tells the controller something; that it is gone is found out elsewhere."""
        try:
            self._pipe.send(event)
        except ConnectionError:
            return

    def _start(self, request: TrialRequest) -> None:
        assert request.lock is not None, "the controller gives every trial a lock"
        lock = trial_lock(request.lock)
        if lock is not None:
            pid = self._fork(request)
            name_holder(request.lock, pid)
            lock.close()
            self._trials[pid] = request
        self._say({request.number: None})

    def _fork(self, request: TrialRequest) -> int:
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            self._pipe.close()
            become_trial(request)
        return pid

    def _reap(self) -> None:
        for pid, request in list(self._trials.items()):
            # Its number is its own until it has been waited for, so the group is cleared first.
            end = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if end is None:
                continue
            if end.si_code != os.CLD_EXITED:
                trial = ProcessId.of(pid)
                if trial is not None:
                    # Data workers that outlive it would keep its lock and memory.
                    kill_group(trial, request.lock)
            code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            del self._trials[pid]
            self._say({request.number: code if code >= 0 else 128 - code})


def main() -> NoReturn:
    """Serves the controller that started this process."""
    pipe = pipe_to_starter()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        plugin, overrides = pipe.recv()
        _preload(plugin, overrides)
        Worker(pipe).serve()
    except (EOFError, ConnectionError):  # the controller is gone
        pass
    # No finalisation: it would take as long as the frameworks like, and there is nothing to save.
    os._exit(0)


def _preload(plugin: str, overrides: Sequence[str]) -> None:
    """Imports what a run of the plugin will; what cannot be imported is for the trial to report."""
    found = pick_plugin(find_plugins(), plugin)
    assert found.plugin is not None
    modules = [*_ALWAYS, *(_WITH_TORCH if found.plugin.requires.framework == "torch" else ())]
    with contextlib.suppress(Exception):
        composed = compose(found, overrides)
        modules.append(composed.task.run.partition(":")[0])
        for name in composed.config.hooks:
            load_object({**BUILT_IN, **found.plugin.hooks}[name])
    for module in modules:
        try:
            importlib.import_module(module)
        except Exception as error:
            log.warning("%s cannot be imported beforehand: %s", module, error)
    # Every full collection of a trial would walk, and so copy, the frameworks' million objects.
    gc.collect()
    gc.freeze()


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
