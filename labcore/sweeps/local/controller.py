"""The controller of a sweep. Read :meth:`Controller.run` first; the rest is what it calls.

One process controls a sweep at a time. It can be killed at any moment: what it knows is in the
study, a trial's folder is in the study before the trial starts, and a trial does not need it to
live. The next controller takes up what it finds: trials that still run, that have ended meanwhile,
that were cut short.
"""

import time
from pathlib import Path
from typing import Literal, NamedTuple

from labcore.errors import LabError
from labcore.run.signals import StopSignal
from labcore.sweeps.folder import Settings, SweepFolder, SweepStatus
from labcore.sweeps.local.metric_log import MetricLog
from labcore.sweeps.local.record import Record
from labcore.sweeps.local.standing import LiveTrial, Standing, Watch, limit_of
from labcore.sweeps.local.store import TrialStore
from labcore.sweeps.local.suggest import Sampler, Suggester
from labcore.sweeps.local.verdict import judge, settle
from labcore.sweeps.overrides import as_overrides
from labcore.sweeps.prepare import Prepared
from labcore.sweeps.trial import Launcher, RunningTrial, TrialRequest, status_of

__all__ = ["Controller", "Ended"]

_TICK_S = 0.05
_BEAT_S = 2.0
_SHOW_S = 0.25
_GRACE_S = 90.0
"""How long a trial may take to write its checkpoint."""
_LONGEST_PAUSE_S = 60.0
"""Between two tries to start a trial that a scheduler refuses."""


class Ended(NamedTuple):
    """How a controller's work ended."""

    state: Literal["finished", "interrupted", "failed"]
    message: str = ""
    exit_code: int = 0


class Controller:
    """Runs the trials of a sweep to its end.

    Args:
        folder: The sweep's folder; the caller holds its lock.
        prepared: The sweep, checked.
        settings: Of the sweep.
        store: The study.
        launcher: Starts trials.
        patience: Failed trials, or refused starts, in a row after which the sweep is given up.
        watch: Shows it.
    """

    def __init__(
        self,
        folder: SweepFolder,
        prepared: Prepared,
        settings: Settings,
        store: TrialStore,
        launcher: Launcher,
        *,
        patience: int,
        watch: Watch,
    ) -> None:
        self._sweep = prepared.sweep
        self._prepared = prepared
        self._overrides = prepared.overrides_in(folder, settings)
        self._folder = folder
        self._settings = settings
        self._store = store
        sampler: Sampler = "gp" if settings.sampler == "gp" else "tpe"
        self._suggester = Suggester(self._sweep, seed=settings.seed, sampler=sampler)
        self._starter = launcher.starter
        self._patience = patience
        self._watch = watch
        self._status = SweepStatus(sweep=folder.name, plugin=self._sweep.plugin)
        self._stop = StopSignal()
        self._standing = Standing(
            sweep=self._sweep,
            name=folder.name,
            agents=launcher.agents,
            limit=limit_of(self._sweep, settings.count),
        )
        self._live = self._standing.live
        self._due: list[Record] = []
        """Open trials that wait for an agent."""
        self._failed: list[Record] = []
        """In a row, the newest last; emptied by every trial that does not fail."""
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
            self._standing.records.append(record)
            if record.is_open:
                handle = self._starter.adopt(self._request(record))
                self._follow(record, handle, adopted=True)
                if not handle.poll():
                    self._watch.event("adopted", record)

    def _reason_to_end(self) -> Ended | None:
        if self._stop.number is not None:
            code = 128 + self._stop.number
            return Ended("interrupted", "stopped by a signal", code)
        if self._folder.is_asked_to_stop():
            return Ended("interrupted", "stopped by lab sweep stop", 143)
        failed = self._failed
        if len(failed) >= self._patience:
            first = failed[0]
            message = f"{len(failed)} trials in a row failed; trial {first.number}: {first.reason}"
            return Ended("failed", message, 1)
        if len(self._refusals) >= self._patience and not self._live:
            last = self._refusals[-1]
            why = " ".join(line.strip() for line in last.message.splitlines())
            return Ended("failed", f"no trial could be started: {why}", last.exit_code)
        if self._live or self._due or self._wants_more():
            return None
        if (reached := self._standing.reached_target) is not None:
            return Ended("finished", f"trial {reached.number} reached the target")
        if all(each.outcome in {"", "failed"} for each in self._standing.records):
            return Ended("failed", "no trial gave a result", 1)
        return Ended("finished")

    def _wants_more(self) -> bool:
        return not self._standing.is_full and self._standing.reached_target is None

    def _start_trials(self) -> None:
        while len(self._live) < self._standing.agents and self._stop.number is None:
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
        folder, attempt = self._run_folder(number, 0)
        record = Record(
            number=number,
            values=self._prepared.values_of(suggestion.values),
            params=suggestion.params,
            folder=folder,
            attempts=attempt,
            created=time.time(),
            started=time.time(),
        )
        self._store.create(record, self._suggester.distributions)
        self._standing.records.append(record)
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
            record.folder, record.attempts = self._run_folder(record.number, record.attempts + 1)
            record.reached = 0
        record.started = record.started or time.time()
        self._store.update(record)
        self._start(record, resume=resume)

    def _start(self, record: Record, *, resume: bool) -> None:
        """Starts a trial; one that is refused is due again, after a pause that grows."""
        try:
            handle = self._starter.start(self._request(record, resume=resume))
        except LabError as error:
            self._refusals.append(error)
            pause_s = min(2.0 ** (len(self._refusals) - 1), _LONGEST_PAUSE_S)
            self._next_start = time.monotonic() + pause_s
            self._due.insert(0, record)
            again = "" if len(self._refusals) >= self._patience else f"; again in {pause_s:g} s"
            self._watch.say(f"trial {record.number} could not be started{again}: {error}")
            return
        self._refusals.clear()
        self._follow(record, handle)
        self._watch.event("resumed" if resume else "started", record)

    def _run_folder(self, number: int, attempt: int) -> tuple[Path, int]:
        """Returns a run folder that is not there yet, and which attempt it is.

        Args:
            number: Of the trial.
            attempt: The first that may be; a trial that is begun anew gets another folder, and so
                does one whose name a sweep of the same name has taken.
        """
        runs = Path(self._settings.runs_dir).absolute() / self._settings.plugin
        while True:
            again = f"-{attempt + 1}" if attempt else ""
            folder = runs / f"{self._folder.name}-{number:04}{again}"
            if not folder.exists():
                return folder, attempt
            attempt += 1

    def _request(self, record: Record, *, resume: bool = False) -> TrialRequest:
        return TrialRequest(
            sweep=self._folder.name,
            number=record.number,
            overrides=(*self._overrides, *as_overrides(record.values)),
            folder=record.folder,
            resume=resume,
            log=self._folder.trial_file(record.number, "log").absolute(),
            lock=self._folder.trial_file(record.number, "lock").absolute(),
        )

    def _follow(self, record: Record, handle: RunningTrial, *, adopted: bool = False) -> None:
        metric = self._sweep.metric
        log = None if metric is None else MetricLog(record.folder, metric.name)
        live = LiveTrial(record=record, handle=handle, log=log, adopted=adopted)
        self._live[record.number] = live

    def _look(self) -> None:
        """Reads what trials have logged, stops those without hope, settles those that ended."""
        has_news = False
        for live in list(self._live.values()):
            has_ended = live.handle.poll()
            has_news |= self._read_log(live)  # its last logs too, now that it has ended
            if has_ended:
                del self._live[live.record.number]
                self._settle(live)
                continue
            if not live.device:
                live.look_for_device()
            if live.killed_at < time.monotonic():
                live.handle.kill()
        # A new log of one trial may change the threshold for another. One that has been asked to
        # end is asked once: a second signal would cut its checkpoint short.
        if has_news:
            for live in self._live.values():
                if not live.is_stopping:
                    self._judge(live)

    def _read_log(self, live: LiveTrial) -> bool:
        """Reads what a trial has logged; returns whether there was anything new."""
        metric, record = self._sweep.metric, live.record
        if metric is None or live.log is None or not live.log.read():
            return False
        record.history = list(live.log.values)
        record.value = metric.best(record.history)
        if time.monotonic() > live.logged + _BEAT_S:
            live.logged = time.monotonic()
            self._store.log(record)
        return True

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
        decision = settle(live, result, metric=self._sweep.metric, retries=self._settings.retries)
        if decision.outcome:
            record.outcome, record.reason = decision.outcome, decision.reason
            self._store.finish(record)
            self._failed = [*self._failed, record] if record.outcome == "failed" else []
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
            self._watch.show(self._standing)
        if at_once or now > self._beaten + _BEAT_S:
            self._beaten = now
            self._status.heartbeat = time.time()
            self._status.counts = self._standing.counts
            best = self._standing.best
            if best is not None and best.value is not None:
                self._status.best = {"trial": best.number, "value": best.value}
            self._folder.write_status(self._status)
