"""One trial of a sweep on W&B: from what its agent was given to a lab run, and back to a line.

W&B's agent, here or on any machine, starts the sweep's command with the id of the run and the
chosen values in the environment. Agents that :mod:`conduct <labcore.sweeps.wandb_engine.conduct>`
has started say beside that where the sweep lives.
"""

import itertools
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from labcore.config import peek
from labcore.config.variants import applicable
from labcore.discovery import find_plugins
from labcore.errors import UsageError
from labcore.record.files import write_atomically
from labcore.record.folder import plan_run_folder
from labcore.record.trial import TRIAL_FOLDER_VARIABLE
from labcore.sweeps.overrides import as_overrides
from labcore.sweeps.trial import read_result, status_of

__all__ = ["PLACE_VARIABLE", "Trial", "trials_of", "words_of_trial"]

PLACE_VARIABLE = "LAB_WANDB_PLACE"
"""For trials of our own agents, as JSON: ``folder`` of the sweep, and further ``overrides``."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """What the folder of a sweep knows of a trial."""

    run_id: str
    """On W&B."""
    run: Path
    """Its run folder, whether it is there yet or not."""
    values: dict[str, Any]
    log: Path
    """What it prints."""

    def outcome(self) -> tuple[str, str]:
        """Returns how it stands, or ended, and why.

        The first is ``running``, ``finished``, ``stopped`` (by W&B), ``interrupted``, ``failed`` or
        ``lost``; ``not started`` as long as there is no run.
        """
        status = status_of(self.run)
        state = status.observed_state() if status else "not started"
        if status and state == "interrupted" and status.message == "stopped by W&B":
            return "stopped", "by W&B"
        if state == "lost":
            return state, "its process was killed"
        has_failed = state in {"failed", "not started"}
        return state, read_result(self.run, None, self.log).error if has_failed else ""


def trials_of(folder: Path) -> list[Trial]:
    """Returns the trials that agents of a sweep's folder have been given, oldest first."""
    paths = sorted(folder.glob("trials/*/trial.json"), key=lambda path: path.stat().st_mtime)
    rows = [(path.parent, json.loads(path.read_text(encoding="utf-8"))) for path in paths]
    return [
        Trial(run_id=at.name, run=Path(row["run"]), values=row["values"], log=at / "output.txt")
        for at, row in rows
    ]


def words_of_trial(overrides: Sequence[str]) -> list[str]:
    """Returns what is typed after ``lab`` for the trial that W&B's agent wants of this process.

    One that was left unfinished in a folder here goes on in it. In the sweep's folder, where there
    is one, goes what is to be known of the trial, and what it prints.

    Args:
        overrides: What every trial sets.

    Raises:
        UsageError: This process was not started by W&B's agent, or a value is none that a config
            can have.
    """
    run_id, chosen = os.environ.get("WANDB_RUN_ID"), os.environ.get("WANDB_SWEEP_PARAM_PATH")
    if not run_id or not chosen:
        raise UsageError(
            "this is for the agents of a sweep on W&B", fix="wandb agent ENTITY/PROJECT/SWEEP"
        )
    rows = yaml.safe_load(Path(chosen).read_text(encoding="utf-8"))
    values = {name: row["value"] for name, row in rows.items() if name != "wandb_version"}
    place = json.loads(os.environ.get(PLACE_VARIABLE, "{}"))
    fixed = [*overrides, *place.get("overrides", ())]
    plugin = str(values.get("plugin") or peek(fixed, "plugin"))
    found = find_plugins().get(plugin)  # one that is not there is told by the run itself
    if found is not None and found.plugin is not None:
        values = applicable(found.plugin, values, fixed)
    runs_dir = Path(peek(fixed, "runs_dir") or "runs").resolve()
    folder = _unfinished(runs_dir / plugin, run_id)
    words = ["resume", str(folder)]
    if folder is None:
        name = f"{os.environ.get('WANDB_SWEEP_ID', 'sweep')}-{run_id}"
        folder = _free(plan_run_folder(runs_dir, plugin, name))
        os.environ[TRIAL_FOLDER_VARIABLE] = str(folder)
        words = ["run", *fixed]
    if place:
        _settle(Path(place["folder"]) / "trials" / run_id, folder, values)
    return words if words[0] == "resume" else [*words, *as_overrides(values)]


def _settle(place: Path, run: Path, values: dict[str, Any]) -> None:
    """Notes the trial in the sweep's folder, and has this process print there."""
    place.mkdir(parents=True, exist_ok=True)
    row = {"run": str(run), "values": values}
    write_atomically(place / "trial.json", json.dumps(row, ensure_ascii=False) + "\n")
    with (place / "output.txt").open("ab") as output:
        for stream in (1, 2):
            os.dup2(output.fileno(), stream)


def _unfinished(runs: Path, run_id: str) -> Path | None:
    """Returns the run folder that the trial goes on in; it may have begun under another agent."""
    folders = [each for each in sorted(runs.glob(f"*-{run_id}*")) if status_of(each)]
    status = status_of(folders[-1]) if folders else None
    goes_on = status is not None and status.observed_state() in {"interrupted", "lost"}
    return folders[-1] if goes_on else None


def _free(folder: Path) -> Path:
    others = (folder.with_name(f"{folder.name}-{number}") for number in itertools.count(2))
    return next(each for each in itertools.chain([folder], others) if not each.exists())
