"""``lab smoke``: whether every plugin really computes on the GPU of this machine."""

import functools
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import click

from labcore.devices import Gpu, survey, visible_gpus
from labcore.discovery import find_plugins, pick_plugin
from labcore.doctor.smoke import PROBED, Outcome, execute, plan_cases, try_probe
from labcore.errors import RequirementError, RunFailed
from labcore.record.files import write_atomically

__all__ = ["smoke"]

_MARKS = {"passed": ("passed", "green"), "failed": ("FAILED", "red"), "skipped": ("skipped", None)}


@click.command()
@click.option("--plugin", "names", multiple=True, help="Only this plugin; can be repeated.")
@click.option(
    "--out",
    default="runs/gpu_smoke",
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for gpu_smoke.json and the runs.",
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
    found = find_plugins()
    chosen = [pick_plugin(found, name) for name in names] or list(found.values())
    gpus = visible_gpus()
    if not gpus:
        _write(out, gpus, [])
        _without_gpu(allow_no_gpu)
        return
    for gpu in gpus:
        click.echo(
            f"{gpu.name}, {gpu.memory_gb:.0f} GB, compute capability {gpu.compute_capability}, "
            f"driver {gpu.driver}"
        )
    outcomes = [
        _tell(case.name, functools.partial(execute, case, out, timeout_s=timeout))
        for case in plan_cases(chosen, gpus)
    ]
    for name, title in {} if names else PROBED.items():
        attempt = functools.partial(try_probe, name, num_gpus=len(gpus), timeout_s=timeout)
        outcomes.append(_tell(title, attempt))
    _write(out, gpus, outcomes)
    failed = sum(outcome.state == "failed" for outcome in outcomes)
    if failed:
        raise RunFailed(
            f"{failed} of {len(outcomes)} cases failed", fix=f"read the log of each below {out}"
        )
    if not any(outcome.used_gpu for outcome in outcomes):
        raise RunFailed(
            "no case ran on the GPU: all were skipped",
            fix="install a plugin's packages (lab list says what is missing) and run it again",
        )


def _write(folder: Path, gpus: Sequence[Gpu], outcomes: Sequence[Outcome]) -> None:
    """Leaves the report, ``gpu_smoke.json``."""
    report = {
        "driver": gpus[0].driver if gpus else None,
        "gpus": [asdict(gpu) for gpu in gpus],
        "used_gpu": any(outcome.used_gpu for outcome in outcomes),
        "cases": [asdict(outcome) for outcome in outcomes],
    }
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / "gpu_smoke.json", json.dumps(report, indent=1) + "\n")
    if gpus:
        click.echo(f"report: {folder / 'gpu_smoke.json'}")


def _tell(title: str, attempt: Callable[[], Outcome]) -> Outcome:
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
