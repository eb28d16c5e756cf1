"""What is tried on a GPU machine, decided before anything is started."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from labcore.config.training import training_options
from labcore.devices import Gpu
from labcore.discovery import FoundPlugin

__all__ = ["Case", "Kind", "plan_cases"]

Kind = Literal["smoke", "mixed precision", "two processes"]

_BFLOAT16_SINCE = 8.0
"""Compute capability of the first GPUs with bfloat16 arithmetic (Ampere)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """One run to start, or the reason why it makes no sense here."""

    plugin: str
    kind: Kind
    overrides: tuple[str, ...] = ()
    """Options of the run, beside those that every case has."""
    skipped: str = ""
    """Why it is not started; empty when it is."""
    num_gpus: int = 1

    @property
    def name(self) -> str:
        """Plugin and kind, as a report shows them."""
        return f"{self.plugin}: {self.kind}"


def plan_cases(found: Iterable[FoundPlugin], gpus: Sequence[Gpu]) -> list[Case]:
    """Decides what to try with each plugin: its smoke preset, mixed precision, two processes.

    Args:
        found: The plugins.
        gpus: The GPUs of this machine that a run may take; at least one.
    """
    return [case for plugin in found for case in _of_plugin(plugin, gpus)]


def _of_plugin(found: FoundPlugin, gpus: Sequence[Gpu]) -> list[Case]:
    reason = _why_not(found, gpus)
    if reason:
        return [Case(plugin=found.name, kind="smoke", skipped=reason)]
    cases = [Case(plugin=found.name, kind="smoke")]
    assert found.plugin is not None
    if found.plugin.tasks[0].trains and training_options(found.plugin.config()):
        able = min(gpu.compute_capability for gpu in gpus) >= _BFLOAT16_SINCE
        precision = "bf16-mixed" if able else "16-mixed"
        cases.append(
            Case(
                plugin=found.name,
                kind="mixed precision",
                overrides=(f"train.precision={precision}",),
            )
        )
        few = "" if len(gpus) > 1 else "needs two GPUs, and there is one"
        cases.append(
            Case(
                plugin=found.name,
                kind="two processes",
                overrides=("train.devices=2",),
                skipped=few,
                num_gpus=2,
            )
        )
    return cases


def _why_not(found: FoundPlugin, gpus: Sequence[Gpu]) -> str:
    if found.plugin is None or found.missing:
        return f"cannot run here: {found.reason}"
    requires = found.plugin.requires
    if requires.framework == "tensorflow":
        return "TensorFlow computes on the CPU in this environment, beside torch's CUDA 13"
    if requires.framework == "none":
        return "uses no framework, so there is nothing to compute on a GPU"
    if "smoke" not in found.plugin.presets:
        return "has no preset called smoke"
    least = requires.min_compute_capability
    if max(gpu.compute_capability for gpu in gpus) < least:
        return f"needs a GPU of compute capability {least}"
    return ""
