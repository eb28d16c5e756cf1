"""What a process of a pool does first, so that Ctrl-C and kills leave nothing behind."""

import multiprocessing
import multiprocessing.connection
import os
import signal
import threading

__all__ = ["follow_parent"]


def follow_parent() -> None:
    """Leaves Ctrl-C to the parent, and ends with it, even if the parent is killed.

    The ``initializer`` of a ``ProcessPoolExecutor`` with the start method ``spawn``.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None  # this runs in worker processes only

    def watch() -> None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
