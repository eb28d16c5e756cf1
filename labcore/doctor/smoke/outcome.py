"""What came of the cases, as JSON for scripts and as JUnit XML for CI."""

import dataclasses
import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from labcore.devices import Gpu
from labcore.record.files import write_atomically

__all__ = ["Outcome", "SmokeReport", "State"]

State = Literal["passed", "failed", "skipped"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What came of one case."""

    name: str
    state: State
    reason: str = ""
    """Why it failed or was skipped."""
    seconds: float = 0.0
    device: str = ""
    kernel_ms: float = 0.0
    """Time that kernels ran on the GPU, by the profiler."""
    num_kernels: int = 0
    peak_memory_mib: float = 0.0
    """Most GPU memory that tensors held."""
    step_ms: float | None = None
    """Median time of a training step."""
    log: str = ""
    """The last lines that a failed run printed."""

    @property
    def used_gpu(self) -> bool:
        """Whether the GPU was seen to compute."""
        return self.state == "passed" and self.num_kernels > 0 and self.kernel_ms > 0


@dataclass(frozen=True, kw_only=True, slots=True)
class SmokeReport:
    """Everything that came of a smoke test."""

    driver: str | None
    gpus: tuple[Gpu, ...]
    outcomes: tuple[Outcome, ...] = field(default=())

    @property
    def used_gpu(self) -> bool:
        """Whether any run was seen to compute on a GPU."""
        return any(outcome.used_gpu for outcome in self.outcomes)

    def count(self, state: State) -> int:
        """Number of cases that ended so."""
        return sum(outcome.state == state for outcome in self.outcomes)

    def write(self, folder: Path) -> None:
        """Writes ``gpu_smoke.json`` and ``gpu_smoke.xml``.

        Raises:
            OSError: The folder cannot be written.
        """
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / "gpu_smoke.json", json.dumps(self._as_json(), indent=1) + "\n")
        write_atomically(folder / "gpu_smoke.xml", _as_junit(self.outcomes))

    def _as_json(self) -> dict[str, Any]:
        return {
            "driver": self.driver,
            "gpus": [dataclasses.asdict(gpu) for gpu in self.gpus],
            "used_gpu": self.used_gpu,
            "cases": [dataclasses.asdict(outcome) for outcome in self.outcomes],
        }


def _as_junit(outcomes: Sequence[Outcome]) -> str:
    suite = ElementTree.Element(
        "testsuite",
        name="gpu_smoke",
        tests=str(len(outcomes)),
        failures=str(sum(outcome.state == "failed" for outcome in outcomes)),
        errors="0",
        skipped=str(sum(outcome.state == "skipped" for outcome in outcomes)),
        time=f"{sum(outcome.seconds for outcome in outcomes):.3f}",
    )
    for outcome in outcomes:
        plugin, _, kind = outcome.name.partition(": ")
        case = ElementTree.SubElement(
            suite,
            "testcase",
            classname=f"gpu_smoke.{plugin}",
            name=kind or plugin,
            time=f"{outcome.seconds:.3f}",
        )
        if outcome.state == "failed":
            failure = ElementTree.SubElement(case, "failure", message=_printable(outcome.reason))
            failure.text = _printable(outcome.log)
        elif outcome.state == "skipped":
            ElementTree.SubElement(case, "skipped", message=_printable(outcome.reason))
        else:
            ElementTree.SubElement(case, "system-out").text = _printable(_figures(outcome))
    ElementTree.indent(suite)
    text = ElementTree.tostring(suite, encoding="unicode", xml_declaration=False)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'


def _figures(outcome: Outcome) -> str:
    step = "" if outcome.step_ms is None else f", {outcome.step_ms:.2f} ms a step"
    return (
        f"{outcome.num_kernels} kernels, {outcome.kernel_ms:.1f} ms on {outcome.device}, "
        f"peak {outcome.peak_memory_mib:.0f} MiB{step}"
    )


def _printable(text: str) -> str:
    """Leaves out what XML 1.0 does not allow, such as the escape codes of colours."""
    return "".join(
        character for character in text if character in "\t\n\r" or ord(character) >= 0x20
    )
