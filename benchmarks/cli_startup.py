"""How long the commands that only look take: ``lab --help``, ``lab list``, ``lab show musicvae``.

    python benchmarks/cli_startup.py [--repeats 9]

The peers are an interpreter that does nothing and one that imports torch, which is what a command
line that imports its framework waits for. All take turns, so that a slow minute slows all; figures
are medians, by the clock and in processor time. Then the imports of each command that cost most by
themselves, as ``python -X importtime`` sees them: it slows them, so read the shares.
"""

import argparse
import os
import re
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[1]
TARGET_S = 0.3
"""What the commands may take by the clock on a quiet machine of two cores."""
NOTHING = "python -c pass"
TORCH = 'python -c "import torch"'
COMMANDS = {
    "lab --help": ("-m", "labcore", "--help"),
    "lab list": ("-m", "labcore", "list"),
    "lab show musicvae": ("-m", "labcore", "show", "musicvae"),
    NOTHING: ("-c", "pass"),
    TORCH: ("-c", "import torch"),
}
_IMPORT = re.compile(r"import time:\s+(\d+) \|\s+\d+ \| +(\S+)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=9, help="times that each command is run")
    parser.add_argument("--no-torch", action="store_true", help="leave out the slow peer")
    options = parser.parse_args()
    chosen = {
        name: words for name, words in COMMANDS.items() if not options.no_torch or name != TORCH
    }
    for words in chosen.values():
        take(words)  # fills the disk's cache and writes bytecode
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in chosen}
    for _ in range(options.repeats):
        for name, words in chosen.items():
            times[name].append(take(words))
    console = Console(width=100)
    console.print(times_table(times))
    for name, words in chosen.items():
        if name.startswith("lab"):
            console.print(imports_table(name, words))


def take(words: tuple[str, ...]) -> tuple[float, float]:
    """Runs a command; returns seconds by the clock and of the processor."""
    before_s = children_s()
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, *words], cwd=ROOT, stdout=subprocess.DEVNULL, check=True, env=environment()
    )
    return time.perf_counter() - start, children_s() - before_s


def children_s() -> float:
    """Processor seconds of all the processes started so far."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def environment() -> dict[str, str]:
    """The environment without plugins under work, which are no part of what is measured."""
    return {name: value for name, value in os.environ.items() if name != "LAB_PLUGINS"}


def times_table(times: dict[str, list[tuple[float, float]]]) -> Table:
    """Makes a row for each command."""
    num_repeats = len(times[NOTHING])
    table = Table(
        title=f"median of {num_repeats}, load {os.getloadavg()[0]:.1f}; target {TARGET_S} s",
        title_justify="left",
    )
    table.add_column("command")
    for header in ("clock s", "best s", "processor s", "x pass", "x torch"):
        table.add_column(header, justify="right")
    medians = {name: statistics.median(s for s, _ in each) for name, each in times.items()}
    for name, each in times.items():
        median_s = medians[name]
        slow = name.startswith("lab") and median_s > TARGET_S
        torch = f"{median_s / medians[TORCH]:.3f}" if TORCH in medians else "-"
        table.add_row(
            name,
            f"[{'red' if slow else 'none'}]{median_s:.3f}",
            f"{min(s for s, _ in each):.3f}",
            f"{statistics.median(s for _, s in each):.3f}",
            f"{median_s / medians[NOTHING]:.1f}",
            torch,
        )
    return table


def imports_table(name: str, words: tuple[str, ...], top: int = 5) -> Table:
    """Makes a row for each of the modules whose own code takes longest to import."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        env=environment(),
    )
    own = [(int(m[1]), m[2]) for m in map(_IMPORT.match, done.stderr.splitlines()) if m]
    total = sum(micros for micros, _ in own)
    table = Table(title=f"{name}: {len(own)} modules", title_justify="left")
    table.add_column("imported")
    table.add_column("ms itself", justify="right")
    table.add_column("share", justify="right")
    for micros, module in sorted(own, reverse=True)[:top]:
        table.add_row(module, f"{micros / 1000:.1f}", f"{micros / total:.0%}")
    packages: dict[str, int] = {}
    for micros, module in own:
        package = module.partition(".")[0]
        packages[package] = packages.get(package, 0) + micros
    table.add_section()
    for package, micros in sorted(packages.items(), key=lambda row: -row[1])[:top]:
        table.add_row(f"all of {package}", f"{micros / 1000:.1f}", f"{micros / total:.0%}")
    return table


if __name__ == "__main__":
    main()
