"""Random SIGKILLs over a sweep: is any trial lost, is any run twice?

    python benchmarks/sweep_kill.py [--trials 60] [--agents 3] [--seconds 120] [--postgres]

A sweep of a tiny plugin with checkpoints runs in a process of its own. For the given time, trials,
the worker that starts them and the controller itself are killed at random; a killed controller is
started again with ``lab sweep --resume``. Then the sweep is left in peace until it ends. At the
end there must be one result for each trial, the sweep's, its run folder's and its own (each trial
adds a line to a ledger when it finishes), and every step of every trial must be recorded once.
"""

import argparse
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).parent))  # also when a test loads this file

from _postgres import missing, postgres

ROOT = Path(__file__).parents[1]
NAME = "kill"
STEPS = 20
PLUGIN = f"""
import os, time
from dataclasses import dataclass
from types import SimpleNamespace
from labcore import Plugin, Task
from labcore.record.files import write_atomically

@dataclass(kw_only=True, slots=True)
class Config:
    x: float = 0.5
    pause_s: float = 0.1

def work(run):
    run.checkpoints.mkdir(exist_ok=True)
    state = run.checkpoints / "state.pt"
    first = int(state.read_text()) if state.exists() else 0
    run.hooks.call("fit_started", run=run, loop=SimpleNamespace(step=first, name=""))
    for step in range(first + 1, {STEPS} + 1):
        time.sleep(run.config.pause_s)
        with run.stop.deferred():
            values = {{"loss": (run.config.x - 0.3) ** 2 + 1 / step}}
            run.log_metrics(values, step=step, phase="val")
            write_atomically(state, str(step), durable=True)
        run.stop.raise_if_set()
    ledger = os.open("ledger", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(ledger, f"{{run.status.trial}}\\n".encode())

plugin = Plugin(name="killable", summary="Has checkpoints.", config=Config,
                tasks=(Task(name="work", summary="Works.", run="killable:work", trains=True),))
"""


@dataclass(kw_only=True)
class Outcome:
    """What was found after the sweep."""

    kills: Counter[str] = field(default_factory=Counter)
    resumes: int = 0
    states: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    faults: list[str] = field(default_factory=list)


class Arena:
    """A folder with the plugin and its sweep, and the processes that work there.

    Args:
        folder: An empty folder.
        trials: Trials of the sweep.
        agents: Trials at once.
        storage: Database of the study; a journal when empty.
        pause_s: Seconds of each of a trial's steps.
        seed: Of the kills.
    """

    def __init__(
        self,
        folder: Path,
        *,
        trials: int,
        agents: int,
        storage: str = "",
        pause_s: float = 0.1,
        seed: int = 0,
    ) -> None:
        self._folder = folder
        self._trials = trials
        self._storage = ["--storage", storage] if storage else []
        self._rng = random.Random(seed)
        (folder / "killable.py").write_text(PLUGIN, encoding="utf-8")
        sweep = {
            "method": "random",
            "metric": {"name": "val/loss", "goal": "minimize"},
            "parameters": {"x": {"min": 0.0, "max": 1.0}, "pause_s": {"value": pause_s}},
            "run_cap": trials,
        }
        (folder / "kill.json").write_text(json.dumps(sweep), encoding="utf-8")
        self._first = ["kill.json", "plugin=killable", "hooks=none", "device=cpu"]
        self._first += ["--name", NAME, "--agents", str(agents), "--retries", "50"]
        self._first += ["--engine", "local"]
        self._env = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)]),
            "LAB_PLUGINS": "killable=killable:plugin",
            "OMP_NUM_THREADS": "1",
        }
        self.outcome = Outcome()

    def run(self, seconds: float) -> Outcome:
        """Runs the sweep to its end, with kills for some time."""
        began = time.monotonic()
        controller = self._start(self._first)
        try:
            while controller.poll() is None or controller.returncode == -signal.SIGKILL:
                if controller.poll() is not None:
                    time.sleep(self._rng.uniform(0, 2))
                    self.outcome.resumes += 1
                    begun = (self._folder / "sweeps" / NAME / "settings.json").exists()
                    controller = self._start(["--resume", NAME] if begun else self._first)
                if time.monotonic() - began < seconds:
                    time.sleep(self._rng.uniform(0.2, 1.0))
                    self._kill_something(controller)
                else:
                    time.sleep(0.2)
        finally:
            if controller.poll() is None:
                controller.kill()
        self.outcome.seconds = time.monotonic() - began
        if controller.returncode != 0:
            said = (self._folder / "said.txt").read_text(encoding="utf-8")
            self.outcome.faults.append(f"exit code {controller.returncode}: {said[-500:]}")
        self._check()
        return self.outcome

    def _lab(self, words: list[str]) -> list[str]:
        return [sys.executable, "-m", "labcore", "sweep", *words, *self._storage]

    def _start(self, words: list[str]) -> "subprocess.Popen[bytes]":
        with (self._folder / "said.txt").open("ab") as stream:
            return subprocess.Popen(
                self._lab(words),
                cwd=self._folder,
                env=self._env,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _kill_something(self, controller: "subprocess.Popen[bytes]") -> None:
        others = self._others()
        if not any(others.values()):  # a controller that only ever begins would prove nothing
            return
        victims = {"controller": [controller.pid]} | others
        shares = {"trial": 6, "worker": 2, "controller": 1}
        kinds = [kind for kind in shares if victims[kind]]
        kind = self._rng.choices(kinds, [shares[kind] for kind in kinds])[0]
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._rng.choice(victims[kind]), signal.SIGKILL)
            self.outcome.kills[kind] += 1

    def _others(self) -> dict[str, list[int]]:
        """Finds the worker, and the trials, which their locks name."""
        locks = (self._folder / "sweeps" / NAME / "trials").glob("*.lock")
        notes = [lock.read_text(encoding="utf-8") for lock in locks]
        trials = {json.loads(note)["pid"] for note in notes if note}
        found: dict[str, list[int]] = {"trial": [], "worker": []}
        for process in psutil.process_iter():
            try:
                if process.cwd() != str(self._folder):
                    continue
                # A fork has the command line of the worker, and a fresh process another.
                if process.pid in trials:
                    found["trial"].append(process.pid)
                elif "labcore.sweeps.agents.worker" in " ".join(process.cmdline()):
                    found["worker"].append(process.pid)
            except psutil.Error:
                continue
        return found

    def _check(self) -> None:
        done = subprocess.run(
            self._lab(["export", NAME, "--json"]),
            cwd=self._folder,
            env=self._env,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            self.outcome.faults.append(done.stderr)
            return
        rows = json.loads(done.stdout)
        self.outcome.states = Counter(row["state"] for row in rows)
        numbers = [row["trial"] for row in rows]
        if numbers != list(range(self._trials)):
            self.outcome.faults.append(f"the study has the trials {numbers}")
        ledger = (self._folder / "ledger").read_text(encoding="utf-8").split()
        twice = [number for number, times in Counter(ledger).items() if times > 1]
        if twice:
            self.outcome.faults.append(f"finished more than once: {twice}")
        completed = {str(row["trial"]) for row in rows if row["state"] == "completed"}
        if completed != set(ledger):
            self.outcome.faults.append(f"study and ledger differ: {completed ^ set(ledger)}")
        for row in rows:
            path = Path(row["run"]) / "metrics.jsonl"
            lines = path.read_text(encoding="utf-8").splitlines()
            steps = [json.loads(line)["step"] for line in lines]
            if row["state"] == "completed" and steps != list(range(1, STEPS + 1)):
                self.outcome.faults.append(f"trial {row['trial']} recorded the steps {steps}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--agents", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=120.0, help="how long there are kills")
    parser.add_argument("--postgres", action="store_true", help="study in a database of our own")
    parser.add_argument("--seed", type=int, default=0, help="of the kills")
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        storage = ""
        if options.postgres:
            if missing():
                sys.exit(missing())
            folder.chmod(0o755)
            storage = stack.enter_context(postgres(folder / "server"))
        place = folder / "arena"
        place.mkdir()
        arena = Arena(
            place,
            trials=options.trials,
            agents=options.agents,
            storage=storage,
            seed=options.seed,
        )
        outcome = arena.run(options.seconds)
    kills = ", ".join(f"{number} of a {kind}" for kind, number in sorted(outcome.kills.items()))
    print(f"{options.trials} trials, {options.agents} at once, {outcome.seconds:.0f} s")
    print(f"kills: {kills}; {outcome.resumes} resumes of the controller")
    print("results: " + ", ".join(f"{n} {state}" for state, n in outcome.states.items()))
    for fault in outcome.faults:
        print(f"FAULT: {fault}")
    print("no trial lost, none run twice" if not outcome.faults else "the sweep did not survive")
    sys.exit(bool(outcome.faults))


if __name__ == "__main__":
    main()
