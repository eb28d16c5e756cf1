"""Starts trials on this machine: through the warm worker, or each in a fresh process."""

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from labcore.errors import UsageError
from labcore.sweeps.agents.lock import name_holder
from labcore.sweeps.agents.preload import can_fork
from labcore.sweeps.agents.process import TrialProcess, Word
from labcore.sweeps.trial import RunningTrial, TrialRequest
from labcore.sweeps.trial_process import ProcessTrial

__all__ = ["LocalStarter"]

_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


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
        self._setup = {"plugin": plugin, "overrides": list(overrides)}
        self.warm = can_fork(framework, sys.platform) if warm is None else warm
        self._threads = threads
        self._env = dict(env or {})
        self._log = log
        self._worker: subprocess.Popen[bytes] | None = None
        self._pending = b""
        self._words: dict[int, Word] = {}
        self._was_ready = False

    @property
    def worker_pid(self) -> int | None:
        """Process id of the worker, once there is one."""
        return None if self._worker is None else self._worker.pid

    def start(self, request: TrialRequest) -> RunningTrial:
        """Starts a trial; a worker that has died is replaced first."""
        if not self.warm:
            return _start_afresh(request, self._variables())
        order = {"start": request.to_json()}
        for _ in range(2):
            worker = self._living_worker()
            try:
                _write(worker, order)
                break
            except BrokenPipeError:
                self._bury()
        self._words[request.number] = "waiting"
        return TrialProcess(request, lambda: self._word(request.number))

    def close(self) -> None:
        """Lets the worker go; trials under way go on."""
        if self._worker is not None:
            worker, self._worker = self._worker, None
            assert worker.stdin is not None
            assert worker.stdout is not None
            worker.stdin.close()
            worker.wait()
            worker.stdout.close()

    def _word(self, number: int) -> Word:
        self._listen()
        return self._words.get(number)

    def _listen(self) -> None:
        if self._worker is None:
            return
        assert self._worker.stdout is not None
        while True:
            try:
                data = os.read(self._worker.stdout.fileno(), 65536)
            except BlockingIOError:
                return
            if not data:
                self._bury()
                return
            *lines, self._pending = (self._pending + data).split(b"\n")
            for line in lines:
                self._take(json.loads(line))

    def _take(self, event: dict[str, Any]) -> None:
        self._was_ready = self._was_ready or "ready" in event
        for kind in ("started", "busy"):
            if kind in event:
                self._words[event[kind]] = None
        if "ended" in event:
            self._words[event["ended"]] = event["code"]

    def _living_worker(self) -> "subprocess.Popen[bytes]":
        self._listen()
        if self._worker is None:
            self._worker = self._make_worker()
        return self._worker

    def _make_worker(self) -> "subprocess.Popen[bytes]":
        with self._log.open("ab") as stream:
            worker = subprocess.Popen(
                [sys.executable, "-m", "labcore.sweeps.agents.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stream,
                env={**os.environ, **self._variables()},
                start_new_session=True,
                bufsize=0,
            )
        assert worker.stdout is not None
        os.set_blocking(worker.stdout.fileno(), False)
        self._pending = b""
        _write(worker, self._setup)
        return worker

    def _variables(self) -> dict[str, str]:
        threads = dict.fromkeys(_THREADS, str(self._threads))
        return {"OMP_WAIT_POLICY": "passive", **threads, **self._env}

    def _bury(self) -> None:
        """Forgets a worker that has died; if it died while it imported, trials do without."""
        worker, self._worker = self._worker, None
        self._words = {n: word for n, word in self._words.items() if isinstance(word, int)}
        if worker is None:
            return
        worker.kill()
        worker.wait()
        for stream in (worker.stdin, worker.stdout):
            if stream is not None:
                stream.close()
        if not self._was_ready:
            self.warm = False


def _start_afresh(request: TrialRequest, variables: Mapping[str, str]) -> RunningTrial:
    request = dataclasses.replace(request, env={**variables, **request.env})
    try:
        trial = ProcessTrial(request)
    except UsageError:  # something of it still runs
        return TrialProcess(request)
    if request.lock is not None:
        name_holder(request.lock, trial.pid)
    return trial


def _write(worker: "subprocess.Popen[bytes]", row: dict[str, Any]) -> None:
    assert worker.stdin is not None
    worker.stdin.write(json.dumps(row).encode() + b"\n")
