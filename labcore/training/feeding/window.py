"""The training metrics since the last record, kept on the device until they are needed."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

__all__ = ["MetricWindow"]


class MetricWindow:
    """Collects scalars without waiting for the GPU; :meth:`means` waits once.

    The scalars themselves are kept rather than a sum, so that a loss that was not finite can be
    traced to its step, and so that a resumed run averages the very same numbers.

    Args:
        device: Where training computes.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._scalars: dict[str, list[Tensor]] = {}

    def add(self, values: Mapping[str, Tensor | float]) -> None:
        """Takes in the metrics of one batch; each is a scalar."""
        for name, value in values.items():
            scalar = value.detach() if isinstance(value, Tensor) else torch.tensor(float(value))
            if scalar.device != self._device:
                scalar = scalar.to(self._device)
            self._scalars.setdefault(name, []).append(scalar)

    def means(self, average_processes: Callable[[Tensor], Tensor]) -> dict[str, float]:
        """Returns the mean of each metric and begins a new window.

        Args:
            average_processes: Averages a tensor of ``(num_metrics,)`` over the processes of a
                distributed run.
        """
        if not self._scalars:
            return {}
        means = [_joined(scalars).mean() for scalars in self._scalars.values()]
        together = average_processes(torch.stack(means))
        result = dict(zip(self._scalars, together.tolist(), strict=True))
        self._scalars = {}
        return result

    def since_not_finite(self, name: str) -> int | None:
        """Returns how many scalars of a metric came after the first that is NaN or infinite."""
        if not self._scalars.get(name):
            return None
        wrong = ~torch.isfinite(_joined(self._scalars[name]))
        return len(wrong) - 1 - int(wrong.int().argmax()) if bool(wrong.any()) else None

    def state_dict(self) -> dict[str, Any]:
        """Returns the scalars of each metric as one tensor."""
        return {name: torch.stack(scalars).cpu() for name, scalars in self._scalars.items()}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Goes on from a state of :meth:`state_dict`."""
        self._scalars = {
            name: list(values.to(self._device).unbind()) for name, values in state.items()
        }


def _joined(scalars: list[Tensor]) -> Tensor:
    return torch.stack(scalars).double()
