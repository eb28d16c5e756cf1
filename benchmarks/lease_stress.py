"""Whether GPU leases hold when many processes fight for few GPUs and are killed at random.

    python benchmarks/lease_stress.py [--processes 50] [--seconds 20] [--kills-per-s 10]

Three GPUs of a stub driver; most processes want one, every fifth wants two. Each gets its GPUs as
a run does, by choosing, queueing, locking and looking again, keeps them for a moment, and starts
over. Half of the processes live to the end; the other half is killed at random with SIGKILL, some
of them while they hold a GPU, and replaced.

The witness knows nothing of leases: every process appends what it got and gave back, and the killer
whom it kills, to one log with the machine's monotonic clock. From the log: no two hold one GPU at a
time, everyone who lived to the end had a turn, and at last one process can have all three at once.
Needs a C compiler, Linux, and nothing else.
"""

import argparse
import multiprocessing
import os
import random
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # for the stub, which lives with the tests

from labcore.devices import DeviceRequest, acquire, release_all
from labcore.errors import RequirementError
from labcore.plugin import Requires
from tests.stub_nvml import SCENARIOS, Stub, build, compiler

NUM_GPUS = 3
POLL_S = 0.02
HOLD_S = (0.005, 0.06)
"""How long a process keeps its GPUs: between these."""
EVERY_WANTS_TWO = 5
DIES_HOLDING = 0.1
"""Share of its turns in which a mortal process is killed while it holds a GPU."""
NEEDS_NOTHING = Requires()
Event = tuple[float, str, int, str]
"""Clock, what, process, and a GPU or seconds."""


@dataclass(kw_only=True)
class Report:
    """What the log says."""

    grants: int = 0
    kills: int = 0
    killed_holding: int = 0
    double_holders: list[str] = field(default_factory=list)
    refused: int = 0
    starved: list[int] = field(default_factory=list)
    """Processes that lived to the end and had no turn."""
    turns: list[int] = field(default_factory=list)
    """Turns of each process that lived to the end."""
    waits_s: list[float] = field(default_factory=list)
    all_free_at_the_end: bool = False

    @property
    def ok(self) -> bool:
        """Whether every promise was kept."""
        broken = self.double_holders or self.starved or self.refused
        return not broken and self.all_free_at_the_end and self.grants > 0

    def lines(self) -> Iterator[str]:
        """Yields the figures."""
        waits = sorted(self.waits_s)
        yield f"grants                    {self.grants}"
        yield f"killed                    {self.kills}, {self.killed_holding} while holding a GPU"
        yield f"two holders of one GPU    {len(self.double_holders)}"
        yield f"refused before their time {self.refused}"
        yield f"lived and had no turn     {len(self.starved)} of {len(self.turns)}"
        yield (
            f"turns of those            min {min(self.turns)}, median "
            f"{statistics.median(self.turns):g}, max {max(self.turns)}"
        )
        yield (
            f"wait for a turn, s        min {waits[0]:.3f}, median {statistics.median(waits):.3f}, "
            f"max {waits[-1]:.3f}"
        )
        yield f"all GPUs free at the end  {'yes' if self.all_free_at_the_end else 'NO'}"
        yield from self.double_holders


class Log:
    """One file that many processes append to, a line at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def add(self, what: str, pid: int, about: str = "") -> None:
        """Appends an event of now."""
        os.write(self._descriptor, f"{time.monotonic():.6f} {what} {pid} {about}\n".encode())

    def events(self) -> list[Event]:
        """Returns everything, oldest first."""
        events = []
        for line in self.path.read_text().splitlines():
            clock, what, pid, *about = line.split(" ", 3)
            events.append((float(clock), what, int(pid), about[0] if about else ""))
        return sorted(events)


def work(log: Log, number: int, *, is_mortal: bool) -> None:
    """The life of a process: get GPUs, keep them for a moment, give them back, again."""
    pid = os.getpid()
    chance = random.Random(pid)
    count = 2 if number % EVERY_WANTS_TWO == 0 else 1
    request = DeviceRequest.read("cuda", count=count, wait="10m")
    while True:
        began = time.monotonic()
        try:
            device = acquire(request, NEEDS_NOTHING, 1, run=f"stress/{number}", poll_s=POLL_S)
        except RequirementError as error:
            log.add("refused", pid, str(error).splitlines()[0])
            continue
        log.add("waited", pid, f"{time.monotonic() - began:.6f}")
        for uuid in device.uuids:
            log.add("got", pid, uuid)
        time.sleep(chance.uniform(*HOLD_S))
        if is_mortal and chance.random() < DIES_HOLDING:
            log.add("killed", pid)
            os.kill(pid, signal.SIGKILL)
        for uuid in device.uuids:
            log.add("gave", pid, uuid)
        release_all()


def fight(
    folder: Path, *, processes: int, seconds: float, kills_per_s: float, seed: int = 0
) -> Report:
    """Lets processes fight, and reads the log.

    Args:
        folder: Empty; gets the stub driver, the leases and the log.
        processes: How many fight at a time.
        seconds: How long.
        kills_per_s: How many of the mortal half are killed.
        seed: Of the killer's choices.
    """
    stub = Stub(library=build(folder / "lib"), scenario=folder / "scenario.txt")
    stub.write(SCENARIOS["three_plain"])
    leases = {"LAB_LEASE_DIR": str(folder / "leases"), "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
    log = Log(folder / "log.txt")
    context = multiprocessing.get_context("fork")

    def start(number: int) -> Any:
        child = context.Process(
            target=_in_stub,
            args=(stub, leases, lambda: work(log, number, is_mortal=number % 2 == 1)),
            daemon=True,
        )
        child.start()
        return child

    chance = random.Random(seed)
    fighters = {number: start(number) for number in range(processes)}
    lasting = {number: child.pid for number, child in fighters.items() if number % 2 == 0}
    mortal = [number for number in fighters if number not in lasting]
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        time.sleep(min(chance.expovariate(kills_per_s), max(0.0, deadline - time.monotonic())))
        victim = fighters[chance.choice(mortal)]
        if victim.is_alive():
            log.add("killed", victim.pid)
            victim.kill()
        for number in mortal:
            if not fighters[number].is_alive():
                fighters[number].join()
                fighters[number] = start(number)
    for child in fighters.values():
        log.add("ended", child.pid)
        child.kill()
    for child in fighters.values():
        child.join()
    report = read_log(log.events(), set(lasting.values()))
    everything = context.Process(target=_in_stub, args=(stub, leases, _take_all))
    everything.start()
    everything.join()
    report.all_free_at_the_end = everything.exitcode == 0
    return report


def read_log(events: list[Event], lasting: set[int]) -> Report:
    """Replays the log: who held which GPU at each moment.

    A killed process holds its GPUs no longer than to the moment before the signal was sent, as far
    as the log can know; so two holders are never reported by mistake.

    Args:
        events: Oldest first.
        lasting: Processes that nobody killed before the end.
    """
    report = Report()
    holders: dict[str, int] = {}
    turns = dict.fromkeys(lasting, 0)
    for clock, what, pid, about in events:
        if what == "got":
            if about in holders:
                report.double_holders.append(
                    f"at {clock:.3f} {pid} got {about}, which {holders[about]} held"
                )
            holders[about] = pid
        elif what == "gave":
            if holders.pop(about, None) != pid:
                report.double_holders.append(f"at {clock:.3f} {pid} gave {about}, held by another")
        elif what in {"killed", "ended"}:
            held = [uuid for uuid, holder in holders.items() if holder == pid]
            report.kills += what == "killed"
            report.killed_holding += what == "killed" and bool(held)
            for uuid in held:
                del holders[uuid]
        elif what == "waited":
            report.grants += 1
            report.waits_s.append(float(about))
            if pid in turns:
                turns[pid] += 1
        elif what == "refused":
            report.refused += 1
    report.turns = list(turns.values())
    report.starved = [pid for pid, count in turns.items() if not count]
    return report


def _take_all() -> None:
    request = DeviceRequest.read("cuda", count=NUM_GPUS)
    device = acquire(request, NEEDS_NOTHING, 1, run="stress/all")
    assert len(device.uuids) == NUM_GPUS


def _in_stub(stub: Stub, environment: dict[str, str], body: Callable[[], None]) -> None:
    """Runs ``body`` in a child made by fork, with the stub as its driver."""
    os.environ.update(environment | {"LAB_STUB_NVML": str(stub.scenario)})
    os.environ.pop("CUDA_VISIBLE_DEVICES", None)
    stub.load()
    body()


def main() -> int:
    """Fights and prints; fails when a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--processes", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--kills-per-s", type=float, default=10.0)
    options = parser.parse_args()
    if compiler() is None:
        print("this needs Linux and a C compiler (cc), to build the stub of NVIDIA's driver")
        return 3
    with tempfile.TemporaryDirectory() as folder:
        print(
            f"{options.processes} processes, {NUM_GPUS} GPUs of a stub driver, "
            f"{options.seconds:g} s on {os.cpu_count()} cores"
        )
        report = fight(
            Path(folder),
            processes=options.processes,
            seconds=options.seconds,
            kills_per_s=options.kills_per_s,
        )
        print("\n".join(report.lines()))
    return 0 if report.ok else 1


if __name__ == "__main__":
    sys.exit(main())
