"""How long ``lab doctor`` takes beside ``python -m torch.utils.collect_env``.

    python benchmarks/doctor_fast.py [--repeats 5]

Both look at the same machine and take turns, so that a slow minute slows both; figures are medians,
by the clock and in processor time. The peer imports torch and prints facts; the doctor imports no
framework and judges them. Then the facts that take longest to find.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[1]
TARGET_S = 1.0
"""What the fast tier may take by the clock."""
DOCTOR = "lab doctor"
PEER = "python -m torch.utils.collect_env"
COMMANDS = {
    DOCTOR: ("-m", "labcore", "doctor"),
    PEER: ("-m", "torch.utils.collect_env"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5, help="times that each command is run")
    options = parser.parse_args()
    for words in COMMANDS.values():
        take(words)  # fills the disk's cache and writes bytecode
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in COMMANDS}
    for _ in range(options.repeats):
        for name, words in COMMANDS.items():
            times[name].append(take(words))
    console = Console(width=100)
    console.print(times_table(times))
    console.print(gatherers_table())


def take(words: tuple[str, ...]) -> tuple[float, float]:
    """Runs a command; returns seconds by the clock and of the processor."""
    before_s = children_s()
    start = time.perf_counter()
    quiet = subprocess.DEVNULL
    done = subprocess.run(
        [sys.executable, *words], cwd=ROOT, stdout=quiet, stderr=quiet, check=False
    )
    assert done.returncode in {0, 3}, done  # 3: the doctor found something
    return time.perf_counter() - start, children_s() - before_s


def children_s() -> float:
    """Processor seconds of all the processes started so far."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def times_table(times: dict[str, list[tuple[float, float]]]) -> Table:
    """Makes a row for each command."""
    num_repeats = len(times[DOCTOR])
    table = Table(
        title=f"median of {num_repeats}, load {os.getloadavg()[0]:.1f}; target {TARGET_S} s",
        title_justify="left",
    )
    table.add_column("command")
    for header in ("clock s", "best s", "processor s", "x collect_env"):
        table.add_column(header, justify="right")
    peer_s = statistics.median(s for s, _ in times[PEER])
    for name, each in times.items():
        median_s = statistics.median(s for s, _ in each)
        slow = name == DOCTOR and median_s > TARGET_S
        table.add_row(
            name,
            f"[{'red' if slow else 'none'}]{median_s:.3f}",
            f"{min(s for s, _ in each):.3f}",
            f"{statistics.median(s for _, s in each):.3f}",
            f"{median_s / peer_s:.3f}",
        )
    return table


def gatherers_table(top: int = 6) -> Table:
    """Makes a row for each of the gatherers that take longest, in a process that is warm."""
    from labcore.doctor.gather import GATHERERS

    taken: dict[str, float] = {}
    for gather in GATHERERS:
        start = time.perf_counter()
        gather()
        taken[gather.__name__] = time.perf_counter() - start
    table = Table(title=f"finding facts: {sum(taken.values()):.3f} s", title_justify="left")
    table.add_column("facts")
    table.add_column("ms", justify="right")
    for name, seconds in sorted(taken.items(), key=lambda item: -item[1])[:top]:
        table.add_row(name, f"{seconds * 1000:.1f}")
    return table


if __name__ == "__main__":
    main()
