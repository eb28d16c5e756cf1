"""What a search is worth: bayes against random at equal budget, and what hyperband saves.

    python benchmarks/sweep_search.py [--seeds 10] [--sampler tpe] [--curves FILE]

Both use the local engine's own parts: its distributions, its suggestions, its rule for early stops.
The tasks are Branin and Hartmann6 (minima known), a family of noisy learning curves, and a small
music VAE on folk melodies (see ``_search_training.py``; its 200 trainings take ten minutes on one
core, and ``--curves FILE`` keeps them). ``LAB_DATA_DIR`` names the folder with the folk melodies.

The regret is the distance of the best trial from the best there is. Figures are medians over the
seeds, with 95 % bootstrap intervals; seed by seed, both sides start from the same first trials.
A ratio of ``inf`` means that bayes found the very best options of a grid.
"""

import argparse
import math
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from labcore.sweeps.distributions import Distribution, IntUniform, Uniform
from labcore.sweeps.hyperband import Hyperband
from labcore.sweeps.local.record import Record
from labcore.sweeps.local.suggest import Sampler, Suggester
from labcore.sweeps.local.verdict import judge
from labcore.sweeps.sweep import Method, Metric, Sweep

RULE = Hyperband(min_iter=3, eta=3)
NUM_LOGS = 27
NUM_RESAMPLES = 2000


@dataclass(frozen=True, kw_only=True)
class Task:
    """Something to search.

    Attributes:
        curve: From values and a trial's number to the metric at each log; one log for a function.
        truth: From values to what the search is really after, without noise.
        best: The least ``truth`` there is.
    """

    name: str
    parameters: Mapping[str, Distribution]
    num_trials: int
    curve: Callable[[Mapping[str, Any], int], Sequence[float]]
    truth: Callable[[Mapping[str, Any]], float]
    best: float


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a search came to: the regret of its best trial, and the logs it took."""

    regret: float
    num_logs: int


def search(
    task: Task, method: Method, seed: int, sampler: Sampler, rule: Hyperband | None = None
) -> Outcome:
    """Runs a sweep, one trial after the other, as the local engine would."""
    sweep = Sweep(
        name=task.name,
        method=method,
        metric=Metric(name="loss"),
        parameters=task.parameters,
        early_terminate=rule,
        raw={},
    )
    suggester = Suggester(sweep, seed=seed, sampler=sampler)
    records: list[Record] = []
    for number in range(task.num_trials):
        suggestion = suggester.suggest(number, records)
        others = [record.history for record in records]
        record = Record(
            number=number,
            values=suggestion.values,
            params=suggestion.params,
            folder=Path(),
            created=0.0,
            outcome="completed",
        )
        history: list[float] = []
        for value in task.curve(suggestion.values, number + 1000 * seed):
            history.append(value)
            if verdict := judge(sweep, history, others):
                record.outcome = verdict.outcome
                break
        record.history = history
        record.value = min((v for v in history if math.isfinite(v)), default=None)
        records.append(record)
    rivals = [r for r in records if r.value is not None and r.outcome != "diverged"]
    best = min(rivals, key=lambda record: record.value or 0.0)
    return Outcome(
        regret=task.truth(best.values) - task.best,
        num_logs=sum(len(record.history) for record in records),
    )


def branin(x: Mapping[str, Any]) -> float:
    """Branin's function on [-5, 10] x [0, 15]; its minimum is 0.397887."""
    bowl = x["y"] - 5.1 / (4 * math.pi**2) * x["x"] ** 2 + 5 / math.pi * x["x"] - 6
    return bowl**2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x["x"]) + 10


_ALPHA = (1.0, 1.2, 3.0, 3.2)
_A = (
    (10, 3, 17, 3.5, 1.7, 8),
    (0.05, 10, 17, 0.1, 8, 14),
    (3, 3.5, 1.7, 10, 17, 8),
    (17, 8, 0.05, 10, 0.1, 14),
)
_P = (
    (0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886),
    (0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991),
    (0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650),
    (0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381),
)


def hartmann6(x: Mapping[str, Any]) -> float:
    """Hartmann's function of six numbers in [0, 1]; its minimum is -3.32237."""
    point = [x[f"x{index}"] for index in range(6)]
    return -sum(
        alpha * math.exp(-sum(a * (v - p) ** 2 for a, v, p in zip(row, point, at, strict=True)))
        for alpha, row, at in zip(_ALPHA, _A, _P, strict=True)
    )


def floor_of(x: Mapping[str, Any]) -> float:
    """Where the learning curve of these options ends: best at lr 0.003, width 128, dropout 0.2."""
    lr = math.log10(x["lr"] / 0.003)
    width = math.log2(x["width"] / 128)
    return 0.2 + 0.15 * lr**2 + 0.02 * width**2 + 0.8 * (x["dropout"] - 0.2) ** 2


def noisy_curve(x: Mapping[str, Any], number: int) -> Iterator[float]:
    """A curve that falls slower the smaller the learning rate, with noise in each log.

    Small learning rates look worse early on than they are, so a rule that stops trials can err.
    """
    rng = Random(number)
    halving = 1 + 2 * max(0.0, math.log10(0.01 / x["lr"]))
    for log in range(1, NUM_LOGS + 1):
        yield floor_of(x) + 1.5 * 2 ** (-log / halving) + rng.gauss(0, 0.01)


def tasks(curves_file: Path | None) -> list[Task]:
    """All tasks; trains the music VAEs unless the file has them."""
    import _search_training as training

    print("training the music VAEs", flush=True)
    curves = training.curves(curves_file)
    print()

    def cell(x: Mapping[str, Any]) -> tuple[int, ...]:
        return tuple(x[name] for name in training.OPTIONS)

    finals = {
        key: min((v for v in curve if math.isfinite(v)), default=math.inf)
        for key, curve in curves.items()
    }
    return [
        Task(
            name="Branin, 2 numbers",
            parameters={"x": Uniform(min=-5, max=10), "y": Uniform(min=0, max=15)},
            num_trials=40,
            curve=lambda x, number: [branin(x)],
            truth=branin,
            best=0.39788736,
        ),
        Task(
            name="Hartmann6, 6 numbers",
            parameters={f"x{index}": Uniform(min=0, max=1) for index in range(6)},
            num_trials=80,
            curve=lambda x, number: [hartmann6(x)],
            truth=hartmann6,
            best=-3.32236801,
        ),
        Task(
            name="noisy learning curves",
            parameters={
                "lr": Uniform(min=1e-5, max=1, log=True),
                "width": IntUniform(min=16, max=512),
                "dropout": Uniform(min=0, max=0.8),
            },
            num_trials=40,
            curve=lambda x, number: list(noisy_curve(x, number)),
            truth=floor_of,
            best=0.2,
        ),
        Task(
            name="music VAE, folk melodies",
            parameters={
                name: IntUniform(min=0, max=len(values) - 1)
                for name, values in training.OPTIONS.items()
            },
            num_trials=40,
            curve=lambda x, number: curves[cell(x)],
            truth=lambda x: finals[cell(x)],
            best=min(finals.values()),
        ),
    ]


def interval(figure: Callable[[Sequence[int]], float], count: int) -> tuple[float, float]:
    """The 95 % bootstrap interval of a figure over resampled seeds."""
    rng = Random(0)
    drawn = sorted(
        figure([rng.randrange(count) for _ in range(count)]) for _ in range(NUM_RESAMPLES)
    )
    return drawn[round(0.025 * (NUM_RESAMPLES - 1))], drawn[round(0.975 * (NUM_RESAMPLES - 1))]


def _median(values: Sequence[float]) -> Callable[[Sequence[int]], float]:
    return lambda seeds: statistics.median([values[seed] for seed in seeds])


def _with_interval(values: Sequence[float], style: str) -> str:
    low, high = interval(_median(values), len(values))
    return f"{statistics.median(values):{style}} [{low:{style}}, {high:{style}}]"


def compare_methods(found: Sequence[Task], num_seeds: int, sampler: Sampler) -> None:
    """Prints the regret of bayes and of random at the same number of trials."""
    print(f"bayes ({sampler}) against random, equal trials: regret, {num_seeds} seeds\n")
    print(f"{'':26}{'trials':>7}{'random':>26}{'bayes':>26}{'ratio of medians':>24}{'wins':>7}")
    for task in found:
        regret = {
            method: [search(task, method, seed, sampler).regret for seed in range(num_seeds)]
            for method in ("random", "bayes")
        }

        def ratio(seeds: Sequence[int], regret: Mapping[str, list[float]] = regret) -> float:
            least = 1e-9  # a search may find the very best cell of a grid
            return max(_median(regret["random"])(seeds), least) / max(
                _median(regret["bayes"])(seeds), least
            )

        low, high = interval(ratio, num_seeds)
        point = ratio(range(num_seeds))
        pairs = zip(regret["bayes"], regret["random"], strict=True)
        wins = sum(bayes < random for bayes, random in pairs)
        print(
            f"{task.name:26}{task.num_trials:7}"
            f"{_with_interval(regret['random'], '.3f'):>26}"
            f"{_with_interval(regret['bayes'], '.3f'):>26}"
            f"{f'{_short(point)} [{_short(low)}, {_short(high)}]':>24}{wins:>4}/{num_seeds}",
            flush=True,
        )
    print()


def _short(ratio: float) -> str:
    return f"{ratio:.1f}" if ratio < 1e4 else "inf"


def compare_rule(found: Sequence[Task], num_seeds: int, sampler: Sampler) -> None:
    """Prints what hyperband saves, and what it costs in the best trial."""
    rule = f"min_iter {RULE.min_iter}, eta {RULE.eta:g}"
    print(f"hyperband ({rule}) against none, the same trials asked for, {num_seeds} seeds\n")
    print(
        f"{'':26}{'method':>8}{'logs saved':>24}{'regret without':>26}{'with':>26}"
        f"{'difference':>28}"
    )
    for task in found:
        for method in ("random", "bayes"):
            plain = [search(task, method, seed, sampler) for seed in range(num_seeds)]
            ruled = [search(task, method, seed, sampler, RULE) for seed in range(num_seeds)]
            pairs = list(zip(plain, ruled, strict=True))
            saved = [1 - b.num_logs / a.num_logs for a, b in pairs]
            costs = [b.regret - a.regret for a, b in pairs]
            print(
                f"{task.name:26}{method:>8}{_with_interval(saved, '.1%'):>24}"
                f"{_with_interval([a.regret for a, _ in pairs], '.3f'):>26}"
                f"{_with_interval([b.regret for _, b in pairs], '.3f'):>26}"
                f"{_with_interval(costs, '+.3f'):>28}",
                flush=True,
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--sampler", choices=["tpe", "gp"], default="tpe")
    parser.add_argument("--curves", type=Path, help="file that keeps the trainings")
    options = parser.parse_args()
    began = time.perf_counter()
    found = tasks(options.curves)
    compare_methods(found, options.seeds, options.sampler)
    # The functions have one log a trial: there is nothing to stop.
    compare_rule(found[2:], options.seeds, options.sampler)
    print(f"\n{time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
