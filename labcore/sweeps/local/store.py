"""The study: every trial of a sweep and what came of it, in Optuna's storage.

The study is the truth. A trial is in it, with its values and its run folder, before it starts; the
outcome is written once, since the storage refuses to change a trial that has ended. Only the
controller of the sweep writes, one at a time. Optuna's dashboard can read along.
"""

import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from labcore.discovery import install_command
from labcore.errors import RequirementError
from labcore.run.files import drop_torn_line
from labcore.run.redaction import redact_text
from labcore.sweeps.local.record import Record

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.storages import BaseStorage
    from optuna.trial import FrozenTrial

__all__ = ["JOURNAL", "TrialStore", "open_store"]

JOURNAL = "study.journal"
_ATTRIBUTE = "lab"
"""Attribute of an Optuna trial with the rest of its record."""
_NAN_ATTRIBUTE = "lab_nan"
"""Indexes of logs that were not finite, which Optuna does not keep."""


class TrialStore:
    """The trials of one sweep.

    Args:
        storage: Where Optuna keeps them.
        name: Name of the study.
        goal: ``minimize`` or ``maximize``.
        reading: Whether to leave everything as it is; the controller may be at work.
    """

    def __init__(
        self,
        storage: "BaseStorage",
        name: str,
        goal: str = "minimize",
        *,
        reading: bool = False,
    ) -> None:
        from optuna.study import StudyDirection

        self._storage = storage
        self._reading = reading
        self._study: int | None = None
        # The storage itself, and not a Study: only it creates a trial with all its fields at once.
        try:
            self._study = storage.get_study_id_from_name(name)
        except KeyError:
            direction = StudyDirection.MAXIMIZE if goal == "maximize" else StudyDirection.MINIMIZE
            if not reading:
                self._study = storage.create_new_study([direction], name)
        self._ids: dict[int, int] = {}
        self._known: dict[int, list[float]] = {}

    def records(self) -> list[Record]:
        """Returns every trial, by number."""
        found: list[Record] = []
        if self._study is None:
            return found
        for trial in self._storage.get_all_trials(self._study, deepcopy=False):
            if _ATTRIBUTE not in trial.user_attrs:
                continue  # somebody else's
            record = self._read(trial)
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
        self._storage.set_trial_user_attr(self._ids[record.number], _ATTRIBUTE, record.to_json())

    def log(self, record: Record) -> None:
        """Writes down the logs of the metric that are new."""
        identity, known = self._ids[record.number], self._known[record.number]
        for index, value in enumerate(record.history):
            is_new = index >= len(known) or not _same(known[index], value)
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
        self._end(record)

    def _end(self, record: Record) -> None:
        from optuna.exceptions import UpdateFinishedTrialError
        from optuna.trial import TrialState

        state, values = TrialState.FAIL, None
        if record.outcome == "completed":
            # Optuna knows no result without a value; a sweep without a metric has no other.
            state, values = TrialState.COMPLETE, [0.0 if record.value is None else record.value]
        elif record.outcome in {"stopped early", "diverged"}:
            state = TrialState.PRUNED
            values = None if record.value is None else [record.value]
        try:
            self._storage.set_trial_state_values(self._ids[record.number], state, values)
        except UpdateFinishedTrialError:
            return

    def close(self) -> None:
        """Ends the connection to a database."""
        self._storage.remove_session()

    @staticmethod
    def _read(trial: "FrozenTrial") -> Record:
        row: dict[str, Any] = trial.user_attrs[_ATTRIBUTE]
        logs = trial.intermediate_values
        missing = trial.user_attrs.get(_NAN_ATTRIBUTE, [])
        last = max([*logs, *missing], default=-1)
        return Record.from_json(
            row,
            number=trial.number,
            params=trial.params,
            history=[logs.get(index, math.nan) for index in range(last + 1)],
        )


def open_store(
    folder: Path, name: str, *, goal: str = "minimize", url: str = "", reading: bool = False
) -> TrialStore:
    """Opens the study of a sweep, or makes it.

    Args:
        folder: The sweep's folder, which has the journal.
        name: Name of the study.
        goal: ``minimize`` or ``maximize``.
        url: A database in place of the journal, such as ``postgresql+psycopg://host/name``.
        reading: Whether to leave everything as it is.

    Raises:
        RequirementError: Optuna or the database's driver is not installed, or the database does
            not answer.
    """
    try:
        import optuna
    except ImportError as error:
        raise RequirementError(
            "a sweep without W&B's server needs Optuna, which is not installed",
            fix=install_command("sweeps"),
        ) from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = _database(url) if url else _journal(folder / JOURNAL)
    return TrialStore(storage, name, goal, reading=reading)


def _journal(path: Path) -> "BaseStorage":
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    # Optuna's own lock outlives a controller that is killed with it, and is then waited for, for
    # 30 s; the kernel frees this one. It has the two methods that Optuna calls.
    lock: Any = FileLock(f"{path}.lock")
    with lock:
        drop_torn_line(path)  # Optuna refuses to read on after one
    return JournalStorage(JournalFileBackend(str(path), lock_obj=lock))


def _database(url: str) -> "BaseStorage":
    from optuna.storages import get_storage
    from sqlalchemy.exc import SQLAlchemyError

    shown = redact_text(url)
    try:
        return get_storage(url)
    except ImportError as error:
        raise RequirementError(
            f"the database {shown} needs a driver that is not installed: {error}",
            fix='pip install "psycopg[binary]" for postgresql+psycopg://, pymysql for '
            "mysql+pymysql://",
        ) from error
    except (SQLAlchemyError, ValueError) as error:
        reason = redact_text(str(error).partition("\n")[0])
        raise RequirementError(
            f"the database {shown} cannot be used: {reason}",
            fix="look at the URL: postgresql+psycopg://user@host/database, and at the server",
        ) from error


def _same(one: float, other: float) -> bool:
    return one == other or (math.isnan(one) and math.isnan(other))
