"""Reads a run's numbers, as a notebook would: ``python read_run.py [RUN]``."""

import json
import sys
from pathlib import Path

from labcore.record.store import find_run


def rows(folder: Path, phase: str) -> list[dict[str, float]]:
    """Returns the numbers of a phase (train, val, test or perf), one row for each step."""
    lines = (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    return [{"step": r["step"], **r["values"]} for r in records if r["phase"] == phase]


if __name__ == "__main__":
    run = find_run(Path("runs"), sys.argv[1] if len(sys.argv) > 1 else "latest")
    print(run.id, run.status.observed_state())
    for row in rows(run.folder, "val"):
        print(row)
