"""What can go wrong in training, and what the user is told to do about it."""

import contextlib
import math
from collections.abc import Iterator

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from labcore.errors import RunFailed
from labcore.training.config import LoopConfig
from labcore.training.divergence import NotFiniteError
from labcore.training.feeding.window import MetricWindow
from labcore.training.processes import largest
from labcore.training.update import WeightUpdate

__all__ = ["Guard", "explained_memory"]

_WORDS = {"loss": "the loss", "grad_norm": "the gradient"}
_CPU_MEMORY = ("DefaultCPUAllocator", "not enough memory", "Cannot allocate memory")


class Guard:
    """Fails the run when a loss, a gradient or a weight is not a finite number.

    Looking costs nothing on a CPU, so there every loss is looked at. On a GPU, and with several
    processes, looking means waiting; there the losses since the last record are looked at together,
    with every record and before every checkpoint.

    Args:
        fabric: The device and the processes.
        window: Has the losses.
        update: Knows whether infinite gradients are dealt with.
        config: Says what the user can lower.
    """

    def __init__(
        self, fabric: Fabric, window: MetricWindow, update: WeightUpdate, config: LoopConfig
    ) -> None:
        self._fabric = fabric
        self._window = window
        self._config = config
        self._looks_at_once = fabric.device.type == "cpu" and fabric.world_size == 1
        self._scalars_per_step = {"loss": config.accumulate}
        if not (update.is_scaled or config.skip_norm is not None):
            self._scalars_per_step["grad_norm"] = 1

    def check_loss(self, loss: Tensor, step: int) -> None:
        """Looks at a loss, if that costs nothing.

        Args:
            loss: A scalar.
            step: Optimiser step that it belongs to, counted from 1.

        Raises:
            NotFiniteError: It is not finite.
        """
        if self._looks_at_once and not math.isfinite(loss.item()):
            raise NotFiniteError("the loss", step)

    def check_window(self, step: int) -> None:
        """Looks at all losses and gradient norms since the last record; every process calls this.

        Args:
            step: Steps taken so far.

        Raises:
            NotFiniteError: One is not finite.
        """
        for name, per_step in self._scalars_per_step.items():
            later = self._window.since_not_finite(name)
            wrong_step = 0 if later is None else step - later // per_step
            (wrong_step,) = largest((wrong_step,), self._fabric)
            if wrong_step:
                raise NotFiniteError(_WORDS[name], wrong_step)

    def check_weights(self, model: nn.Module, step: int) -> None:
        """Looks at all parameters; waits for the GPU once.

        Raises:
            NotFiniteError: A parameter has a NaN or an infinity.
        """
        parameters = [p.detach() for p in model.parameters() if p.is_floating_point()]
        if not parameters:
            return
        # The largest absolute value is NaN if any is; unlike a sum of squares, it never overflows.
        largest_values = [n.float() for n in torch._foreach_norm(parameters, math.inf)]
        if not bool(torch.isfinite(torch.stack(largest_values)).all()):
            raise NotFiniteError("a weight of the model", step)


@contextlib.contextmanager
def explained_memory(config: LoopConfig) -> Iterator[None]:
    """Turns torch's several out-of-memory errors into one that says what to lower.

    Raises:
        RunFailed: Memory ran out inside the block.
    """
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise _out_of_memory(config, str(error)) from error
    except RuntimeError as error:
        if not any(words in str(error) for words in _CPU_MEMORY):
            raise
        raise _out_of_memory(config, str(error)) from error


def _out_of_memory(config: LoopConfig, reason: str) -> RunFailed:
    remedies = [
        "lower batch_size",
        f"take the batch in parts with a smaller batch_size and "
        f"train.accumulate={config.accumulate * 2}",
    ]
    if config.precision == "32-true":
        remedies.append("use train.precision=bf16-mixed")
    first_line = reason.strip().partition("\n")[0]
    message = f"out of memory: {first_line}" if first_line else "out of memory"
    return RunFailed(message, fix=", or ".join(remedies))
