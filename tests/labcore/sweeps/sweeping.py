"""A tiny plugin with checkpoints, and whole sweeps of it through the engine."""

import contextlib
import dataclasses
import json
import os
import time
from pathlib import Path

from labcore.sweeps.folder import Settings, SweepFolder, create_sweep
from labcore.sweeps.launchers import connect
from labcore.sweeps.local.engine import conduct, open_study
from labcore.sweeps.prepare import prepare, reopen

PLUGIN = """
import os, signal, time
from types import SimpleNamespace
from labcore.record.files import write_atomically

GIVEN = os.environ.get("CUDA_VISIBLE_DEVICES", "")  # before the run hides all GPUs: device=cpu

@dataclass(kw_only=True, slots=True)
class Options:
    '''Options.'''
    x: float = 0.5
    word: str = "a"
    steps: int = 4
    pause_s: float = 0.0
    act: str = ""
    at: int = -1

def work(run):
    c = run.config
    run.checkpoints.mkdir(exist_ok=True)
    (run.folder / "gpus.txt").write_text(GIVEN)
    state = run.checkpoints / "state.pt"
    first = int(state.read_text()) if state.exists() else 0
    run.hooks.call("fit_started", run=run, loop=SimpleNamespace(step=first, name=""))
    acts = c.act if run.status.trial == c.at or c.at < 0 else ""
    if acts == "fail" or (acts == "fail once" and not os.path.exists("failed")):
        open("failed", "w").close()
        raise RuntimeError("it fails")
    for step in range(first + 1, c.steps + 1):
        time.sleep(c.pause_s)
        with run.stop.deferred():
            value = float("nan") if acts == "nan" and step == 2 else (c.x - 0.3) ** 2 + 1 / step
            lingers = acts == "diverge when stopped" and step == 2
            if lingers:
                open("lingers", "w").close()
                while run.stop.number is None:
                    time.sleep(0.01)
                value = 1e9
            run.log_metrics({"loss": value}, step=step, phase="val")
            time.sleep(1.0 if lingers else 0.0)  # long enough to be judged by what it logged
            write_atomically(state, str(step))
        run.stop.raise_if_set()
        if acts == "die" and step == 2 and not run.resuming:
            os.kill(os.getpid(), signal.SIGKILL)

plugin = Plugin(name="toy", summary="A toy.", config=Options, tasks=(
    Task(name="work", summary="Works.", run=f"{__name__}:work", trains=True),))
"""

SWEEP = {
    "method": "random",
    "metric": {"name": "val/loss", "goal": "minimize"},
    "parameters": {"x": {"min": 0.0, "max": 1.0}},
    "run_cap": 4,
}


class Heard:
    """Remembers what a controller tells."""

    def __init__(self, act=lambda kind, record: None):
        self.events = []
        self.snapshots = []
        self.places = {}
        self._act = act

    def event(self, kind, record, text=""):
        self.events.append((kind, record.number))
        self._act(kind, record)

    def say(self, text):
        self.events.append(("say", text))

    def show(self, standing):
        here = {"records": list(standing.records), "live": dict(standing.live)}
        self.snapshots.append(dataclasses.replace(standing, **here))
        self.places.update({each.where: number for number, each in standing.live.items()})

    def kinds(self, number):
        return [kind for kind, of in self.events if of == number]


def begin(folder: Path, content, *overrides, name="s", **settings) -> SweepFolder:
    """Makes the folder of a sweep."""
    file = folder / f"{name}.json"
    file.write_text(json.dumps(content))
    words = ("plugin=toy", "hooks=none", "device=cpu", *overrides)
    prepared = prepare(file, words)
    made = create_sweep(folder / "sweeps", name, file)
    made.write_settings(
        Settings(
            file=file.name,
            source=str(file),
            plugin="toy",
            overrides=prepared.sweep.overrides,
            runs_dir=str(folder / "runs"),
            **settings,
        )
    )
    return made


def go(folder: SweepFolder, heard=None, **options):
    """Runs a sweep where its settings say, or goes on with it.

    Returns how it ended and its records.
    """
    prepared, settings = reopen(folder)
    launcher = connect(folder, prepared, settings)
    settings = dataclasses.replace(settings, agents=launcher.agents)
    with contextlib.closing(launcher.starter):
        ended = conduct(folder, prepared, settings, launcher, watch=heard or Heard(), **options)
    store = open_study(folder, prepared.sweep, settings, reading=True)
    records = store.records()
    store.close()
    return ended, records


def wait_until(condition, timeout_s=20.0):
    """Waits for something that another process does."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)


def environment(folder: Path):
    """The environment of a `lab` command in a folder."""
    root = str(Path(__file__).parents[3])
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), root])}
