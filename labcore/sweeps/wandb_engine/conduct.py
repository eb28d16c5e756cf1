"""A whole sweep on W&B's server: made once, its agents here, its state in the sweep's folder."""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from labcore.record.files import write_atomically
from labcore.run.signals import StopSignal
from labcore.sweeps.folder import Settings, SweepFolder, SweepStatus
from labcore.sweeps.prepare import Prepared, threads_of_each
from labcore.sweeps.trial_process import ProcessTrial
from labcore.sweeps.wandb_engine.address import SweepAddress
from labcore.sweeps.wandb_engine.agent import run_agent
from labcore.sweeps.wandb_engine.create import create_sweep
from labcore.sweeps.wandb_engine.events import AgentSummary
from labcore.sweeps.wandb_engine.server import WandbServer
from labcore.sweeps.wandb_engine.trial_requests import RequestMaker

__all__ = ["Conducted", "conduct"]

_ADDRESS = "wandb.json"
_BEAT_S = 5.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Conducted:
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
        tell: Takes what happens, a line each, from the agents' threads.
    """
    lock = folder.lock()
    try:
        address = _address(folder, prepared)
        tell(f"sweep {folder.name} on W&B: {address.url}")
        status = SweepStatus(sweep=folder.name, plugin=settings.plugin)
        folder.write_status(status)
        folder.forget_stop()
        summaries, stopped = _run_agents(folder, prepared, settings, address, status, tell)
        failed = [each for each in summaries if each.gave_up]
        status.state = "interrupted" if stopped else "failed" if failed else "finished"
        status.message = failed[0].first_error if failed else ""
        status.ended = time.time()
        outcomes = [outcome for each in summaries for outcome in each.outcomes.values()]
        status.counts = {outcome: outcomes.count(outcome) for outcome in dict.fromkeys(outcomes)}
        folder.write_status(status)
    finally:
        lock.release()
    return Conducted(status=status, url=address.url, exit_code=stopped or (1 if failed else 0))


def _address(folder: SweepFolder, prepared: Prepared) -> SweepAddress:
    """Returns where the sweep is, once it has been made; it is made once."""
    path = folder.path / _ADDRESS
    if path.exists():
        return SweepAddress.parse(json.loads(path.read_text(encoding="utf-8"))["address"])
    address = create_sweep(prepared.sweep)
    write_atomically(path, json.dumps({"address": str(address), "url": address.url}) + "\n")
    return address


def _run_agents(
    folder: SweepFolder,
    prepared: Prepared,
    settings: Settings,
    address: SweepAddress,
    status: SweepStatus,
    tell: Callable[[str], None],
) -> tuple[list[AgentSummary], int]:
    """Runs the agents in threads; returns what each did, and 128 + signal when one stopped them."""
    requests = RequestMaker(
        prepared.sweep,
        address,
        folder=folder.path,
        runs_dir=Path(settings.runs_dir),
        num_gpus=prepared.num_gpus,
        threads=threads_of_each(prepared, settings.agents),
    )
    server, home = WandbServer(), threading.Event()
    summaries: list[AgentSummary] = []
    errors: list[BaseException] = []

    def work(count: int | None) -> None:
        try:
            summary = run_agent(
                address,
                server=server,
                requests=requests,
                start=ProcessTrial,
                count=count,
                retries=settings.retries,
                stop=home,
                tell=lambda event: tell(event.text),
            )
            summaries.append(summary)
        except BaseException as error:  # to be raised where somebody sees it
            errors.append(error)
            home.set()

    agents = [
        threading.Thread(target=work, args=(count,), name=f"agent-{number}")
        for number, count in enumerate(_shares(settings))
    ]
    signals = StopSignal()
    beaten = time.monotonic()  # whatever happens to the clock, the beat goes on
    with signals.installed(), signals.deferred():
        for agent in agents:
            agent.start()
        for agent in agents:
            while agent.is_alive():
                agent.join(0.2)
                if signals.number is not None or folder.is_asked_to_stop():
                    home.set()
                if time.monotonic() > beaten + _BEAT_S:
                    beaten, status.heartbeat = time.monotonic(), time.time()
                    folder.write_status(status)
    if errors:
        raise errors[0]
    asked = 143 if folder.is_asked_to_stop() else 0
    return summaries, 128 + signals.number if signals.number is not None else asked


def _shares(settings: Settings) -> list[int | None]:
    """Parts ``--count`` among the agents."""
    if settings.count is None:
        return [None] * settings.agents
    each, more = divmod(settings.count, settings.agents)
    shares = [each + (number < more) for number in range(settings.agents)]
    return [share for share in shares if share]
