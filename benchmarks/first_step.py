"""From Enter to the first training step, and what it is spent on.

    python benchmarks/first_step.py [--repeats 3]

Runs ``lab run plugin=musicvae preset=smoke device=cpu`` with the data in its cache until the first
optimiser step has been taken, noting the time at every stage. The peer is a bare script that
imports torch and the same model and takes the same step. Both take turns; figures are medians, by
the clock and in processor time.

torch imports its compiler (``torch._dynamo``) when the first optimiser is made. Here both do so
right after ``import torch``, so that it has a row of its own.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
COMMAND = ("run", "plugin=musicvae", "preset=smoke", "device=cpu")
STAGES = (
    "start Python, read the command",
    "find the plugin, compose the config",
    "device, folder, environment record",
    "import torch",
    "import torch's compiler",
    "import and start the hooks",
    "import the task and its libraries",
    "data from the cache",
    "build the model",
    "Fabric and the optimiser",
    "first batch",
    "first step",
)
_AT_MOMENT = {
    "run_started": "import and start the hooks",
    "model_ready": "build the model",
    "fit_started": "Fabric and the optimiser",
    "step_started": "first batch",
    "step_ended": "first step",
}
Row = Mapping[str, tuple[float, float]]
"""Stage to seconds by the clock and of the processor."""


class Stages:
    """Notes when each stage ends; runs in the child."""

    def __init__(self, began: float) -> None:
        self._last = (began, 0.0)
        self._took: dict[str, tuple[float, float]] = {}

    def end(self, stage: str) -> None:
        """Ends a stage that began where the one before it ended; its parts add up."""
        now = time.time(), time.process_time()
        clock_s, cpu_s = self._took.get(stage, (0.0, 0.0))
        self._took[stage] = (clock_s + now[0] - self._last[0], cpu_s + now[1] - self._last[1])
        self._last = now

    def leave(self, path: str) -> None:
        """Writes what was noted and ends the process on the spot."""
        Path(path).write_text(json.dumps(self._took), encoding="utf-8")
        os._exit(0)


def run_lab(began: float, path: str, folder: str) -> None:
    """The child that types the command, with a note at the end of each stage."""
    stages = Stages(began)
    from labcore.cli import main
    from labcore.cli.runs import run  # as `lab run` imports them

    stages.end("start Python, read the command")
    compose = run.compose

    def composed(*args: Any, **options: Any) -> Any:
        result = compose(*args, **options)
        stages.end("find the plugin, compose the config")
        return result

    run.compose = composed
    from labcore.hooks import HookSet
    from labcore.life import execute as life

    prepare_framework = life._prepare_framework

    def prepared(*args: Any) -> None:
        stages.end("device, folder, environment record")
        args[1].apply()
        import_torch(stages)
        prepare_framework(*args)

    life._prepare_framework = prepared
    call = HookSet.call

    def called(self: HookSet, moment: str, **arguments: Any) -> None:
        if moment == "progress_started":
            stages.end("import the task and its libraries")
        if moment in {"fit_started", "step_started"}:
            stages.end(_AT_MOMENT[moment])
        call(self, moment, **arguments)
        if moment == "progress_ended":
            stages.end("data from the cache")
        elif moment in {"run_started", "model_ready"}:
            stages.end(_AT_MOMENT[moment])
        elif moment == "step_ended":
            stages.end(_AT_MOMENT[moment])
            stages.leave(path)

    HookSet.call = called  # type: ignore[method-assign]  # this process ends after a step
    sys.argv = ["lab", *COMMAND, f"runs_dir={folder}"]
    main.main()


def run_bare(began: float, path: str, folder: str) -> None:
    """The child that does without the lab: torch, the model of preset=smoke, one step."""
    stages = Stages(began)
    stages.end("start Python, read the command")
    import_torch(stages)
    import torch

    from plugins.musicvae.config import ModelConfig
    from plugins.musicvae.losses import elbo
    from plugins.musicvae.models import MusicVAE

    stages.end("import the task and its libraries")
    sizes = ModelConfig(
        latent_size=16, encoder_size=32, encoder_layers=1, decoder_size=32, decoder_layers=1
    )
    model = MusicVAE(sizes, 2)
    stages.end("build the model")
    adam = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    stages.end("Fabric and the optimiser")
    tokens = torch.randint(130, (32, 32))
    stages.end("first batch")
    output = model(tokens, sampling_probability=0.0)
    elbo(output.logits, tokens, output.mu, output.sigma, beta=0.2, free_bits=48.0)[
        "loss"
    ].backward()
    adam.step()
    stages.end("first step")
    stages.leave(path)


def import_torch(stages: Stages) -> None:
    """Imports torch, then what its first optimiser would."""
    import torch

    stages.end("import torch")
    import torch._dynamo  # noqa: F401  # imported for its cost

    stages.end("import torch's compiler")


CHILDREN = {"lab": run_lab, "bare": run_bare}


def take(child: str) -> Row:
    """Runs a child; returns what its stages took."""
    env = {name: value for name, value in os.environ.items() if name != "LAB_PLUGINS"}
    env["PYTHONPATH"] = str(ROOT)
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/stages.json"
        words = [sys.executable, __file__, "--child", child, str(time.time()), path, folder]
        done = subprocess.run(
            words, env=env, cwd=folder, capture_output=True, text=True, check=False
        )
        if not Path(path).exists():
            sys.exit(f"{child} took no step:\n{done.stdout}{done.stderr}")
        took = json.loads(Path(path).read_text(encoding="utf-8"))
    return {stage: (clock_s, cpu_s) for stage, (clock_s, cpu_s) in took.items()}


def show(rows: Mapping[str, list[Row]]) -> None:
    """Prints the table of medians."""
    from rich.console import Console
    from rich.table import Table

    num_repeats = len(rows["lab"])
    title = f"seconds, median of {num_repeats}, load {os.getloadavg()[0]:.1f}"
    table = Table(title=title, title_justify="left")
    table.add_column("stage")
    for header in ("lab clock", "bare clock", "lab processor", "bare processor"):
        table.add_column(header, justify="right")
    for stage in STAGES:
        table.add_row(stage, *(_cell(rows[child], stage, i) for i in (0, 1) for child in CHILDREN))
    totals = [
        statistics.median(sum(each[i] for each in row.values()) for row in rows[child])
        for i in (0, 1)
        for child in CHILDREN
    ]
    table.add_section()
    table.add_row("from Enter to the first step", *(f"{total:.2f}" for total in totals))
    table.add_row("lab / bare", f"{totals[0] / totals[1]:.2f}", "", f"{totals[2] / totals[3]:.2f}")
    Console(width=max(110, Console().width)).print(table)


def _cell(rows: list[Row], stage: str, which: int) -> str:
    if stage not in rows[0]:
        return "-"
    return f"{statistics.median(row[stage][which] for row in rows):.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3, help="times that each is run")
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child, began, path, folder = options.child
        CHILDREN[child](float(began), path, folder)
        return
    for child in CHILDREN:
        take(child)  # fills the disk's cache, and the data's
    rows: dict[str, list[Row]] = {child: [] for child in CHILDREN}
    for _ in range(options.repeats):
        for child, each in rows.items():
            each.append(take(child))
    show(rows)


if __name__ == "__main__":
    main()
