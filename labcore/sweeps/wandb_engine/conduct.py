"""A whole sweep on W&B's server: made once, W&B's agents as children here, its state in a folder.

Agents are told by SIGINT to end, which they pass on: W&B then gives the trial to the next agent.
SIGTERM is how W&B's agent stops a single trial, for which that is an end like any other.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from labcore.config import peek
from labcore.errors import RequirementError
from labcore.record.files import write_atomically
from labcore.record.process import kill_tree
from labcore.record.trial import SWEEP_VARIABLE
from labcore.run.signals import StopSignal
from labcore.sweeps.folder import Settings, SweepFolder, SweepStatus
from labcore.sweeps.prepare import Prepared, threads_of_each
from labcore.sweeps.wandb_engine.create import SweepAddress, create_sweep
from labcore.sweeps.wandb_engine.trial import PLACE_VARIABLE, trials_of

__all__ = ["Conducted", "conduct"]

_ADDRESS = "wandb.json"
_BEAT_S = 5.0
_LOOK_S = 0.5
_GRACE_S = 120
"""Time for a checkpoint, the report and the last uploads."""


class Conducted(NamedTuple):
    """How the work on a sweep ended."""

    status: SweepStatus
    url: str
    exit_code: int


def conduct(
    folder: SweepFolder, prepared: Prepared, settings: Settings, *, tell: Callable[[str], None]
) -> Conducted:
    """Makes the sweep on the server, or goes on with it, and runs the agents to their end.

    Args:
        folder: The sweep's.
        prepared: The sweep, checked.
        settings: Of the sweep.
        tell: Takes what happens, a line each.

    Raises:
        RequirementError: wandb or ``python`` is missing, or nobody is logged in.
        LabError: W&B refuses the sweep.
    """
    here = Path(sys.executable).parent
    if shutil.which("python", path=str(here)) is None:
        raise RequirementError(
            f"W&B's agents start trials with python, and there is none in {here}",
            fix="work in a virtual environment (python3 -m venv), or --engine local",
        )
    with folder.lock():
        address = _address(folder, prepared)
        tell(f"sweep {folder.name} on W&B: {address.url}")
        status = SweepStatus(sweep=folder.name, plugin=settings.plugin)
        folder.write_status(status)
        folder.forget_stop()
        environment = _environment(folder, prepared, settings, address)
        error, signal_number = _run_agents(folder, settings, address, environment, status, tell)
        ends = [trial.outcome() for trial in trials_of(folder.path)]
        words = ["failed" if end in {"not started", "lost"} else end for end, _ in ends]
        status.counts = {word: words.count(word) for word in dict.fromkeys(words)}
        failures = [why for word, (_, why) in zip(words, ends, strict=True) if word == "failed"]
        has_failed = bool(error or (failures and not {"finished", "stopped"} & set(words)))
        status.message = error or next(iter(failures), "")
        status.state = "interrupted" if signal_number else "failed" if has_failed else "finished"
        status.ended = time.time()
        folder.write_status(status)
    code = 128 + signal_number if signal_number else int(has_failed)
    return Conducted(status=status, url=address.url, exit_code=code)


def _address(folder: SweepFolder, prepared: Prepared) -> SweepAddress:
    """Returns where the sweep is, once it has been made; it is made once."""
    path = folder.path / _ADDRESS
    if path.exists():
        entity, project, made = json.loads(path.read_text(encoding="utf-8"))["address"].split("/")
        return SweepAddress(entity=entity, project=project, id=made)
    address = create_sweep(prepared.sweep)
    write_atomically(path, json.dumps({"address": str(address), "url": address.url}) + "\n")
    return address


def _environment(
    folder: SweepFolder, prepared: Prepared, settings: Settings, address: SweepAddress
) -> dict[str, str]:
    """Returns the variables of an agent, all of which its trials get too."""
    overrides = [f"runs_dir={Path(settings.runs_dir).resolve()}"]
    if peek(prepared.overrides, "threads") is None:
        overrides.append(f"threads={threads_of_each(prepared, settings.agents)}")
    place = {"folder": str(folder.path.resolve()), "overrides": overrides}
    return {
        "WANDB_AGENT_DISABLE_FLAPPING": "true",  # else three failures within a minute are the end
        "WANDB_AGENT_KILL_DELAY": str(_GRACE_S),
        "WANDB_ERROR_REPORTING": "false",
        **os.environ,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
        "WANDB_DIR": str(folder.path.resolve()),
        SWEEP_VARIABLE: address.id,
        PLACE_VARIABLE: json.dumps(place),
    }


def _run_agents(
    folder: SweepFolder,
    settings: Settings,
    address: SweepAddress,
    environment: dict[str, str],
    status: SweepStatus,
    tell: Callable[[str], None],
) -> tuple[str, int]:
    """Runs the agents; returns why one broke off, and the signal that they were stopped by."""
    told = {trial.run_id: trial.outcome()[0] for trial in trials_of(folder.path)}
    agents: dict[Path, subprocess.Popen[bytes]] = {}
    signals, kill_at, number = StopSignal(), None, 0
    beaten = time.monotonic()  # whatever happens to the clock, the beat goes on
    with signals.installed(), signals.deferred():
        try:
            for index, count in enumerate(_shares(settings)):
                log = folder.path / f"agent-{index}.log"
                agents[log] = _start_agent(address, count, environment, log)
            while any(agent.poll() is None for agent in agents.values()):
                _tell_news(folder.path, told, tell)
                number = signals.number or (signal.SIGTERM if folder.is_asked_to_stop() else 0)
                if number and kill_at is None:
                    kill_at = time.monotonic() + _GRACE_S
                    for agent in agents.values():
                        agent.send_signal(signal.SIGINT if os.name != "nt" else signal.SIGTERM)
                if kill_at is not None and time.monotonic() > kill_at:
                    break
                if time.monotonic() > beaten + _BEAT_S:
                    beaten, status.heartbeat = time.monotonic(), time.time()
                    folder.write_status(status)
                time.sleep(_LOOK_S)
        finally:
            for agent in agents.values():
                if agent.poll() is None:
                    kill_tree(agent.pid)
    _tell_news(folder.path, told, tell)
    broken = [log for log, agent in agents.items() if agent.wait()]
    return "" if number or not broken else _last_error(broken[0]), number


def _start_agent(
    address: SweepAddress, count: int | None, environment: dict[str, str], log: Path
) -> subprocess.Popen[bytes]:
    limit = [] if count is None else ["--count", str(count)]
    command = [sys.executable, "-m", "wandb", "agent", "--forward-signals", *limit, str(address)]
    with log.open("wb") as output:
        return subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C in the terminal is ours to pass on
        )


def _tell_news(folder: Path, told: dict[str, str], tell: Callable[[str], None]) -> None:
    """Says which trials have begun or ended since the last look."""
    for trial in trials_of(folder):
        before = told.get(trial.run_id)
        if before in {"finished", "stopped", "failed"}:
            continue  # nothing comes after
        state, why = trial.outcome()
        if state in {before, "not started"}:
            continue
        told[trial.run_id] = state
        if state == "running":
            why = ", ".join(f"{name}={_short(value)}" for name, value in trial.values.items())
        tell(f"{trial.run_id} {state}" + (f": {why}" if why else ""))


def _short(value: object) -> str:
    """Returns a value as people read it; the run folder has all its digits."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _last_error(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    errors = [line for line in lines if "ERROR" in line or "Error" in line]
    return f"{(errors or lines or ['its agent broke off'])[-1].strip()} (see {log})"


def _shares(settings: Settings) -> list[int | None]:
    """Parts ``--count`` among the agents."""
    if settings.count is None:
        return [None] * settings.agents
    each, more = divmod(settings.count, settings.agents)
    shares = [each + (number < more) for number in range(settings.agents)]
    return [share for share in shares if share]
