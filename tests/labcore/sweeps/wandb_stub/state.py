"""What the stub remembers of sweeps, agents and runs, and how it answers an agent's heartbeat."""

import itertools
import json
import random
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

__all__ = ["State", "StubRun", "StubSweep"]


@dataclass(kw_only=True)
class StubRun:
    """A run as its client told it."""

    name: str
    project: str = ""
    sweep: str | None = None
    agent: str | None = None
    """The agent that it was given to last."""
    handed_out: int = 0
    """Times it was given to an agent."""
    started: int = 0
    """Times a client upserted it."""
    args: dict[str, Any] = field(default_factory=dict)
    """Values that the sweep chose."""
    config: dict[str, Any] = field(default_factory=dict)
    """Config as its client sent it, without W&B's ``_wandb`` entry."""
    history: list[dict[str, Any]] = field(default_factory=list)
    group: str | None = None
    display_name: str | None = None
    job_type: str | None = None
    tags: list[str] = field(default_factory=list)
    exit_code: int | None = None
    should_stop: bool = False
    stop_is_for_agent: bool = True
    """Whether its agent hears of the stop, or only its own connection."""
    preempting: bool = False

    @property
    def state(self) -> str:
        """The word that W&B shows."""
        if self.exit_code is None:
            return "running" if self.started else "pending"
        if self.exit_code == 0:
            return "finished"
        return "preempted" if self.preempting else "failed"


@dataclass(kw_only=True)
class StubSweep:
    """A sweep, and the values that its trials get."""

    name: str
    project: str
    config: dict[str, Any]
    state: str = "RUNNING"
    script: deque[Mapping[str, Any]] | None = None
    """Values of the trials to come; drawn at random from the config when None."""
    runs: dict[str, StubRun] = field(default_factory=dict)
    agents: list[str] = field(default_factory=list)

    def next_values(self, rng: random.Random) -> Mapping[str, Any] | None:
        """Returns the next trial's values, or None when the sweep is through."""
        if len(self.runs) >= self.config.get("run_cap", 10**9):
            return None
        if self.script is not None:
            return self.script.popleft() if self.script else None
        return {name: _draw(spec, rng) for name, spec in self.config["parameters"].items()}


def _draw(spec: Mapping[str, Any], rng: random.Random) -> Any:
    if "parameters" in spec:
        return {name: _draw(inner, rng) for name, inner in spec["parameters"].items()}
    if "value" in spec:
        return spec["value"]
    if "values" in spec:
        return rng.choice(spec["values"])
    if spec["distribution"] == "int_uniform":
        return rng.randint(spec["min"], spec["max"])
    return rng.uniform(spec["min"], spec["max"])


class State:
    """Everything the stub knows, behind one lock."""

    def __init__(self, seed: int = 0) -> None:
        self.lock = threading.RLock()
        self.sweeps: dict[str, StubSweep] = {}
        self.runs: dict[str, StubRun] = {}
        self.scripts: deque[list[Mapping[str, Any]]] = deque()
        """Values for sweeps that are yet to be created, one list each."""
        self._agents: dict[str, StubSweep] = {}
        self._rng = random.Random(seed)
        self._numbers = itertools.count(1)

    def create_sweep(self, project: str, config_yaml: str) -> StubSweep:
        """Keeps a new sweep."""
        name = f"sweep{next(self._numbers):03d}"
        sweep = StubSweep(name=name, project=project, config=yaml.safe_load(config_yaml))
        if self.scripts:
            sweep.script = deque(self.scripts.popleft())
        self.sweeps[name] = sweep
        return sweep

    def create_agent(self, sweep_name: str) -> str | None:
        """Returns the new agent's id, or None when there is no such sweep."""
        sweep = self.sweeps.get(sweep_name)
        if sweep is None:
            return None
        agent = f"agent{next(self._numbers):03d}"
        self._agents[agent] = sweep
        sweep.agents.append(agent)
        return agent

    def heartbeat(self, agent: str, run_state: Mapping[str, bool]) -> list[dict[str, Any]] | None:
        """Returns the agent's commands, or None when its sweep is gone.

        Stops are repeated for as long as the agent says that the run runs. An agent with a run
        gets no other; one without gets a preempted run before a new one.
        """
        sweep = self._agents.get(agent)
        if sweep is None or sweep.name not in self.sweeps:
            return None
        stops = [
            {"type": "stop", "run_id": name}
            for name in run_state
            if (run := self.runs.get(name)) and run.should_stop and run.stop_is_for_agent
        ]
        if sweep.state == "CANCELED":
            return [*({"type": "stop", "run_id": name} for name in run_state), {"type": "exit"}]
        if stops or run_state or sweep.state == "PAUSED":
            return stops
        preempted = next((run for run in sweep.runs.values() if run.state == "preempted"), None)
        if preempted is not None:
            return [self._hand_out(preempted, agent, "resume")]
        values = sweep.next_values(self._rng)
        if values is None:
            sweep.state = "FINISHED"
            return [{"type": "exit"}]
        run = StubRun(name=f"run{next(self._numbers):05d}", project=sweep.project)
        run.sweep = sweep.name
        run.args = dict(values)
        sweep.runs[run.name] = self.runs[run.name] = run
        return [self._hand_out(run, agent, "run")]

    def _hand_out(self, run: StubRun, agent: str, kind: str) -> dict[str, Any]:
        run.agent = agent
        run.handed_out += 1
        run.exit_code, run.preempting = None, False
        args = {name: {"value": value} for name, value in run.args.items()}
        return {"type": kind, "run_id": run.name, "program": "", "args": args}

    def upsert_run(self, values: Mapping[str, Any]) -> tuple[StubRun, bool]:
        """Takes what a client tells of a run; returns the run and whether it is new."""
        name = values["name"]
        is_new = name not in self.runs or not self.runs[name].started
        run = self.runs.setdefault(name, StubRun(name=name))
        run.started += 1
        run.project = values.get("project") or run.project
        run.sweep = values.get("sweep") or run.sweep
        run.group = values.get("groupName") or run.group
        run.display_name = values.get("displayName") or run.display_name
        run.job_type = values.get("jobType") or run.job_type
        run.tags = values.get("tags") or run.tags
        if values.get("config"):
            config = json.loads(values["config"])
            run.config = {k: v["value"] for k, v in config.items() if k != "_wandb"}
        return run, is_new

    def stream(self, name: str, body: Mapping[str, Any]) -> StubRun | None:
        """Takes a piece of a run's file stream."""
        run = self.runs.get(name)
        if run is None:
            return None
        lines = body.get("files", {}).get("wandb-history.jsonl", {}).get("content", [])
        run.history.extend(json.loads(line) for line in lines)
        run.preempting = run.preempting or bool(body.get("preempting"))
        if body.get("complete"):
            run.exit_code = int(body.get("exitcode", 0))
        return run
