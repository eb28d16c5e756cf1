"""W&B's early stopping: at set numbers of logs, a run that is not among the best is stopped.

The rule, from docs.wandb.ai ("Sweep configuration options", early_terminate) and, where the page
is silent, from the published engine behind it (the package ``sweeps``):

* What counts is how often a run has logged the metric, not its steps or epochs. A log whose value
  is missing, NaN or infinite is no log.
* The counts at which runs are looked at are called brackets. ``min_iter`` gives ``min_iter``,
  ``min_iter * eta``, ``min_iter * eta^2`` and so on; ``max_iter`` with ``s`` gives
  ``max_iter / eta`` down to ``max_iter / eta^s``, those below 1 left out. Both are cut to whole
  numbers. Where both are given, ``max_iter`` holds.
* A run is judged at the last bracket that it has reached. Take the value that each run, this one
  too, logged at exactly that count, whether it is still running or not: n values. The threshold
  is the one at index ``floor(n / eta)`` when they are sorted, the best first.
* The run is stopped if it is worse than the threshold (equal is not worse): with ``strict`` its
  value at the bracket, otherwise the best of all its values so far.

So a run alone is never stopped, of two runs the worse one is when ``eta`` is above 2, and a run
that passed a bracket may be stopped later, when better ones have reached it. ``strict`` is off by
default, as the page says; the engine's own schema turns it on.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = ["Goal", "Hyperband"]

Goal = Literal["minimize", "maximize"]

_MOST_BRACKETS = 100
"""Of the ``min_iter`` form."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Hyperband:
    """The options of the rule; see the module's text for their meaning."""

    min_iter: int | None = None
    """Logs at the first bracket."""
    max_iter: int | None = None
    """Logs of a whole run; needs ``s``."""
    s: int | None = None
    """Brackets below ``max_iter``."""
    eta: float = 3
    """One run in so many goes on; brackets are this factor apart."""
    strict: bool = False
    """Whether to judge by the value at the bracket and not by the best so far."""

    def __post_init__(self) -> None:
        if (self.min_iter if self.max_iter is None else self.s) is None:
            raise ValueError("hyperband needs min_iter, or max_iter and s")
        if not self.brackets(max(self.min_iter or 0, self.max_iter or 0)):
            raise ValueError(
                f"there is no bracket: max_iter {self.max_iter} / eta {self.eta:g} is below 1"
            )

    def __str__(self) -> str:
        first = f"max_iter {self.max_iter}, s {self.s}" if self.max_iter else ""
        words = [first or f"min_iter {self.min_iter}", f"eta {self.eta:g}"]
        return f"hyperband, {', '.join([*words, *(['strict'] if self.strict else [])])}"

    def brackets(self, num_logs: int) -> tuple[int, ...]:
        """Returns the brackets up to a number of logs, the least first."""
        found: list[int] = []
        if self.max_iter is not None:
            bracket: float = self.max_iter
            for _ in range(self.s or 0):
                bracket /= self.eta
                if bracket < 1:
                    break
                found.append(int(bracket))
        else:
            bracket = self.min_iter or 0
            while len(found) < _MOST_BRACKETS and bracket <= num_logs:
                found.append(int(bracket))
                bracket *= self.eta
        return tuple(sorted({each for each in found if each <= num_logs}))

    def judge(
        self,
        history: Sequence[float | None],
        others: Iterable[Sequence[float | None]],
        goal: Goal,
    ) -> str:
        """Compares a run with the others at the last bracket that it has reached.

        Args:
            history: The metric at each log of the run, None where it was not logged.
            others: The same of every other run of the sweep, finished ones too.
            goal: Which way the metric gets better.

        Returns:
            Why the run is to be stopped; nothing if it may go on.
        """
        # From here on, less is better.
        sign = 1 if goal == "minimize" else -1
        own = _logged(history, sign)
        reached = self.brackets(len(own))
        if not reached:
            return ""
        bracket = reached[-1]
        all_logged = (own, *(_logged(other, sign) for other in others))
        at_bracket = sorted(run[bracket - 1] for run in all_logged if len(run) >= bracket)
        threshold = at_bracket[int(len(at_bracket) / self.eta)]
        value = own[bracket - 1] if self.strict else min(own)
        if value <= threshold:
            return ""
        return (
            f"log {bracket}: {sign * value:.6g} is worse than {sign * threshold:.6g}, among "
            f"{len(at_bracket)} runs"
        )


def _logged(history: Sequence[float | None], sign: int) -> list[float]:
    return [sign * value for value in history if value is not None and math.isfinite(value)]
