"""What all tests need from the process that runs them."""

import signal

# A shell that is no terminal starts its background jobs deaf to Ctrl-C, and they hand that on to
# the commands which the tests interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
