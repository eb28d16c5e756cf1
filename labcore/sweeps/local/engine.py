"""A sweep of the local engine from its folder on: everything put together, run, and written up."""

import logging
from collections.abc import Sequence

from labcore.errors import RequirementError
from labcore.record.redaction import MASK
from labcore.sweeps.best import write_best
from labcore.sweeps.folder import Settings, SweepFolder
from labcore.sweeps.local.controller import Controller, Ended
from labcore.sweeps.local.record import Record
from labcore.sweeps.local.results import results_of
from labcore.sweeps.local.standing import Watch, best_record
from labcore.sweeps.local.store import TrialStore
from labcore.sweeps.prepare import Prepared
from labcore.sweeps.report import build
from labcore.sweeps.sweep import Sweep
from labcore.sweeps.trial import Launcher

__all__ = ["conduct", "open_study", "write_up"]

log = logging.getLogger(__name__)


def conduct(
    folder: SweepFolder,
    prepared: Prepared,
    settings: Settings,
    launcher: Launcher,
    *,
    watch: Watch,
    storage: str = "",
    patience: int = 5,
) -> Ended:
    """Runs a sweep, new or stopped before, to its end.

    Args:
        folder: The sweep's.
        prepared: The sweep, checked.
        settings: What was decided when it was started.
        launcher: Where trials run.
        watch: Shows it.
        storage: URL of the database, with its password; that of the settings when empty.
        patience: Failed trials in a row after which the sweep is given up.

    Raises:
        UsageError: Another process is at work on it.
        RequirementError: Optuna, or the database, is not to be had.
    """
    with folder.lock():
        store = open_study(folder, prepared.sweep, settings, storage=storage)
        controller = Controller(
            folder, prepared, settings, store, launcher, patience=patience, watch=watch
        )
        ended = controller.run()
        write_up(folder, prepared, settings, store.records())
        store.close()
        return ended


def open_study(
    folder: SweepFolder,
    sweep: Sweep,
    settings: Settings,
    *,
    storage: str = "",
    reading: bool = False,
) -> TrialStore:
    """Opens the study of a sweep, to work on it or to read what it has.

    Raises:
        RequirementError: It is in a database whose password is not known any more.
    """
    url = storage or settings.storage
    if MASK in url:
        raise RequirementError(
            f"the study of {folder.name} is in {url}, whose password is not kept",
            fix="give the URL again: --storage URL",
        )
    return TrialStore(
        folder.path,
        settings.study or folder.name,
        goal="minimize" if sweep.metric is None else sweep.metric.goal,
        url=url,
        reading=reading,
        expected=sum(folder.status().counts.values()),
    )


def write_up(
    folder: SweepFolder, prepared: Prepared, settings: Settings, records: Sequence[Record]
) -> None:
    """Writes the best trial's overrides and the page."""
    sweep = prepared.sweep
    best = best_record(sweep, records)
    if best is not None and best.value is not None and sweep.metric is not None:
        write_best(
            folder,
            plugin=prepared.plugin.name,
            trial=best.number,
            metric=sweep.metric.name,
            value=best.value,
            values=dict(best.values),
            fixed=sweep.overrides,
        )
    try:
        build(folder.path, results_of(folder, sweep, settings, records))
    except Exception:  # the trials are what counts; a page that fails must not hide them
        log.exception("the sweep's report.html could not be written")
