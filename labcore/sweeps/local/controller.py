"""The controller of a sweep. Read :meth:`Controller.run` first; the rest is what it calls.

One process controls a sweep at a time. It can be killed at any moment: what it knows is in the
study, a trial's folder is in the study before the trial starts, and a trial does not need it to
live. The next controller takes up what it finds: trials that still run, that have ended meanwhile,
that were cut short.
"""

import time
from dataclasses import dataclass
from typing import Literal

from labcore.errors import LabError
from labcore.run.signals import StopSignal
from labcore.sweeps.folder import SweepFolder, SweepStatus
from labcore.sweeps.local.live import LiveTrial, device_of
from labcore.sweeps.local.metric_log import MetricLog
from labcore.sweeps.local.record import Record
from labcore.sweeps.local.requests import Requests
from labcore.sweeps.local.settlement import settle
from labcore.sweeps.local.standing import Standing
from labcore.sweeps.local.store import TrialStore
from labcore.sweeps.local.suggest import Suggester
from labcore.sweeps.local.verdict import judge
from labcore.sweeps.local.watch import Watch
from labcore.sweeps.sweep import Sweep
from labcore.sweeps.trial import RunningTrial, Starter, status_of

__all__ = ["Controller", "Ended"]

_TICK_S = 0.05
_BEAT_S = 2.0
_SHOW_S = 0.25
_GRACE_S = 90.0
"""How long a trial may take to write its checkpoint."""
_LONGEST_PAUSE_S = 60.0
"""Between two tries to start a trial that a scheduler refuses."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """How a controller's work ended."""

    state: Literal["finished", "interrupted", "failed"]
    message: str = ""
    exit_code: int = 0


class Controller:
    """Runs the trials of a sweep to its end.

    Args:
        sweep: The sweep file.
        folder: The sweep's folder; the caller holds its lock.
        store: The study.
        suggester: Says which values the next trial gets.
        starter: Starts trials.
        requests: Makes the requests.
        agents: Trials at once.
        limit: Most trials; None when there is no end.
        retries: How often a trial that failed is tried again.
        patience: Failed trials, or refused starts, in a row after which the sweep is given up.
        watch: Shows it.
    """

    def __init__(
        self,
        sweep: Sweep,
        folder: SweepFolder,
        store: TrialStore,
        suggester: Suggester,
        starter: Starter,
        requests: Requests,
        *,
        agents: int = 1,
        limit: int | None = None,
        retries: int = 1,
        patience: int = 5,
        watch: Watch,
    ) -> None:
        self._sweep = sweep
        self._folder = folder
        self._store = store
        self._suggester = suggester
        self._starter = starter
        self._requests = requests
        self._agents = agents
        self._retries = retries
        self._patience = patience
        self._watch = watch
        self._status = SweepStatus(sweep=folder.name, plugin=sweep.plugin)
        self._stop = StopSignal()
        self._live: dict[int, LiveTrial] = {}
        self._due: list[Record] = []
        """Open trials that wait for an agent."""
        self._standing = Standing(sweep, folder.name, agents=agents, limit=limit)
        self._is_exhausted = False
        self._refusals: list[LabError] = []
        """Of starts, in a row: a queue that is full, a scheduler that does not answer."""
        self._next_start = 0.0
        self._beaten = self._shown = 0.0

    def run(self) -> Ended:
        """Starts trials until there are no more, or there is a reason to stop.

        Raises:
            Interrupted: A second signal came while the trials wrote their checkpoints.
        """
        self._folder.forget_stop()
        self._folder.write_status(self._status)  # from here on the folder is in use
        with self._stop.installed():
            with self._stop.deferred():
                self._take_up()
                self._look()
                while (ended := self._reason_to_end()) is None:
                    self._start_trials()
                    self._tell()
                    time.sleep(_TICK_S)
                    self._look()
            self._wind_down()
        self._status.state = ended.state
        self._status.message = ended.message
        self._status.ended = time.time()
        self._tell(at_once=True)
        return ended

    def _take_up(self) -> None:
        """Finds the trials of an earlier controller, whatever has become of them."""
        for record in self._store.records():
            self._standing.add(record)
            if record.is_open:
                handle = self._starter.adopt(self._requests.make(record))
                self._live[record.number] = self._follow(record, handle)
                self._live[record.number].adopted = True
                if not handle.poll():
                    self._watch.event("adopted", record)

    def _reason_to_end(self) -> Ended | None:
        if self._stop.number is not None:
            code = 128 + self._stop.number
            return Ended(state="interrupted", message="stopped by a signal", exit_code=code)
        if self._folder.is_asked_to_stop():
            return Ended(state="interrupted", message="stopped by lab sweep stop", exit_code=143)
        failed = self._standing.failed_in_a_row
        if len(failed) >= self._patience:
            first = failed[0]
            message = f"{len(failed)} trials in a row failed; trial {first.number}: {first.reason}"
            return Ended(state="failed", message=message, exit_code=1)
        if len(self._refusals) >= self._patience and not self._live:
            message = f"no trial could be started: {_in_a_line(self._refusals[-1])}"
            return Ended(state="failed", message=message, exit_code=self._refusals[-1].exit_code)
        if self._live or self._due or self._wants_more():
            return None
        return self._finished()

    def _finished(self) -> Ended:
        reached = self._standing.reached_target()
        if reached is not None:
            return Ended(state="finished", message=f"trial {reached.number} reached the target")
        if not self._standing.has_result:
            message = "no trial gave a result"
            return Ended(state="failed", message=message, exit_code=1)
        return Ended(state="finished")

    def _wants_more(self) -> bool:
        return not (
            self._is_exhausted
            or self._standing.is_full
            or self._standing.reached_target() is not None
        )

    def _start_trials(self) -> None:
        while len(self._live) < self._agents and self._stop.number is None:
            if time.monotonic() < self._next_start:
                return
            if self._due:
                self._go_on(self._due.pop(0))
            elif self._wants_more():
                self._begin()
            else:
                return

    def _begin(self) -> None:
        """Asks for values, writes the trial down, and starts it."""
        number = len(self._standing.records)
        suggestion = self._suggester.suggest(number, self._standing.records)
        if suggestion is None:
            self._is_exhausted = True
            return
        folder, attempt = self._requests.run_folder(number, 0)
        record = Record(
            number=number,
            values=suggestion.values,
            params=suggestion.params,
            folder=folder,
            attempts=attempt,
            created=time.time(),
            started=time.time(),
        )
        self._store.create(record, self._suggester.distributions)
        self._standing.add(record)
        self._start(record, resume=False)

    def _go_on(self, record: Record) -> None:
        """Starts a trial again: from its last checkpoint, or anew in another folder."""
        status = status_of(record.folder)
        resume = (
            status is not None
            and status.state not in {"failed", "finished"}
            and (record.folder / "config.yaml").exists()
        )
        if not resume and record.folder.exists():
            record.folder, record.attempts = self._requests.run_folder(
                record.number, record.attempts + 1
            )
            record.reached = 0
        record.started = record.started or time.time()
        self._store.update(record)
        self._start(record, resume=resume)

    def _start(self, record: Record, *, resume: bool) -> None:
        """Starts a trial; one that is refused is due again, after a pause that grows."""
        try:
            handle = self._starter.start(self._requests.make(record, resume=resume))
        except LabError as error:
            self._refusals.append(error)
            pause_s = min(2.0 ** (len(self._refusals) - 1), _LONGEST_PAUSE_S)
            self._next_start = time.monotonic() + pause_s
            self._due.insert(0, record)
            again = "" if len(self._refusals) >= self._patience else f"; again in {pause_s:g} s"
            self._watch.say(f"trial {record.number} could not be started{again}: {error}")
            return
        self._refusals.clear()
        self._live[record.number] = self._follow(record, handle)
        self._watch.event("resumed" if resume else "started", record)

    def _follow(self, record: Record, handle: RunningTrial) -> LiveTrial:
        metric = self._sweep.metric
        log = None if metric is None else MetricLog(record.folder, metric.name)
        return LiveTrial(record=record, handle=handle, log=log)

    def _look(self) -> None:
        """Reads what trials have logged, stops those without hope, settles those that ended."""
        for live in list(self._live.values()):
            if live.handle.poll():
                del self._live[live.record.number]
                self._settle(live)
        for live in self._live.values():
            self._read_log(live)
            live.device = live.device or device_of(live.record)
            if live.killed_at < time.monotonic():
                live.handle.kill()
        # A new log of one trial may change the threshold for another. One that has been asked to
        # end is asked once: a second signal would cut its checkpoint short.
        if self._standing.take_news():
            for live in self._live.values():
                if not live.is_stopping:
                    self._judge(live)

    def _read_log(self, live: LiveTrial) -> None:
        if live.log is None or not live.log.read():
            return
        live.record.history = list(live.log.values)
        assert self._sweep.metric is not None, "there is a log"
        live.record.value = self._sweep.metric.best(live.record.history)
        self._standing.news = True
        if time.monotonic() > live.logged + _BEAT_S:
            live.logged = time.monotonic()
            self._store.log(live.record)

    def _judge(self, live: LiveTrial) -> None:
        others = [
            each.history for each in self._standing.records if each.number != live.record.number
        ]
        verdict = judge(self._sweep, live.record.history, others)
        if verdict is not None:
            live.verdict = verdict
            live.stop(_GRACE_S)
            self._watch.event("stopping", live.record, verdict.reason)

    def _settle(self, live: LiveTrial) -> None:
        """Writes down what becomes of a trial whose process has ended."""
        record, result = live.record, live.handle.result()
        self._read_log(live)
        decision = settle(live, result, metric=self._sweep.metric, retries=self._retries)
        if decision.outcome:
            record.outcome, record.reason = decision.outcome, decision.reason
            self._store.finish(record)
            self._standing.end(record)
            self._watch.event("ended", record)
        else:
            self._store.log(record)
            self._store.update(record)
            self._due.append(record)
            self._watch.event("again", record, decision.reason)

    def _wind_down(self) -> None:
        """Lets the trials under way write their checkpoints; they stay open."""
        for live in self._live.values():
            if not live.is_stopping:
                live.stop(_GRACE_S)
                live.adopted = True  # what happens to it now is not its own failure
        if self._live:
            self._watch.say(f"{len(self._live)} trials write their checkpoints")
        while self._live:
            self._look()
            self._tell()
            time.sleep(_TICK_S)
        self._starter.close()

    def _tell(self, *, at_once: bool = False) -> None:
        now = time.monotonic()
        if at_once or now > self._shown + _SHOW_S:
            self._shown = now
            self._watch.show(self._standing.snapshot(self._live.values()))
        if at_once or now > self._beaten + _BEAT_S:
            self._beaten = now
            self._status.heartbeat = time.time()
            self._status.counts = self._standing.counts(self._live)
            best = self._standing.best()
            if best is not None and best.value is not None:
                self._status.best = {"trial": best.number, "value": best.value}
            self._folder.write_status(self._status)


def _in_a_line(error: LabError) -> str:
    return " ".join(line.strip() for line in error.message.splitlines())
