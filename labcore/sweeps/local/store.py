"""The study: every trial of a sweep and what came of it, in Optuna's storage.

The study is the truth. A trial is in it, with its values and its run folder, before it starts; the
outcome is written once, since the storage refuses to change a trial that has ended. Only the
controller of the sweep writes, one at a time. Optuna's dashboard can read along.
"""

import json
import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from labcore.discovery import install_command
from labcore.errors import LabError, RequirementError
from labcore.record.files import drop_torn_line
from labcore.record.redaction import redact_text
from labcore.sweeps.local.record import Record

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.storages import BaseStorage
    from optuna.trial import FrozenTrial

__all__ = ["JOURNAL", "TrialStore"]

JOURNAL = "study.journal"
_ATTRIBUTE = "lab"
"""Attribute of an Optuna trial with the rest of its record."""
_NAN_ATTRIBUTE = "lab_nan"
"""Indexes of logs that were not finite, which Optuna does not keep."""

_STATES = {
    "completed": "COMPLETE",
    "stopped early": "PRUNED",
    "diverged": "PRUNED",
    "failed": "FAIL",
}
"""An outcome to Optuna's name for it."""


class TrialStore:
    """The trials of one sweep.

    Args:
        folder: The sweep's folder, which has the journal.
        name: Name of the study; it is made when there is none.
        goal: ``minimize`` or ``maximize``.
        url: A database in place of the journal, such as ``postgresql+psycopg://host/name``.
        reading: Whether to leave everything as it is; the controller may be at work.
        expected: How many trials it is known to have.

    Raises:
        RequirementError: Optuna or the database's driver is not installed, the database does not
            answer, or the study is damaged.
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        *,
        goal: str = "minimize",
        url: str = "",
        reading: bool = False,
        expected: int = 0,
    ) -> None:
        try:
            import optuna
        except ImportError as error:
            raise RequirementError(
                "a sweep without W&B's server needs Optuna, which is not installed",
                fix=install_command("sweeps"),
            ) from error
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._journal, self._url, self._reading = folder / JOURNAL, url, reading
        self._study: int | None = None
        self._ids: dict[int, int] = {}
        self._known: dict[int, list[float]] = {}
        with self._told():
            self._storage = _database(url, reading) if url else _journal(self._journal, reading)
            # The storage itself, and not a Study: it alone creates a trial with all its fields.
            try:
                self._study = self._storage.get_study_id_from_name(name)
            except KeyError:
                if not reading:
                    direction = optuna.study.StudyDirection[goal.upper()]
                    self._study = self._storage.create_new_study([direction], name)
            if expected and (found := len(self.records())) < expected:
                raise ValueError(f"it has {found} of the {expected} trials that the sweep had")

    def records(self) -> list[Record]:
        """Returns every trial, by number."""
        found: list[Record] = []
        if self._study is None:
            return found
        with self._told():
            for trial in self._storage.get_all_trials(self._study, deepcopy=False):
                if _ATTRIBUTE not in trial.user_attrs:
                    continue  # somebody else's
                record = _record_of(trial)
                self._ids[trial.number] = trial._trial_id
                self._known[trial.number] = list(record.history)
                if record.outcome and not trial.state.is_finished() and not self._reading:
                    self._end(record)  # the controller was killed between two writes
                found.append(record)
        return sorted(found, key=lambda record: record.number)

    def create(self, record: Record, distributions: "Mapping[str, BaseDistribution]") -> Record:
        """Enters a new trial, as running.

        Args:
            record: The trial; its number must be the next one.
            distributions: What Optuna searches, by name.
        """
        from optuna.trial import TrialState, create_trial

        assert self._study is not None, "opened for writing"
        trial = create_trial(
            state=TrialState.RUNNING,
            params=dict(record.params),
            distributions=dict(distributions),
            user_attrs={_ATTRIBUTE: record.to_json()},
        )
        with self._told():
            identity = self._storage.create_new_trial(self._study, template_trial=trial)
            number = self._storage.get_trial_number_from_id(identity)
        if number != record.number:
            raise RequirementError(
                f"the study has a trial {number} that this sweep did not make",
                fix="use a storage, or a name, that no other sweep uses",
            )
        self._ids[number] = identity
        self._known[number] = []
        return record

    def update(self, record: Record) -> None:
        """Writes down what has changed of a trial that is still open."""
        identity = self._ids[record.number]
        with self._told():
            self._storage.set_trial_user_attr(identity, _ATTRIBUTE, record.to_json())

    def log(self, record: Record) -> None:
        """Writes down the logs of the metric that are new."""
        identity, known = self._ids[record.number], self._known[record.number]
        with self._told():
            for index, value in enumerate(record.history):
                is_new = index >= len(known) or known[index] != value
                if is_new and math.isfinite(value):
                    self._storage.set_trial_intermediate_value(identity, index, value)
            missing = [i for i, value in enumerate(record.history) if not math.isfinite(value)]
            if missing != [i for i, value in enumerate(known) if not math.isfinite(value)]:
                self._storage.set_trial_user_attr(identity, _NAN_ATTRIBUTE, missing)
        self._known[record.number] = list(record.history)

    def finish(self, record: Record) -> None:
        """Writes down the outcome, once and for all."""
        assert record.outcome, "a trial ends with an outcome"
        record.ended = record.ended or time.time()
        self.log(record)
        self.update(record)
        with self._told():
            self._end(record)

    def _end(self, record: Record) -> None:
        from optuna.exceptions import UpdateFinishedTrialError
        from optuna.trial import TrialState

        value = None if record.outcome == "failed" else record.value
        if record.outcome == "completed" and value is None:
            value = 0.0  # Optuna knows no result without one; a sweep without a metric has no other
        state, values = TrialState[_STATES[record.outcome]], None if value is None else [value]
        try:
            self._storage.set_trial_state_values(self._ids[record.number], state, values)
        except UpdateFinishedTrialError:
            return

    def close(self) -> None:
        """Ends the connection to a database."""
        self._storage.remove_session()

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Makes of whatever Optuna raises one message, and a fix for this kind of storage."""
        from optuna.exceptions import UpdateFinishedTrialError

        try:
            yield
        except (LabError, UpdateFinishedTrialError):
            raise
        except Exception as error:
            reason = redact_text(str(error).partition("\n")[0]) or type(error).__name__
            if not self._url:
                what, reason = f"study {self._journal}", _damage(self._journal) or reason
                fix = "put back a copy of it, or start another sweep; the runs of its trials stay"
            elif self._url.startswith("sqlite"):
                what = f"database {redact_text(self._url)}"
                fix = (
                    "look at the path (sqlite:////absolute/path/study.db); if the file is damaged, "
                )
                fix += "put back a copy of it"
            else:
                what = f"database {redact_text(self._url)}"
                fix = "look at the URL: postgresql+psycopg://user@host/database, and at the server"
            raise RequirementError(f"the {what} cannot be used: {reason}", fix=fix) from error


def _record_of(trial: "FrozenTrial") -> Record:
    row: dict[str, Any] = trial.user_attrs[_ATTRIBUTE]
    logs = trial.intermediate_values
    missing = trial.user_attrs.get(_NAN_ATTRIBUTE, [])
    last = max([*logs, *missing], default=-1)
    history = [logs.get(index, math.nan) for index in range(last + 1)]
    return Record.from_json(row, number=trial.number, params=trial.params, history=history)


def _journal(path: Path, reading: bool) -> "BaseStorage":
    from optuna.storages import InMemoryStorage, JournalStorage
    from optuna.storages.journal import JournalFileBackend

    if reading and not path.exists():
        return InMemoryStorage()
    # Optuna's own lock outlives a controller that is killed with it, and is then waited for, for
    # 30 s; the kernel frees this one. It has the two methods that Optuna calls.
    lock: Any = FileLock(f"{path}.lock")
    if not reading:  # half a line at the end, which Optuna reads past, may be about to be whole
        with lock:
            drop_torn_line(path)
    return JournalStorage(JournalFileBackend(str(path), lock_obj=lock))


def _database(url: str, reading: bool) -> "BaseStorage":
    from optuna.storages import get_storage
    from sqlalchemy.engine import make_url

    file = make_url(url).database if reading and url.startswith("sqlite") else None
    if file and not Path(file).exists():
        raise FileNotFoundError(f"there is no file {file}")
    try:
        return get_storage(url)
    except ImportError as error:
        raise RequirementError(
            f"the database {redact_text(url)} needs a driver that is not installed: {error}",
            fix='pip install "psycopg[binary]" for postgresql+psycopg://, pymysql for '
            "mysql+pymysql://",
        ) from error


def _damage(journal: Path) -> str:
    """Returns which line of a journal is the first that no sampler wrote; nothing if none is."""
    from optuna.storages.journal._storage import JournalOperation

    try:
        lines = journal.read_bytes().split(b"\n")
    except OSError:
        return ""
    for number, line in enumerate(lines[:-1], 1):
        try:
            JournalOperation(json.loads(line)["op_code"])
        except (ValueError, TypeError, KeyError, RecursionError):
            return f"line {number} of {len(lines) - 1} is damaged"
    return ""
