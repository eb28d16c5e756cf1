"""``python -m labcore`` is ``lab``, and ``lab`` starts here.

Outside the command line itself, Ctrl-C has nobody to be told to: it then ends the process with no
word of where Python stood.
"""

import signal
from typing import NoReturn

_IS_OURS = signal.getsignal(signal.SIGINT) is signal.default_int_handler
if _IS_OURS:
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from labcore.cli.main import main as run_command_line  # noqa: E402


def main() -> NoReturn:
    """Runs the command line."""
    if _IS_OURS:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        run_command_line()
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is said and done


if __name__ == "__main__":
    main()
