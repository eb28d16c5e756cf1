"""``lab sweep FILE --engine wandb``: the sweep on W&B's server, its agents here."""

import json
import threading
from pathlib import Path

import click

from labcore.run.files import write_atomically
from labcore.run.signals import StopSignal
from labcore.sweeps.folder import Settings, SweepFolder, SweepStatus
from labcore.sweeps.prepare import Prepared, threads_of_each
from labcore.sweeps.wandb_engine import (
    AgentEvent,
    AgentSummary,
    RequestMaker,
    SweepAddress,
    WandbServer,
    create_sweep,
    run_agent,
)

__all__ = ["run_on_wandb"]

_ADDRESS = "wandb.json"


def run_on_wandb(folder: SweepFolder, prepared: Prepared, settings: Settings) -> int:
    """Makes the sweep on the server, or goes on with it, and runs the agents; returns the code."""
    lock = folder.lock()
    try:
        address = _address(folder, prepared)
        click.echo(f"sweep {folder.name} on W&B: {address.url}")
        status = SweepStatus(sweep=folder.name, plugin=settings.plugin)
        folder.write_status(status)
        folder.forget_stop()
        summaries, stopped = _run_agents(folder, prepared, settings, address)
        failed = [each for each in summaries if each.gave_up]
        status.state = "interrupted" if stopped else "failed" if failed else "finished"
        status.message = failed[0].first_error if failed else ""
        outcomes = [outcome for each in summaries for outcome in each.outcomes.values()]
        status.counts = {outcome: outcomes.count(outcome) for outcome in dict.fromkeys(outcomes)}
        folder.write_status(status)
    finally:
        lock.release()
    counted = ", ".join(f"{number} {outcome}" for outcome, number in status.counts.items())
    click.echo(f"sweep {folder.name} {status.state}: {counted or 'no trials'}")
    if status.message:
        click.echo(f"the first error: {status.message}", err=True)
    click.echo(f"results: {address.url}")
    return stopped or (1 if failed else 0)


def _address(folder: SweepFolder, prepared: Prepared) -> SweepAddress:
    """Returns where the sweep is, once it has been made; it is made once."""
    path = folder.path / _ADDRESS
    if path.exists():
        return SweepAddress.parse(json.loads(path.read_text(encoding="utf-8"))["address"])
    address = create_sweep(prepared.sweep)
    write_atomically(path, json.dumps({"address": str(address), "url": address.url}) + "\n")
    return address


def _run_agents(
    folder: SweepFolder, prepared: Prepared, settings: Settings, address: SweepAddress
) -> tuple[list[AgentSummary], int]:
    """Runs the agents in threads; returns what each did, and 128 + signal when one stopped them."""
    from labcore.sweeps.trial_process import ProcessStarter

    requests = RequestMaker(
        prepared.sweep,
        address,
        folder=folder.path,
        runs_dir=Path(settings.runs_dir),
        num_gpus=prepared.num_gpus,
        threads=threads_of_each(prepared, settings.agents),
    )
    server, starter, home = WandbServer(), ProcessStarter(), threading.Event()
    summaries: list[AgentSummary] = []
    errors: list[BaseException] = []

    def work(count: int | None) -> None:
        try:
            summary = run_agent(
                address,
                server=server,
                requests=requests,
                start=starter.start,
                count=count,
                retries=settings.retries,
                stop=home,
                tell=_tell,
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
    with signals.installed(), signals.deferred():
        for agent in agents:
            agent.start()
        for agent in agents:
            while agent.is_alive():
                agent.join(0.2)
                if signals.number is not None or folder.is_asked_to_stop():
                    home.set()
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


def _tell(event: AgentEvent) -> None:
    click.echo(event.text)
