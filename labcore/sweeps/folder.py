"""The folder of a sweep: its file, its settings, who works on it, and how it stands."""

import contextlib
import dataclasses
import json
import re
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock, Timeout

from labcore.errors import RequirementError, UsageError, nearest, suggestion
from labcore.record.files import write_atomically
from labcore.record.process import ProcessId, last_heard
from labcore.record.records import make_record

__all__ = [
    "Settings",
    "SweepFolder",
    "SweepStatus",
    "create_sweep",
    "find_sweep",
    "list_sweeps",
]

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_SETTINGS = "settings.json"
_STATUS = "status.json"
_STOP = "stop"


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """What was decided when the sweep was started, and holds for as long as it lives."""

    file: str
    """Name of the copy of the sweep file in this folder."""
    source: str
    """Where the file was."""
    plugin: str
    overrides: tuple[str, ...] = ()
    """What every trial sets beside the file's parameters."""
    runs_dir: str = "runs"
    engine: str = "local"
    seed: int = 0
    sampler: str = "tpe"
    agents: int = 1
    """Trials at once."""
    count: int | None = None
    """Most trials; the file's ``run_cap`` when left out."""
    retries: int = 1
    storage: str = ""
    """URL of a database, without its password."""
    study: str = ""
    """Name of the study, which no other sweep's has; that of the sweep in older folders."""
    wandb: str = "off"
    launcher: str = "local"
    """Who starts the trials: local (this machine), ray or slurm."""
    ray_address: str = ""
    """Of an existing cluster; empty starts one of this machine."""
    slurm: tuple[str, ...] = ()
    """What the jobs ask of the queue, as ``KEY=VALUE``."""


@dataclass(kw_only=True, slots=True)
class SweepStatus:
    """How a sweep stands. Times are seconds since the epoch."""

    sweep: str
    plugin: str
    state: str = "running"
    """running, finished, interrupted or failed; see :meth:`observed_state`."""
    owner: dict[str, Any] = field(default_factory=lambda: ProcessId.current().to_row())
    started: float = field(default_factory=time.time)
    heartbeat: float = field(default_factory=time.time)
    ended: float | None = None
    message: str = ""
    """Why it ended, in one line."""
    counts: dict[str, int] = field(default_factory=dict)
    """Outcome to number of trials; ``running`` and ``interrupted`` among them."""
    best: dict[str, float] | None = None
    """``trial`` and ``value`` of the best."""

    def observed_state(self) -> str:
        """Returns the state, or ``lost`` when its controller is gone."""
        if self.state == "running":
            process = ProcessId.from_row(self.owner)
            if process is None or not process.is_alive(time.time() - self.heartbeat):
                return "lost"
        return self.state


@dataclass(frozen=True, slots=True)
class SweepFolder:
    """One sweep's folder."""

    path: Path

    @property
    def name(self) -> str:
        """The sweep's name."""
        return self.path.name

    @property
    def file(self) -> Path:
        """The sweep file as it was given."""
        return self.path / self.settings().file

    @property
    def best_file(self) -> Path:
        """The overrides of the best trial."""
        return self.path / "best.yaml"

    def trial_file(self, number: int, kind: str) -> Path:
        """Returns the file of a trial: ``lock`` or ``log``."""
        return self.path / "trials" / f"{number:04}.{kind}"

    def settings(self) -> Settings:
        """Reads the settings.

        Raises:
            UsageError: They are damaged, or a newer version wrote them.
        """
        return _read(Settings, self.path / _SETTINGS)

    def write_settings(self, settings: Settings) -> None:
        """Writes the settings."""
        _write(settings, self.path / _SETTINGS)

    def status(self) -> SweepStatus:
        """Reads how the sweep stands; one that was killed at once has no status yet.

        Raises:
            UsageError: It is damaged, or a newer version wrote it.
        """
        if not self.has_begun:
            settings = self.settings()
            return SweepStatus(sweep=self.name, plugin=settings.plugin, state="interrupted")
        status = _read(SweepStatus, self.path / _STATUS)
        if status.state == "running":
            process = ProcessId.from_row(status.owner)
            status.heartbeat = last_heard(process, status.heartbeat, self.path / _STATUS)
        return status

    def write_status(self, status: SweepStatus) -> None:
        """Writes how the sweep stands."""
        _write(status, self.path / _STATUS)

    @property
    def has_begun(self) -> bool:
        """Whether there was ever a controller at work on it."""
        return (self.path / _STATUS).exists()

    def lock(self) -> contextlib.AbstractContextManager[object]:
        """Makes this process the only controller of the sweep, until the end of the ``with``.

        Raises:
            UsageError: There is another.
        """
        try:
            return FileLock(self.path / ".lock", thread_local=False).acquire(timeout=0)
        except Timeout:
            owner = self.status().owner
            raise UsageError(
                f"sweep {self.name} is at work already (process {owner.get('pid')} on "
                f"{owner.get('host')})",
                fix=f"watch it: lab sweep status {self.name}, or stop it: lab sweep stop "
                f"{self.name}",
            ) from None

    def ask_to_stop(self) -> None:
        """Leaves word that the sweep is to stop."""
        (self.path / _STOP).touch()

    def is_asked_to_stop(self) -> bool:
        """Whether somebody has."""
        return (self.path / _STOP).exists()

    def forget_stop(self) -> None:
        """Takes the word away."""
        (self.path / _STOP).unlink(missing_ok=True)


_RowT = TypeVar("_RowT", Settings, SweepStatus)


def _read(kind: type[_RowT], path: Path) -> _RowT:
    """Reads what another version may have written, or another program spoiled."""
    try:
        row = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{path} cannot be read: {error or type(error).__name__}") from None
    known = {each.name for each in dataclasses.fields(kind)}
    if isinstance(row, dict) and (unknown := sorted(row.keys() - known)):
        raise UsageError(
            f"{path} has {', '.join(unknown)}, which this version of lab does not know",
            fix="use the version of lab that wrote it, or a newer one",
        )
    try:
        return make_record(kind, row, path)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _write(row: Settings | SweepStatus, path: Path) -> None:
    text = json.dumps(dataclasses.asdict(row), indent=1, ensure_ascii=False)
    write_atomically(path, text + "\n")


def create_sweep(sweeps_dir: Path, name: str, file: Path) -> SweepFolder:
    """Makes the folder of a new sweep, with a copy of its file.

    Args:
        sweeps_dir: Folder of all sweeps.
        name: Chosen by the user; empty takes the file's stem and the time.
        file: The sweep file.

    Raises:
        UsageError: There is a sweep of that name, or no folder can be called so.
        RequirementError: The folder cannot be made.
    """
    if name and (_UNSAFE.search(name) or name.startswith((".", "-"))):
        raise UsageError(
            f"--name {name!r} cannot be the name of a folder",
            fix="use letters, digits, '.', '_' and '-'",
        )
    stem = _UNSAFE.sub("-", file.stem).strip("-.") or "sweep"
    first = sweeps_dir / (name or f"{stem}-{time.strftime('%Y%m%d-%H%M%S')}")
    path = first
    try:
        sweeps_dir.mkdir(parents=True, exist_ok=True)
        for suffix in range(2, 10_000):
            try:
                path.mkdir()
                break
            except FileExistsError:
                if name:
                    raise UsageError(
                        f"there is a sweep called {name} in {sweeps_dir}",
                        fix=f"go on with it: lab sweep --resume {name}, or choose another name",
                    ) from None
                path = first.with_name(f"{first.name}-{suffix}")
        shutil.copyfile(file, path / file.name)
    except OSError as error:
        raise RequirementError(
            f"the folder {path} cannot be written: {error.strerror}",
            fix="choose a writable folder: --sweeps-dir /path/to/sweeps",
        ) from error
    return SweepFolder(path)


def list_sweeps(sweeps_dir: Path) -> list[SweepFolder]:
    """Returns the sweeps, oldest first."""
    found = [SweepFolder(path.parent) for path in sweeps_dir.glob(f"*/{_SETTINGS}")]
    return sorted(found, key=_made)


def _made(folder: SweepFolder) -> float:
    """Returns when a sweep was made, or last changed where its settings do not tell."""
    with contextlib.suppress(UsageError, OSError):
        return folder.file.stat().st_mtime
    return folder.path.stat().st_mtime


def find_sweep(sweeps_dir: Path, reference: str) -> SweepFolder:
    """Finds a sweep.

    Args:
        sweeps_dir: Folder of all sweeps.
        reference: ``latest``, a name, a part that only one name has, or a folder.

    Raises:
        UsageError: No sweep fits, or several do.
    """
    if (Path(reference) / _SETTINGS).exists():
        return SweepFolder(Path(reference))
    known = list_sweeps(sweeps_dir)
    if reference == "latest" and known:
        return known[-1]
    exact = [folder for folder in known if folder.name == reference]
    matches = exact or [folder for folder in known if reference in folder.name]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise UsageError(
            f"{reference!r} is part of {len(matches)} sweeps",
            problems=[folder.name for folder in matches[-8:]],
            fix="give more of the name",
        )
    if not known:
        raise UsageError(f"there are no sweeps in {sweeps_dir}", fix="start one: lab sweep FILE")
    near = suggestion(nearest(reference, [folder.name for folder in known]))
    raise UsageError(
        f"there is no sweep {reference!r} in {sweeps_dir}",
        problems=[near] if near else [],
        fix="lab sweep list shows them all",
    )
