"""Starts trials on this machine: through the warm worker, or each in a fresh process."""

import dataclasses
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from labcore.errors import UsageError
from labcore.sweeps.companion import Companion
from labcore.sweeps.trial import RunningTrial, TrialRequest, thread_variables
from labcore.sweeps.trial_process import TrialProcess, Word, start_process

__all__ = ["LocalStarter", "can_fork"]


class LocalStarter:
    """Starts trials as processes of this machine.

    Args:
        plugin: Name of the plugin.
        overrides: What every trial sets.
        framework: The plugin's framework.
        threads: CPU threads of each trial.
        env: Variables that the framework reads when it is imported.
        log: Takes what the worker has to say.
        warm: Whether trials share their imports; where the platform allows when None.
    """

    def __init__(
        self,
        *,
        plugin: str,
        overrides: Sequence[str],
        framework: str,
        threads: int,
        log: Path,
        env: Mapping[str, str] | None = None,
        warm: bool | None = None,
    ) -> None:
        self._setup = (plugin, tuple(overrides))
        self.warm = can_fork(framework, sys.platform) if warm is None else warm
        self._env = {**thread_variables(threads), **(env or {})}
        self._log = log
        self._worker: Companion | None = None
        self._words: dict[int, Word] = {}
        self._was_ready = False

    def start(self, request: TrialRequest) -> RunningTrial:
        """Starts a trial; a worker that has died is replaced first."""
        if not self.warm:
            request = dataclasses.replace(request, env={**self._env, **request.env})
            try:
                return start_process(request)
            except UsageError:  # something of it still runs
                return TrialProcess(request)
        for _ in range(2):
            try:
                self._living_worker().pipe.send(request)
                break
            except OSError:
                self._bury()
        self._words[request.number] = "waiting"
        return TrialProcess(request, lambda: self._word(request.number))

    def adopt(self, request: TrialRequest) -> RunningTrial:
        """Finds a trial that was started by an earlier controller, or its worker."""
        return TrialProcess(request)

    def close(self) -> None:
        """Lets the worker go; trials under way go on."""
        if self._worker is not None:
            worker, self._worker = self._worker, None
            worker.close()

    def _word(self, number: int) -> Word:
        self._listen()
        return self._words.get(number)

    def _listen(self) -> None:
        try:
            while self._worker is not None and self._worker.pipe.poll():
                event = self._worker.pipe.recv()
                self._was_ready = True
                self._words.update(event)
        except (EOFError, OSError):
            self._bury()

    def _living_worker(self) -> Companion:
        self._listen()
        if self._worker is None:
            module = "labcore.sweeps.agents.worker"
            self._worker = Companion(module, log=self._log, env=self._env)
            self._worker.pipe.send(self._setup)
        return self._worker

    def _bury(self) -> None:
        """Forgets a worker that has died; if it died while it imported, trials do without."""
        worker, self._worker = self._worker, None
        self._words = {n: word for n, word in self._words.items() if isinstance(word, int)}
        if worker is not None:
            worker.close(patience_s=0.0)
            self.warm = self.warm and self._was_ready


def can_fork(framework: str, platform: str) -> bool:
    """Whether a process that has imported a framework may fork.

    TensorFlow starts threads when it is imported, and so do macOS's own libraries: a fork would
    have their locks and not the threads that open them.

    Args:
        framework: The plugin's.
        platform: ``sys.platform``.
    """
    return platform.startswith("linux") and framework in {"torch", "none"}
