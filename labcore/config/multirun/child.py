"""A child process that is stopped gently when this one is."""

import contextlib
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from types import FrameType

__all__ = ["Stopped", "run_child"]


class Stopped(BaseException):
    """A signal stopped the work; no ``Exception``, so that nothing on the way takes it for one.

    Args:
        signal_number: Which signal.
    """

    def __init__(self, signal_number: int) -> None:
        super().__init__(signal_number)
        self.signal_number = signal_number


def run_child(command: Sequence[str], environment: Mapping[str, str]) -> tuple[int, int | None]:
    """Runs a command to its end.

    The child is in a session of its own: Ctrl-C reaches only this process, which passes it on once
    and waits, so that the child can write its checkpoint.

    Args:
        command: Program and arguments.
        environment: All environment variables of the child.

    Returns:
        Its exit code (128 + signal when a signal ended it), and the signal that reached this
        process meanwhile, or None.
    """
    child = subprocess.Popen(command, env=dict(environment), start_new_session=True)
    with _passing_on(child) as received:
        code = child.wait()
    return (code if code >= 0 else 128 - code), (received[0] if received else None)


@contextlib.contextmanager
def _passing_on(child: "subprocess.Popen[bytes]") -> Iterator[list[int]]:
    """Sends SIGINT and SIGTERM on to the child (main thread only), and remembers them."""
    received: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield received
        return

    def handle(number: int, frame: FrameType | None) -> None:
        received.append(number)
        child.send_signal(number)

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
