"""Many jobs on all cores: in processes of their own, or in this one."""

import contextlib
import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.synchronize import Event
from typing import TypeVar

from labcore.devices import available_cores
from labcore.errors import RunFailed

__all__ = ["in_processes", "stop_if_asked"]

Job = TypeVar("Job")
Result = TypeVar("Result")


@contextlib.contextmanager
def in_processes(
    work: Callable[[Job], Result], jobs: Sequence[Job], *, workers: int, doing: str, fix: str
) -> Iterator[Iterator[tuple[Job, Result]]]:
    """Does jobs and gives each with its result as soon as it is finished, in any order.

    When the block ends, with an error or before the last job, no further job is begun, and those
    under way end at their next :func:`stop_if_asked` or when they are done. An error of a job is
    raised in the block. Processes leave Ctrl-C to this one and end when it is killed.

    Args:
        work: Does a job. A function of a module, since the processes are spawned: fork and the
            threads of a framework do not mix. What it needs it imports.
        jobs: What to do; jobs and results are pickled.
        workers: Processes; 0 is one for each core that this process may use. With one, or one job,
            no process is started, and jobs are done in order.
        doing: What a job does, after "a process that"; for the message when one has died.
        fix: What to do when a process has died.

    Raises:
        RunFailed: A process died, which is what running out of memory looks like.
    """
    workers = min(workers if workers > 0 else available_cores(), len(jobs))
    if workers <= 1:
        yield ((job, work(job)) for job in jobs)
        return
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    with ProcessPoolExecutor(
        workers, mp_context=context, initializer=_start_worker, initargs=(stop,)
    ) as pool:
        futures = {pool.submit(work, job): job for job in jobs}

        def finished() -> Generator[tuple[Job, Result], None, None]:
            try:
                for future in as_completed(futures):
                    yield futures[future], future.result()
            except BrokenProcessPool as error:
                raise RunFailed(
                    f"a process that {doing} died; the machine may be out of memory", fix=fix
                ) from error

        try:
            yield finished()
        finally:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)


def stop_if_asked() -> None:
    """Ends a job whose result nobody waits for any more; a long job calls this now and then."""
    if _stop is not None and _stop.is_set():
        raise _Stopped


class _Stopped(Exception):
    """The process that gave the job asked this one to stop."""


_stop: Event | None = None
"""In a worker process: set by its parent when the work shall end."""


def _start_worker(stop: Event) -> None:
    """Leaves Ctrl-C to the parent, and ends with it, even if the parent is killed."""
    global _stop
    _stop = stop
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None  # this runs in worker processes only

    def watch() -> None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
