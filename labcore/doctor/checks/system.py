"""Checks of the operating system and of what it leaves to a process."""

# ruff: noqa: S108  # /dev/shm is spoken about, not written to

from collections.abc import Iterator, Mapping
from typing import Any

from labcore.doctor.check import check
from labcore.doctor.finding import Finding, ok, say, warning
from labcore.doctor.machine import Machine
from labcore.doctor.tables import parse_version

_LEAST_MEMORY_GB = 4.0
_LEAST_SHM_GB = 1.0
_LOW_DISK_GB = 10.0
_FULL_DISK_GB = 1.0
_WHEEL_GLIBC = "2.28"
"""torch's wheels from 2.6 on are manylinux_2_28."""
_LEAST_OPEN_FILES = {"linux": 1024, "macos": 256}
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@check("system", "system", "the machine")
def _system(machine: Machine) -> Finding:
    parts = [machine.os_name or machine.os or "unknown system"]
    cores = machine.usable_cores or machine.cores
    if cores:
        quota = machine.cores is not None and cores < machine.cores
        parts.append(f"{cores} of {machine.cores} cores" if quota else f"{cores} cores")
    memory = machine.usable_memory_gb
    if memory:
        parts.append(f"{memory:.0f} GB")
    if machine.container:
        parts.append(f"in a container ({machine.container})")
    if machine.is_cluster:
        parts.append(f"in a job of {machine.is_cluster}")
    return ok(", ".join(parts), kernel=machine.kernel, architecture=machine.architecture)


@check("glibc", "system", "C library against wheels", "glibc")
def _glibc(machine: Machine, glibc: str) -> Finding | None:
    if machine.os != "linux":
        return None
    if parse_version(glibc) >= parse_version(_WHEEL_GLIBC):
        return ok(f"glibc {glibc} takes today's wheels", glibc=glibc)
    return warning(
        f"glibc {glibc} is older than today's wheels want ({_WHEEL_GLIBC})",
        cause="pip finds no wheel of torch 2.6 or newer here and would build from source",
        fix="use a newer distribution or a container (Debian 10, Ubuntu 20.04, RHEL 8 or newer), "
        'or an older torch: pip install "torch<2.6"',
        glibc=glibc,
    )


@check("threads", "system", "thread counts against cores", "usable_cores")
def _threads(machine: Machine, usable: int) -> Finding | None:
    for name in _THREAD_VARIABLES:
        value = machine.variable(name)
        if value.isdigit() and int(value) > usable:
            return warning(
                f"{name}={value}, but this process may use {usable} cores",
                cause="threads beyond the cores wait for each other: many times slower than fewer",
                fix=f"unset {name} (the lab chooses), or export {name}={usable}",
                usable_cores=usable,
                cores=machine.cores,
            )
    if machine.cores is not None and usable < machine.cores:
        text = f"{usable} of {machine.cores} cores are ours; the lab starts as many threads"
        return ok(text, usable_cores=usable, cores=machine.cores)
    return ok(f"threads fit the {usable} cores", usable_cores=usable)


@check("memory", "system", "memory and its limit", "usable_memory_gb")
def _memory(machine: Machine, memory: float) -> Finding | None:
    evidence: dict[str, Any] = {"memory_gb": machine.memory_gb, "limit_gb": machine.memory_limit_gb}
    if memory >= _LEAST_MEMORY_GB:
        return ok(f"{memory:.0f} GB of memory", **evidence)
    return warning(
        f"{memory:.1f} GB of memory is little",
        cause="a framework alone takes about 1 GB; a process that runs out is killed without a "
        "message",
        fix="raise the container's limit (docker run --memory 8g)"
        if memory == machine.memory_limit_gb
        else "use preset=smoke and a small batch",
        **evidence,
    )


@check("shm", "system", "shared memory for loader workers", "shm_gb")
def _shm(machine: Machine, shm: float) -> Finding | None:
    if shm >= _LEAST_SHM_GB:
        return ok(f"/dev/shm has {shm:.1f} GB", shm_gb=shm)
    return warning(
        f"/dev/shm has only {shm * 1000:.0f} MB",
        cause="DataLoader workers pass batches through it; when it is full they die of a bus error",
        fix="start the container with --ipc=host or --shm-size=8g"
        if machine.container
        else "sudo mount -o remount,size=8G /dev/shm, or use no loader workers",
        shm_gb=shm,
    )


@check("disk", "system", "space where the lab writes", "disk_free_gb")
def _disk(machine: Machine, folders: Mapping[str, float]) -> Finding | None:
    folder, free = min(folders.items(), key=lambda item: item[1])
    if free >= _LOW_DISK_GB:
        return ok(f"at least {free:.0f} GB free where the lab writes", free_gb=dict(folders))
    full = free < _FULL_DISK_GB
    return say(
        "failure" if full else "warning",
        f"{free:.1f} GB left for {folder}",
        cause="checkpoints and datasets no longer fit: a run would fail"
        if full
        else "an environment with both frameworks takes 8 GB, a long run several",
        fix="free some space (pip cache purge; old folders under runs/), or point elsewhere: "
        "LAB_DATA_DIR for datasets, TMPDIR for temporary files",
        free_gb=dict(folders),
    )


@check("open-files", "system", "limit of open files", "open_files")
def _open_files(machine: Machine, allowed: int) -> Finding | None:
    least = _LEAST_OPEN_FILES.get(machine.os or "", 0)
    if allowed < 0 or allowed >= least:
        return ok("enough open files allowed", open_files=allowed)
    return warning(
        f"a process may open only {allowed} files",
        cause='loader workers share tensors through files: "Too many open files" comes soon',
        fix=f"ulimit -n {max(least, 4096)}",
        open_files=allowed,
    )


@check("encoding", "system", "encoding of file names", "encoding")
def _encoding(machine: Machine, encoding: str) -> Finding | None:
    if encoding.lower().replace("-", "") == "utf8":
        return ok("file names are UTF-8", encoding=encoding)
    return warning(
        f"file names are {encoding}, not UTF-8",
        cause="names and texts beyond that alphabet cannot be read or written",
        fix="export PYTHONUTF8=1 (Windows: setx PYTHONUTF8 1), or LC_ALL=C.UTF-8",
        encoding=encoding,
    )


@check("wsl", "system", "Windows Subsystem for Linux", "is_wsl")
def _wsl(machine: Machine, _: bool) -> Iterator[Finding]:
    yield ok(
        "this is WSL: the driver is that of Windows; GPU processes and their memory cannot be "
        "listed",
        kernel=machine.kernel,
        sources=("tensorflow docs install/pip",),
    )
    if machine.kernel_driver:
        yield warning(
            "a Linux driver of NVIDIA is installed inside WSL",
            cause="it hides the libcuda of Windows under /usr/lib/wsl/lib, which is the only one "
            "that works",
            fix='sudo apt purge "nvidia-driver-*" "libnvidia-compute-*"; then wsl --shutdown from '
            "Windows",
            kernel_driver=machine.kernel_driver,
        )
