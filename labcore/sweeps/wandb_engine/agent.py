"""An agent: asks W&B's server for trials, one at a time, and looks after the one it has.

Reading guide: :meth:`_Agent.run` is the loop. Nothing in it waits for a trial or for a server that
does not answer, so that either is looked after while the other is busy or gone.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from labcore.errors import LabError
from labcore.sweeps.trial import RunningTrial, TrialRequest
from labcore.sweeps.wandb_engine.address import SweepAddress
from labcore.sweeps.wandb_engine.connection import NotThere, Unreachable
from labcore.sweeps.wandb_engine.events import AgentEvent, AgentSummary
from labcore.sweeps.wandb_engine.holder import Ending, TrialHolder
from labcore.sweeps.wandb_engine.server import Command, WandbServer
from labcore.sweeps.wandb_engine.trial_requests import RequestMaker

__all__ = ["AgentPace", "run_agent"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class AgentPace:
    """How often an agent looks, asks and tries."""

    heartbeat_s: float = 5.0
    """Seconds between two words to the server, as for W&B's own agent."""
    poll_s: float = 0.2
    """Seconds between two looks at the trial."""
    longest_pause_s: float = 60.0
    """Most seconds before a silent server is tried again; each wait is twice the one before."""
    grace_s: float = 120.0
    """Seconds from the request to stop to the kill: for a checkpoint and the last uploads."""


def run_agent(
    address: SweepAddress,
    *,
    server: WandbServer,
    requests: RequestMaker,
    start: Callable[[TrialRequest], RunningTrial],
    count: int | None = None,
    retries: int = 0,
    most_failures: int = 5,
    stop: threading.Event | None = None,
    tell: Callable[[AgentEvent], None] = lambda event: log.info("%s", event.text),
    pace: AgentPace | None = None,
) -> AgentSummary:
    """Runs trials of a sweep until the server sends the agent home.

    Any number of agents can run in one process, each in a thread of its own.

    Args:
        address: The sweep.
        server: Gives the trials.
        requests: Makes lab runs of them.
        start: Starts a trial, here or elsewhere.
        count: Trials to start at most; no limit when left out.
        retries: How often a trial is begun anew that failed by itself, or gone on with when its
            process was killed.
        most_failures: Trials that may fail in a row, none having finished, before the agent gives
            up: then the sweep is wrong, not the trial.
        stop: Sends the agent home when set: its trial writes a checkpoint, and W&B gives it to the
            next agent that asks.
        tell: Takes what happens, in the calling thread.
        pace: How often it looks and asks.

    Returns:
        How each trial ended, and why the agent went home.

    Raises:
        NotThere: There is no such sweep.
        RequirementError: The API key is refused.
        LabError: The server refuses the agent for another reason.
    """
    pace = pace or AgentPace()

    def started(command: Command, request: TrialRequest, attempt: int) -> None:
        chosen = ", ".join(f"{name}={_short(value)}" for name, value in command.values.items())
        what = "goes on" if request.resume else "starts" if attempt == 1 else "starts again"
        event = AgentEvent(
            kind="started" if attempt == 1 else "retried",
            text=f"{command.run_id} {what}: {chosen}",
            run_id=command.run_id,
            request=request,
        )
        tell(event)

    holder = TrialHolder(
        requests=requests, start=start, retries=retries, grace_s=pace.grace_s, started=started
    )
    agent = _Agent(
        address=address,
        server=server,
        holder=holder,
        left=count,
        most_failures=most_failures,
        stop=stop or threading.Event(),
        tell=tell,
        pace=pace,
    )
    return agent.run()


@dataclass(kw_only=True)
class _Agent:
    address: SweepAddress
    server: WandbServer
    holder: TrialHolder
    left: int | None
    most_failures: int
    stop: threading.Event
    tell: Callable[[AgentEvent], None]
    pace: AgentPace
    summary: AgentSummary = field(default_factory=AgentSummary)
    id: str = ""
    home: str = ""
    """Why the agent goes home, once it has no trial."""
    given: deque[Command] = field(default_factory=deque)
    """Trials that it has been given and not begun."""
    unreported: deque[Ending] = field(default_factory=deque)
    """Ends that the server does not know of."""
    ask_at: float = 0.0
    pause_s: float = 0.0
    """Grows while the server is silent."""
    failures: int = 0

    def run(self) -> AgentSummary:
        try:
            while True:
                self._settle(self.holder.look())
                self._begin_next()
                self._think_of_home()
                if self.home and self.holder.command is None and not self.unreported:
                    break
                if time.monotonic() >= self.ask_at:
                    self._talk()
                if self.home:
                    time.sleep(self.pace.poll_s)
                else:
                    self.stop.wait(self.pace.poll_s)
        except BaseException:
            self.holder.stop()  # nobody will be left to look after it
            raise
        self.summary.ended_by = self.home
        return self.summary

    def _think_of_home(self) -> None:
        if self.home:
            return
        if self.stop.is_set():
            self.home = "asked to stop"
            self.holder.stop()
        elif self.left == 0:
            self.home = "its count is reached"

    def _begin_next(self) -> None:
        while self.given and self.holder.command is None:
            if self.left is not None:
                self.left -= 1
            self._settle(self.holder.begin(self.given.popleft()))

    def _settle(self, ending: Ending | None) -> None:
        """Takes down how a trial ended."""
        if ending is None:
            return
        run_id, outcome, error = ending.command.run_id, ending.outcome, ending.result.error
        self.summary.outcomes[run_id] = outcome
        words = {"stopped": "stopped by W&B", "failed": f"failed: {error}"}
        event = AgentEvent(
            kind="ended",
            text=f"{run_id} {words.get(outcome, outcome)}",
            run_id=run_id,
            request=ending.request,
            result=ending.result,
            outcome=outcome,
        )
        self.tell(event)
        if not self.pause_s:
            self.ask_at = 0.0  # for the next trial, at once
        if outcome != "finished" and not ending.has_spoken:
            self.unreported.append(ending)
        if outcome != "failed":
            self.failures = 0
            return
        self.failures += 1
        self.summary.first_error = self.summary.first_error or error
        if self.failures >= self.most_failures and not self.summary.count("finished"):
            self.summary.gave_up = True
            self.home = self.home or f"{self.failures} trials in a row have failed"

    def _talk(self) -> None:
        """Says what the agent has, and takes what the server wants of it."""
        try:
            if not self.id:
                self.id = self.server.create_agent(self.address)
            self._report_ends()
            if self.home and self.holder.command is None:
                return  # another word would get it another trial
            running = [each.run_id for each in (self.holder.command, *self.given) if each]
            commands = self.server.heartbeat(self.id, running)
        except Unreachable as error:
            self._bear_silence(error)
            return
        except NotThere:
            if not self.id:
                raise
            self.home = self.home or "the sweep has been deleted"
            self.unreported.clear()
            self.ask_at = float("inf")
            return
        if self.pause_s:
            self.pause_s = 0.0
            self.tell(AgentEvent(kind="answering", text="W&B answers again"))
        self.ask_at = time.monotonic() + self.pace.heartbeat_s
        for command in commands:
            self._take(command)

    def _take(self, command: Command) -> None:
        has_it = self.holder.command is not None and self.holder.command.run_id == command.run_id
        if command.kind == "exit":
            self.home = self.home or "the sweep is over"
            self.given.clear()
            self.holder.stop_for_server()
        elif command.kind == "stop":
            if has_it:
                self.holder.stop_for_server()
        elif not has_it and not self.home and not self._is_old(command):
            self.given.append(command)

    def _is_old(self, command: Command) -> bool:
        """Whether the command has been taken before; an interrupted trial may come again."""
        is_given = any(each.run_id == command.run_id for each in self.given)
        outcome = self.summary.outcomes.get(command.run_id, "interrupted")
        return is_given or (command.kind == "run" and outcome != "interrupted")

    def _bear_silence(self, error: Unreachable) -> None:
        if not self.pause_s:
            text = f"{error.message}; trials go on, and the agent keeps asking"
            self.tell(AgentEvent(kind="silent", text=text))
        self.pause_s = min(self.pause_s * 2 or self.pace.heartbeat_s, self.pace.longest_pause_s)
        self.ask_at = time.monotonic() + self.pause_s
        if self.home and self.holder.command is None:
            self.unreported.clear()  # a run that is never heard of again counts as crashed anyway

    def _report_ends(self) -> None:
        while self.unreported:
            ending = self.unreported[0]
            command = ending.command
            try:
                self.server.report_end(
                    self.address,
                    command.run_id,
                    command.values,
                    exit_code=0 if ending.outcome == "stopped" else ending.result.exit_code or 1,
                    is_unfinished=ending.outcome == "interrupted",
                )
            except Unreachable:
                raise
            except LabError as error:
                log.warning("W&B cannot be told how %s ended: %s", command.run_id, error)
            self.unreported.popleft()


def _short(value: object) -> str:
    """Returns a value as people read it; the run folder has all its digits."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
