"""From what W&B's server chooses to a lab run that logs to its sweep."""

import itertools
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from labcore.config import peek
from labcore.record.folder import plan_run_folder
from labcore.record.status import read_status
from labcore.record.trial import NOTE_VARIABLE
from labcore.sweeps.overrides import as_overrides
from labcore.sweeps.sweep import Sweep
from labcore.sweeps.trial import TrialRequest
from labcore.sweeps.wandb_engine.address import SweepAddress
from labcore.sweeps.wandb_engine.create import hooks_override

__all__ = ["RequestMaker"]


class RequestMaker:
    """Makes the request for each trial; the agents of one process share one.

    Args:
        sweep: What every trial sets, and which names are its parameters.
        address: The sweep on W&B.
        folder: The sweep's folder; each trial gets ``trials/RUN_ID`` in it, for its output and
            what its agent tells it.
        runs_dir: Folder of the run folders.
        overrides: What every trial sets beside the sweep's own overrides.
        num_gpus: GPUs for each trial.
        threads: CPU threads for each trial, unless the overrides say; 0 leaves it to the run.
    """

    def __init__(
        self,
        sweep: Sweep,
        address: SweepAddress,
        *,
        folder: Path,
        runs_dir: Path = Path("runs"),
        overrides: Sequence[str] = (),
        num_gpus: int = 0,
        threads: int = 0,
    ) -> None:
        self._sweep = sweep
        self._address = address
        self._folder = folder.resolve()
        self._runs_dir = runs_dir.resolve()
        fixed = [f"plugin={sweep.plugin}", *sweep.overrides, *overrides]
        share = [f"threads={threads}"] if threads and peek(fixed, "threads") is None else []
        self._fixed = [*fixed, *hooks_override(fixed), *share]
        self._num_gpus = num_gpus
        self._threads = threads
        self._numbers = itertools.count()
        self._lock = threading.Lock()

    def anew(self, run_id: str, values: Mapping[str, Any]) -> TrialRequest:
        """Makes the request for a trial from its beginning, in a new run folder.

        Args:
            run_id: The run on W&B that it is.
            values: What the server chose.

        Raises:
            UsageError: A value is none that a config can have.
        """
        name = f"{self._sweep.name[:32]}-{run_id}"
        folder = _free(plan_run_folder(self._runs_dir, self._sweep.plugin, name))
        chosen = {"runs_dir": str(self._runs_dir), **self._flat(values)}
        overrides = [*self._fixed, *as_overrides(chosen)]
        return self._request(run_id, values, overrides, folder=folder, resume=False)

    def again(self, run_id: str, values: Mapping[str, Any]) -> TrialRequest:
        """Makes the request that goes on with a trial from its last checkpoint.

        One that has no unfinished run folder here, for it ran elsewhere, begins anew.
        """
        folder = self._unfinished(run_id)
        if folder is None:
            return self.anew(run_id, values)
        return self._request(run_id, values, [], folder=folder, resume=True)

    def note(self, run_id: str) -> Path:
        """Returns where it is written who stopped the trial."""
        return self._place(run_id) / "stopped_by.txt"

    def _request(
        self,
        run_id: str,
        values: Mapping[str, Any],
        overrides: Sequence[str],
        *,
        folder: Path,
        resume: bool,
    ) -> TrialRequest:
        place = self._place(run_id)
        place.mkdir(parents=True, exist_ok=True)
        self.note(run_id).unlink(missing_ok=True)
        chosen = place / "parameters.yaml"
        chosen.write_text(_for_wandb(values), encoding="utf-8")
        with self._lock:
            number = next(self._numbers)
        return TrialRequest(
            sweep=self._address.id,
            number=number,
            overrides=tuple(overrides),
            folder=folder,
            resume=resume,
            log=place / "output.txt",
            num_gpus=self._num_gpus,
            threads=self._threads,
            env={
                "WANDB_SWEEP_ID": self._address.id,
                "WANDB_RUN_ID": run_id,
                "WANDB_PROJECT": self._address.project,
                "WANDB_ENTITY": self._address.entity,
                "WANDB_SWEEP_PARAM_PATH": str(chosen),
                NOTE_VARIABLE: str(self.note(run_id)),
            },
        )

    def _flat(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Returns dotted options; what the sweep has got on W&B's page since is set as it is."""
        names = self._sweep.parameters
        known = self._sweep.flatten(values)
        more = {
            name: value
            for name, value in values.items()
            if name != "plugin"  # what to run is settled
            and not any(each == name or each.startswith(f"{name}.") for each in names)
        }
        return {**known, **more}

    def _unfinished(self, run_id: str) -> Path | None:
        folders = sorted((self._runs_dir / self._sweep.plugin).glob(f"*-{run_id}*"))
        for folder in reversed(folders):
            try:
                status = read_status(folder)
            except (OSError, ValueError):
                continue
            return folder if status.observed_state() in {"interrupted", "lost"} else None
        return None

    def _place(self, run_id: str) -> Path:
        return self._folder / "trials" / run_id


def _for_wandb(values: Mapping[str, Any]) -> str:
    """Returns the file from which ``wandb.init`` takes a trial's parameters."""
    rows = {name: {"value": value} for name, value in values.items()}
    return "wandb_version: 1\n\n" + (yaml.safe_dump(rows, sort_keys=False) if rows else "")


def _free(folder: Path) -> Path:
    others = (folder.with_name(f"{folder.name}-{number}") for number in itertools.count(2))
    return next(each for each in itertools.chain([folder], others) if not each.exists())
