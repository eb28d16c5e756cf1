"""What TensorFlow has to be told before a task uses it: threads, seeds, and not to chatter."""

import contextlib
import logging
import os
import sys
import tempfile
from collections.abc import Iterator

from labcore.devices import DevicePlan

__all__ = ["configure_tensorflow"]

log = logging.getLogger(__name__)


def configure_tensorflow(device: DevicePlan, seed: int) -> None:
    """Imports TensorFlow, sets its threads and seeds it.

    Args:
        device: An applied plan.
        seed: Of Python, NumPy and TensorFlow.
    """
    with _into_the_log():
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(device.threads)
        tf.config.threading.set_inter_op_parallelism_threads(device.threads)
        keras = tf.keras
        if os.environ.get("TF_USE_LEGACY_KERAS") == "1":
            # Else the numbers of its layers come from kernels whose state nobody can keep.
            keras.backend.experimental.enable_tf_random_generator()
        keras.utils.set_random_seed(seed % 2**31)
        tf.zeros(())  # looks for devices, and says what it thinks of them


@contextlib.contextmanager
def _into_the_log() -> Iterator[None]:
    """Puts what TensorFlow's C++ says at its start into the log: it writes to the terminal."""
    sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as said:
        os.dup2(said.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(terminal, 2)
            os.close(terminal)
            said.seek(0)
            for line in said.read().decode(errors="replace").splitlines():
                log.info("tensorflow: %s", line)
