"""From a record to the trial to start."""

from collections.abc import Sequence
from pathlib import Path

from labcore.sweeps.folder import Settings, SweepFolder
from labcore.sweeps.local.record import Record
from labcore.sweeps.overrides import as_overrides
from labcore.sweeps.trial import TrialRequest

__all__ = ["Requests"]


class Requests:
    """Makes the requests of a sweep's trials.

    Args:
        folder: The sweep's.
        settings: Of the sweep.
        overrides: What every trial sets, ``plugin=`` among it.
    """

    def __init__(
        self,
        folder: SweepFolder,
        settings: Settings,
        overrides: Sequence[str],
    ) -> None:
        self._folder = folder
        self._settings = settings
        self._overrides = tuple(overrides)

    def run_folder(self, number: int, attempt: int) -> tuple[Path, int]:
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

    def overrides(self, record: Record) -> tuple[str, ...]:
        """Returns what follows ``lab run``."""
        return (*self._overrides, *as_overrides(record.values))

    def make(self, record: Record, *, resume: bool = False) -> TrialRequest:
        """Returns the request of a trial."""
        return TrialRequest(
            sweep=self._folder.name,
            number=record.number,
            overrides=self.overrides(record),
            folder=record.folder,
            resume=resume,
            log=self._folder.trial_file(record.number, "log").absolute(),
            lock=self._folder.trial_file(record.number, "lock").absolute(),
        )
