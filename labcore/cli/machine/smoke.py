"""``lab smoke``: whether every plugin really computes on the GPU of this machine."""

import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from labcore.errors import RequirementError, RunFailed

if TYPE_CHECKING:
    from labcore.doctor.smoke import Outcome

__all__ = ["smoke"]

_MARKS = {"passed": ("passed", "green"), "failed": ("FAILED", "red"), "skipped": ("skipped", None)}


@click.command()
@click.option("--plugin", "names", multiple=True, help="Only this plugin; can be repeated.")
@click.option(
    "--out",
    default="runs/gpu_smoke",
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for gpu_smoke.json, gpu_smoke.xml (JUnit) and the runs.",
)
@click.option("--allow-no-gpu", is_flag=True, help="Exit 0 on a machine without a usable GPU.")
@click.option(
    "--timeout",
    default=600.0,
    show_default=True,
    type=click.FloatRange(min=1),
    help="Seconds that one run may take.",
)
def smoke(names: tuple[str, ...], out: Path, allow_no_gpu: bool, timeout: float) -> None:
    """Run every plugin's smoke preset on the GPU and see whether the GPU computed.

    Each plugin runs alone, with mixed precision, and on two GPUs where there are two. A run
    counts only if the profiler saw kernels. Then PyTorch3D's CUDA operators, and NCCL.

    Exit codes: 0 all passed on a GPU, 1 something failed, 3 there is no GPU.
    """
    from labcore.devices import visible_gpus
    from labcore.discovery import find_plugins, pick_plugin
    from labcore.doctor.smoke import PROBED, SmokeReport, execute, plan_cases, try_probe

    found = find_plugins()
    chosen = [pick_plugin(found, name) for name in names] or list(found.values())
    gpus = visible_gpus()
    if not gpus:
        SmokeReport(driver=None, gpus=()).write(out)
        _without_gpu(allow_no_gpu)
        return
    for gpu in gpus:
        click.echo(
            f"{gpu.name}, {gpu.memory_gb:.0f} GB, compute capability {gpu.compute_capability}, "
            f"driver {gpu.driver}"
        )
    trials: list[tuple[str, Callable[[], Outcome]]] = [
        (case.name, functools.partial(execute, case, out, timeout_s=timeout))
        for case in plan_cases(chosen, gpus)
    ]
    if not names:
        trials += [
            (title, functools.partial(try_probe, name, num_gpus=len(gpus), timeout_s=timeout))
            for name, title in PROBED.items()
        ]
    outcomes = [_tell(title, attempt) for title, attempt in trials]
    report = SmokeReport(driver=gpus[0].driver, gpus=tuple(gpus), outcomes=tuple(outcomes))
    report.write(out)
    click.echo(f"report: {out / 'gpu_smoke.json'}, {out / 'gpu_smoke.xml'}")
    if report.count("failed"):
        raise RunFailed(
            f"{report.count('failed')} of {len(outcomes)} cases failed",
            fix=f"read the log of each below {out}",
        )
    if not report.used_gpu:
        raise RunFailed(
            "no case ran on the GPU: all were skipped",
            fix="install a plugin's packages (lab list says what is missing) and run it again",
        )


def _tell(title: str, attempt: "Callable[[], Outcome]") -> "Outcome":
    """Makes an attempt and prints what came of it."""
    if sys.stderr.isatty():
        click.echo(f"{title} ...\r", nl=False, err=True)
    outcome = attempt()
    mark, colour = _MARKS[outcome.state]
    facts = outcome.reason
    if outcome.state == "passed":
        step = "" if outcome.step_ms is None else f", {outcome.step_ms:.1f} ms a step"
        memory = f", peak {outcome.peak_memory_mib:.0f} MiB" if outcome.peak_memory_mib else ""
        facts = (
            f"{outcome.num_kernels:,} kernels in {outcome.kernel_ms:.0f} ms{memory}{step}, "
            f"{outcome.seconds:.0f} s in all"
        )
    click.echo(f"{click.style(mark.ljust(7), fg=colour)}  {outcome.name}  {facts}")
    return outcome


def _without_gpu(allowed: bool) -> None:
    from labcore.devices import survey

    trouble = survey().problem
    why = f" ({trouble.text})" if trouble is not None else ""
    if allowed:
        click.echo(f"No GPU here{why}: nothing was tried (--allow-no-gpu).")
        return
    raise RequirementError(
        f"there is no GPU to try{why}",
        fix="run it on a machine with an NVIDIA GPU (lab doctor says why there is none), "
        "or accept that with --allow-no-gpu",
    )
