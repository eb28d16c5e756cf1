"""Realistic results of a sweep, of any size, for tests and for looking at the page."""

import math
from pathlib import Path
from random import Random
from typing import Any

from labcore.sweeps.report import Parameter, SweepResults, TrialRow

BRACKETS = (3, 9)
SOURCE = """{
  "method": "bayes",
  "metric": {"name": "val/loss", "goal": "minimize"},
  "parameters": {
    "optimizer.lr": {"distribution": "log_uniform_values", "min": 1e-4, "max": 0.1},
    "loss.beta": {"min": 0.0, "max": 1.0},
    "model.dropout": {"values": [0.0, 0.1, 0.3]},
    "model.decoder_size": {"distribution": "q_uniform", "min": 16, "max": 256, "q": 16},
    "model": {"values": ["flat", "hierarchical"]},
    "bars": {"value": 2}
  },
  "early_terminate": {"type": "hyperband", "min_iter": 3}
}
"""

PARAMETERS = (
    Parameter(name="optimizer.lr", low=1e-4, high=0.1, log=True),
    Parameter(name="loss.beta", low=0.0, high=1.0),
    Parameter(name="model.dropout", choices=(0.0, 0.1, 0.3)),
    Parameter(name="model.decoder_size", low=16, high=256),
    Parameter(name="model", choices=("flat", "hierarchical")),
    Parameter(name="bars", choices=(2,)),
)


def sample_sweep(
    num_trials: int, *, runs: Path = Path("runs"), seed: int = 0, **changes: Any
) -> SweepResults:
    """Makes a sweep in which the learning rate decides and one trial in forty goes wrong."""
    rng = Random(seed)
    trials: list[TrialRow] = []
    for number in range(num_trials):
        trials.append(_trial(number, rng, trials, runs))
    fields: dict[str, Any] = {
        "name": "musicvae-20260102-030405",
        "plugin": "musicvae",
        "metric": "val/loss",
        "goal": "minimize",
        "parameters": PARAMETERS,
        "trials": trials,
        "method": "bayes (TPE)",
        "overrides": ("preset=laptop",),
        "brackets": BRACKETS,
        "facts": (("early stops", "hyperband, min_iter 3, eta 3"), ("agents", "2")),
        "source": SOURCE,
        "commands": (("how it stands", "lab sweep status musicvae-20260102-030405"),),
    }
    return SweepResults(**{**fields, **changes})


def _trial(number: int, rng: Random, before: list[TrialRow], runs: Path) -> TrialRow:
    # Later trials are drawn nearer to what is good, as a search does.
    width = 1.5 if number < 10 else 0.6
    lr = 10 ** min(max(rng.gauss(-2.3, width), -4), -1)
    values = {
        "optimizer.lr": lr,
        "loss.beta": rng.random(),
        "model.dropout": rng.choice([0.0, 0.1, 0.3]),
        "model.decoder_size": 16 * rng.randint(1, 16),
        "model": rng.choice(["flat", "hierarchical"]),
        "bars": 2,
    }
    floor = 30 + 6 * (math.log10(lr) + 2.3) ** 2 + 3 * values["loss.beta"]
    floor += 5 * (values["model"] == "hierarchical") - values["model.decoder_size"] / 100
    curve: list[tuple[int, int, float]] = []
    state, stopped_by, error = "completed", "", ""
    for log in range(1, 28):
        value = floor + 60 * math.exp(-log / 4) + rng.gauss(0, 0.4)
        if number % 40 == 7:
            value *= 1.8**log
        curve.append((log, 50 * log, value))
        if number % 40 == 7 and log == 2:
            state, stopped_by = "diverged", "the metric is not finite at log 3"
            break
        if log in BRACKETS and number > 3:
            rivals = sorted(
                min(v for _, _, v in other.curve[:log])
                for other in before
                if len(other.curve) >= log
            )
            if min(v for _, _, v in curve) > rivals[len(rivals) // 3]:
                state, stopped_by = "stopped", f"hyperband at {log} logs"
                break
    if number % 40 == 11:
        curve, state, stopped_by = [], "failed", ""
        error = "RuntimeError: CUDA out of memory. Tried to allocate 2.00 GiB"
    losses = [value for _, _, value in curve]
    return TrialRow(
        number=number,
        state=state,
        values=values,
        metric=losses[-1] if losses else None,
        best_metric=min(losses) if losses else None,
        curve=curve,
        stopped_by=stopped_by,
        seconds=3.0 + 2.1 * len(curve),
        run_folder=runs / "musicvae" / f"musicvae-20260102-030405-{number:04}",
        error=error,
    )
