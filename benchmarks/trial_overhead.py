"""What a trial of a sweep costs beside its work: from the warm worker, and as a fresh process.

    python benchmarks/trial_overhead.py [--trials 5]

Runs ``musicvae preset=smoke`` as trials one after the other, both ways in turn. ``to the first
metric`` is from the request to the first record of the training. ``beside the task`` is what the
whole trial takes less the time inside of the task, as the run itself measured it. A fresh process
for each trial is what ``wandb agent`` does. The worker's own start, once a sweep, has its own line.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parents[1]))

from labcore.sweeps.agents import LocalStarter
from labcore.sweeps.trial import TrialRequest

OVERRIDES = ("plugin=musicvae", "preset=smoke", "device=cpu")
ROWS = ("to the first metric", "inside the task", "beside the task", "in all")


def take(starter: LocalStarter, folder: Path, number: int) -> dict[str, float]:
    """Runs one trial; returns what its parts took, in seconds."""
    request = TrialRequest(
        sweep="overhead",
        number=number,
        overrides=OVERRIDES,
        folder=folder / "runs" / str(number),
        log=folder / f"{number}.log",
        lock=folder / f"{number}.lock",
    )
    began = time.time()
    trial = starter.start(request)
    while not trial.poll():
        time.sleep(0.005)
    took = time.time() - began
    result = trial.result()
    if result.state != "finished" or result.run is None:
        sys.exit(f"a trial {result.state}: {result.error}")
    lines = (result.run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    timing = json.loads((result.run / "timing.json").read_text(encoding="utf-8"))
    work = timing["total_s"]
    return {
        "to the first metric": json.loads(lines[0])["time"] - began,
        "inside the task": work,
        "beside the task": took - work,
        "in all": took,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=5, help="trials each way")
    options = parser.parse_args()
    rows: dict[str, list[dict[str, float]]] = {"warm": [], "fresh": []}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        starters = {
            kind: LocalStarter(
                plugin="musicvae",
                overrides=OVERRIDES,
                framework="torch",
                threads=1,
                log=folder / "worker.log",
                warm=kind == "warm",
            )
            for kind in rows
        }
        # The first of each fills the caches; the warm one waits for the worker's imports.
        first = {kind: take(starters[kind], folder, n) for n, kind in enumerate(starters)}
        for number in range(options.trials):
            for offset, kind in enumerate(rows, 2):
                rows[kind].append(take(starters[kind], folder, 2 * number + offset))
        for starter in starters.values():
            starter.close()
    print(f"seconds, median of {options.trials}, load {os.getloadavg()[0]:.1f}")
    print(f"{'':22}{'warm':>8}{'fresh':>8}{'fresh / warm':>14}")
    for row in ROWS:
        warm, fresh = (statistics.median(each[row] for each in rows[kind]) for kind in rows)
        print(f"{row:22}{warm:8.2f}{fresh:8.2f}{fresh / warm:14.2f}")
    warm_s = statistics.median(each["in all"] for each in rows["warm"])
    print(f"start of the worker, once: {first['warm']['in all'] - warm_s:.2f}")


if __name__ == "__main__":
    main()
