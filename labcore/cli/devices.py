"""``lab devices``: GPUs, processor and memory, who uses them, and who waits."""

import dataclasses
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from labcore.cli.console import columns, printer
from labcore.devices.inventory.gpu import Gpu
from labcore.devices.lease.owner import Owner
from labcore.devices.status import DeviceStatus, MachineStatus, machine_status
from labcore.record.durations import format_duration

__all__ = ["devices"]

_COLOURS = {"free": "green", "leased": "cyan", "in use": "yellow", "closed": "red", "hidden": "dim"}
_BAR = 10
_SHORT_BAR = 6
_HOT_C = 85
_SILENT_AFTER_S = 60.0
_ROOMY = 100
"""Columns from which the table has all of its columns."""


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")
@click.option("--watch", is_flag=True, help="Look again and again until Ctrl-C.")
@click.option(
    "--every",
    default=2.0,
    show_default=True,
    type=click.FloatRange(min=0.1),
    help="Seconds between two looks.",
)
@click.option("--runs-dir", default="runs", show_default=True, type=click.Path(path_type=Path))
def devices(as_json: bool, watch: bool, every: float, runs_dir: Path) -> None:
    """Show the GPUs, who uses them and for which run; then processor, memory and disk."""
    if as_json and watch:
        raise click.UsageError("give one of --json and --watch")
    if as_json:
        click.echo(json.dumps(_row(machine_status(runs_dir)), indent=1))
    elif watch:
        _watch(every, runs_dir)
    else:
        with printer() as console:
            console.print(_page(machine_status(runs_dir), console.width))


def _watch(every: float, runs_dir: Path) -> None:
    console = Console(highlight=False)

    def page() -> RenderableType:
        stamp = Text(f"{time.strftime('%H:%M:%S')}, every {every:g} s, Ctrl-C ends", style="dim")
        return Group(_page(machine_status(runs_dir), console.width), stamp)

    try:
        if not console.is_terminal:
            while True:
                console.print(page())
                sys.stdout.flush()
                time.sleep(every)
        with Live(page(), console=console, auto_refresh=False, screen=False) as live:
            while True:
                time.sleep(every)
                live.update(page(), refresh=True)
    except KeyboardInterrupt:
        return


def _page(machine: MachineStatus, width: int) -> RenderableType:
    parts: list[RenderableType] = [_heading(machine)]
    if machine.devices or machine.survey.parents:
        parts.append(_table(machine, roomy=width >= _ROOMY))
    details = _details(machine)
    if details.row_count:
        parts += [Text(), details]
    if machine.waiting:
        parts += [Text("\nWaiting", style="bold"), *_waiting(machine)]
    return Group(*parts, Text(), _rest(machine))


def _heading(machine: MachineStatus) -> Text:
    seen = machine.survey
    if seen.problem is not None:
        style = "" if seen.problem.is_no_driver else "yellow"
        text = f"No GPU: {seen.problem.text}."
        if not seen.problem.is_no_driver:
            text += " How to mend it: lab doctor"
        return Text(text, style=style)
    if not machine.devices and not seen.parents:
        return Text(f"No GPU, though NVIDIA's driver {seen.driver} runs.")
    cuda = f", CUDA up to {seen.cuda_driver}" if seen.cuda_driver else ""
    free = sum(device.state == "free" for device in machine.devices)
    return Text(
        f"{free} of {len(machine.devices)} free; NVIDIA driver {seen.driver}{cuda}\n", style="bold"
    )


def _table(machine: MachineStatus, *, roomy: bool) -> Table:
    headers = ["device=", "GPU", "memory, GB", "use", "temp"]
    headers += ["power", "capability"] if roomy else ["cap."]
    table = columns(*headers, "state", wrapped=1)
    for number in range(2, len(headers)):
        table.columns[number].justify = "right"
    for line in sorted(_lines(machine), key=lambda line: line.gpu.pci_bus_id or ""):
        table.add_row(*_cells(line, roomy=roomy))
    return table


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class _Line:
    """A device of the table, or a card that is cut into slices."""

    gpu: Gpu
    typed: str = ""
    state: Text


def _lines(machine: MachineStatus) -> Iterator[_Line]:
    cut = {device.gpu.parent_uuid for device in machine.devices}
    for parent in machine.survey.parents:  # before their slices, which have the same bus id
        has_slices = parent.uuid in cut
        state = Text("in slices", style="dim") if has_slices else Text("no slice", style="red")
        yield _Line(gpu=parent, state=state)
    for device in machine.devices:
        state = Text(device.state, style=_COLOURS[device.state])
        yield _Line(gpu=device.gpu, typed=device.typed or "-", state=state)


def _cells(line: _Line, *, roomy: bool) -> Iterator[Text]:
    gpu = line.gpu
    is_slice = gpu.parent_uuid is not None
    yield Text(line.typed, style="cyan")
    short = gpu.name.removeprefix("NVIDIA ").removeprefix("GeForce ")
    yield Text(f"  MIG {gpu.mig_profile}" if is_slice and gpu.mig_profile else short)
    yield Text() if gpu.mig_enabled else _memory(gpu, _BAR if roomy else _SHORT_BAR)
    yield Text("" if gpu.utilisation_percent is None else f"{gpu.utilisation_percent} %")
    if is_slice or gpu.temperature_c is None:
        yield Text()
    else:
        yield Text(f"{gpu.temperature_c} °C", style="red" if gpu.temperature_c >= _HOT_C else "")
    if roomy:
        yield Text("" if is_slice else _watts(gpu))
    yield Text(f"{gpu.compute_capability}")
    yield line.state


def _watts(gpu: Gpu) -> str:
    if gpu.power_w is None:
        return ""
    of = f"/{gpu.power_limit_w:.0f}" if gpu.power_limit_w else ""
    return f"{gpu.power_w:.0f}{of} W"


def _memory(gpu: Gpu, length: int) -> Text:
    share = gpu.memory_used_mib / max(1, gpu.memory_total_mib)
    filled = min(length, round(share * length))
    style = "red" if share > 0.9 else "yellow" if share > 0.5 else "green"
    bar = Text("█" * filled, style=style) + Text("░" * (length - filled), style="dim")
    return bar + Text(f" {gpu.used_gb:4.1f}/{gpu.memory_gb:<3.0f}")


def _details(machine: MachineStatus) -> Table:
    """Says of each device that is not simply free who has it, and what is wrong with it."""
    table = columns("", "", wrapped=1)
    for device in machine.devices:
        for text in (*_use(device), *_troubles(device.gpu)):
            table.add_row(Text(device.typed or device.gpu.uuid, style="cyan"), text)
    for line in machine.survey.lost:
        text = Text(f"{line}; a restart may bring it back, lab doctor says more", style="red")
        table.add_row(Text("-"), text)
    return table


def _use(device: DeviceStatus) -> Iterator[Text]:
    if device.holder is not None:
        line = Text(device.holder.describe())
        silent = _silence(device)
        if silent:
            line.append(f", which has shown no life for {silent}", style="yellow")
        yield line
    elif device.state in {"in use", "closed"}:
        named = ", ".join(_process_names(device.gpu))
        yield Text(device.why + (f": {named}" if named else ""))


def _silence(device: DeviceStatus) -> str:
    age = time.time() - (device.heartbeat or time.time())
    return format_duration(age) if age > _SILENT_AFTER_S else ""


def _process_names(gpu: Gpu) -> list[str]:
    import psutil

    names = []
    for process in gpu.processes or ():
        try:
            names.append(psutil.Process(process.pid).name())
        except psutil.Error:  # another container's, or gone
            continue
    return names


def _troubles(gpu: Gpu) -> Iterator[Text]:
    if gpu.parent_uuid is not None:
        return
    if gpu.ecc_errors:
        yield Text(f"{gpu.ecc_errors} uncorrected memory errors: lab doctor", style="red")
    held_down = [each for each in gpu.throttle or () if "thermal" in each or "brake" in each]
    if held_down:
        yield Text(f"slowed down: {', '.join(held_down)}", style="yellow")


def _waiting(machine: MachineStatus) -> list[Text]:
    typed = {device.gpu.uuid: device.typed for device in machine.devices}
    lines = []
    for number, owner in enumerate(machine.waiting, 1):
        places = [typed[uuid] or "-" for uuid in owner.uuids if uuid in typed]
        wants = f"{owner.count} of {', '.join(places)}" if places else f"{owner.count}"
        lines.append(Text(f"{number}. {owner.describe()}, for {wants}"))
    return lines


def _rest(machine: MachineStatus) -> Table:
    table = columns("", "", wrapped=1)
    load = f", load {machine.load:.1f}" if machine.load is not None else ""
    cores = f"{machine.usable_cores} core{'s' if machine.usable_cores != 1 else ''}"
    of = f" of {machine.cores} may be used" if machine.cores != machine.usable_cores else ""
    table.add_row(Text("CPU", style="bold"), Text(f"{cores}{of}{load}"))
    memory = f"{machine.memory_free_gb:.1f} of {machine.memory_gb:.1f} GB free"
    table.add_row(Text("memory", style="bold"), Text(memory))
    disk = f"{machine.disk_free_gb:.0f} of {machine.disk_gb:.0f} GB free for {machine.disk_folder}/"
    table.add_row(Text("disk", style="bold"), Text(disk))
    return table


def _row(machine: MachineStatus) -> dict[str, Any]:
    seen = machine.survey
    return {
        "driver": seen.driver,
        "cuda_driver": seen.cuda_driver,
        "problem": dataclasses.asdict(seen.problem) if seen.problem is not None else None,
        "lost": list(seen.lost),
        "devices": [
            {
                **dataclasses.asdict(device.gpu),
                "device": device.typed,
                "state": device.state,
                "why": device.why,
                "lease": device.holder
                and {**_owner_row(device.holder), "heartbeat": device.heartbeat},
            }
            for device in machine.devices
        ],
        "mig_parents": [dataclasses.asdict(parent) for parent in seen.parents],
        "waiting": [_owner_row(owner) for owner in machine.waiting],
        "lease_folder": str(machine.lease_folder),
        "cores": machine.cores,
        "usable_cores": machine.usable_cores,
        "load": machine.load,
        "memory_gb": round(machine.memory_gb, 2),
        "memory_free_gb": round(machine.memory_free_gb, 2),
        "disk_gb": round(machine.disk_gb, 2),
        "disk_free_gb": round(machine.disk_free_gb, 2),
    }


def _owner_row(owner: Owner) -> dict[str, Any]:
    row = dataclasses.asdict(owner)
    del row["token"]
    return row
