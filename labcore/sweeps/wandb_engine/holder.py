"""The one trial that an agent has: started, watched, tried again, stopped."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from labcore.errors import UsageError
from labcore.hooks.wandb.sweep import IDENTITY_FILE
from labcore.record.trial import leave_note, read_note
from labcore.sweeps.trial import RunningTrial, TrialRequest, TrialResult
from labcore.sweeps.wandb_engine.events import Outcome
from labcore.sweeps.wandb_engine.server import Command
from labcore.sweeps.wandb_engine.trial_requests import RequestMaker

__all__ = ["Ending", "TrialHolder"]

_SERVER = "W&B"
_Make = Callable[[str, Mapping[str, Any]], TrialRequest]


@dataclass(frozen=True, kw_only=True, slots=True)
class Ending:
    """How a trial ended, all attempts being over."""

    command: Command
    request: TrialRequest | None
    """None for a trial that could not even be asked for."""
    result: TrialResult
    outcome: Outcome

    @property
    def has_spoken(self) -> bool:
        """Whether W&B knows of the end from the run itself: it lived to its end, and W&B had it."""
        run = self.result.run
        is_whole = self.result.state in {"finished", "failed", "interrupted"}
        return is_whole and run is not None and (run / IDENTITY_FILE).exists()


@dataclass(kw_only=True, slots=True)
class TrialHolder:
    """Holds at most one trial."""

    requests: RequestMaker
    start: Callable[[TrialRequest], RunningTrial]
    retries: int
    grace_s: float
    started: Callable[[Command, TrialRequest, int], None]
    """Told of each start, with the number of the attempt."""
    command: Command | None = None
    """What the trial under way was asked for by; None when there is none."""
    _request: TrialRequest | None = None
    _handle: RunningTrial | None = None
    _attempts: int = 0
    _kill_at: float | None = None
    """When the trial is killed, once it has been asked to stop; never again once it has been."""

    def begin(self, command: Command) -> Ending | None:
        """Starts a trial; returns its end when it cannot be started."""
        self._attempts = 0
        return self._begin(command, self.requests.again)

    def look(self) -> Ending | None:
        """Looks after the trial; returns its end once it has come."""
        if self.command is None or self._handle is None:
            return None
        if not self._handle.poll():
            if self._kill_at is not None and time.monotonic() > self._kill_at:
                self._kill_at = math.inf
                self._handle.kill()
            return None
        command, request, result = self.command, self._request, self._handle.result()
        was_stopped = bool(read_note(self.requests.note(command.run_id)))
        was_asked = self._kill_at is not None
        self.command = self._request = self._handle = self._kill_at = None
        may_retry = self._attempts <= self.retries and not was_stopped and not was_asked
        if result.state in {"lost", "failed"} and may_retry:
            # One that failed by itself would only fail again where it left off.
            is_lost = result.state == "lost"
            return self._begin(command, self.requests.again if is_lost else self.requests.anew)
        outcome = _outcome(result, was_stopped=was_stopped, was_asked=was_asked)
        return Ending(command=command, request=request, result=result, outcome=outcome)

    def stop_for_server(self) -> None:
        """Ends the trial because W&B wants it: for W&B that is an end like any other."""
        if self.command is not None and self._kill_at is None:
            is_first = leave_note(self.requests.note(self.command.run_id), _SERVER)
            self._stop(by_signal=is_first)

    def stop(self) -> None:
        """Ends the trial for now: W&B gives it to the next agent that asks, to go on with."""
        if self.command is not None and self._kill_at is None:
            self._stop(by_signal=True)

    def _stop(self, *, by_signal: bool) -> None:
        assert self._handle is not None
        self._kill_at = time.monotonic() + self.grace_s
        if by_signal:
            self._handle.stop()

    def _begin(self, command: Command, make: _Make) -> Ending | None:
        self._attempts += 1
        try:
            request = make(command.run_id, command.values)
            handle = self.start(request)
        except UsageError as error:
            result = TrialResult(state="not started", error=str(error))
            return Ending(command=command, request=None, result=result, outcome="failed")
        self.command, self._request, self._handle = command, request, handle
        self.started(command, request, self._attempts)
        return None


def _outcome(result: TrialResult, *, was_stopped: bool, was_asked: bool) -> Outcome:
    if result.state == "finished":
        return "finished"
    if was_stopped:
        return "stopped"
    by_signal = was_asked and (result.exit_code or 0) > 128
    return "interrupted" if by_signal or result.state == "interrupted" else "failed"
