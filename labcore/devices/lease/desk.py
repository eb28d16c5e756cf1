"""Leases: which GPUs are held by whom, on this machine, by the word of the kernel.

The folder has, for each GPU or MIG slice, ``UUID.lock``, which its holder keeps locked, and
``UUID.json``, which says for people who that is. ``UUID.ranks`` is locked, shared, by the other
processes of a distributed run, so that a card stays leased until the last of them is gone. Whoever
looks or takes does it inside ``desk.lock``, one process at a time, so a look never disturbs a taker
and several GPUs are taken together or not at all.

A run's children (the other ranks that Lightning starts, a conversion in a process of its own) use
the run's GPUs. They find the lease in ``LAB_LEASE`` and hold it together with their parent.
"""

import contextlib
import dataclasses
import os
import stat
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from labcore.devices.inventory.gpu import Gpu
from labcore.devices.lease.owner import Owner, read_note, write_note
from labcore.devices.lease.tickets import Queue
from labcore.errors import RequirementError
from labcore.record.locks import KernelLock, exclusive

__all__ = [
    "CHILD_VARIABLE",
    "Desk",
    "Lease",
    "Leases",
    "held_uuids",
    "keep",
    "lease_folder",
    "release_all",
    "variables_for",
]

FOLDER_VARIABLE = "LAB_LEASE_DIR"
_SHARED_FOLDER = Path("/tmp/lab-leases")  # noqa: S108  # one for all users: TMPDIR differs by user and job
_STICKY_FOR_ALL = 0o1777
CHILD_VARIABLE = "LAB_LEASE"
"""Names the lease to children: its token, a colon, its UUIDs with commas between."""


def lease_folder() -> Path:
    """Returns the folder with the leases of this machine, which may not exist yet.

    ``LAB_LEASE_DIR`` moves it. All users of the machine must have the same one, on a local disk:
    many network file systems have no locks that could be trusted.
    """
    chosen = os.environ.get(FOLDER_VARIABLE)
    if chosen:
        return Path(chosen)
    if sys.platform == "win32":
        return Path(tempfile.gettempdir()) / "lab-leases"
    return _SHARED_FOLDER


class Lease:
    """GPUs that this process holds until it ends, or gives them back.

    Attributes:
        uuids: The GPUs.
        owner: What others see of the holder.
    """

    def __init__(self, folder: Path, locks: Sequence[KernelLock], owner: Owner) -> None:
        self.uuids = owner.uuids
        self.owner = owner
        self._folder = folder
        self._locks = list(locks)

    def name_run(self, run: str) -> None:
        """Tells the others the id of the run, once it has one."""
        self.owner = dataclasses.replace(self.owner, run=run)
        self._write_notes()

    def beat(self) -> None:
        """Shows that the holder is alive: a note is as fresh as its file.

        Whoever has deleted the files of a lease finds the note again, which keeps the GPU from
        others as well as the lock does.
        """
        with contextlib.suppress(OSError):
            for lock in self._locks:
                lock.touch()
                note = _note_of(lock.path)
                try:
                    os.utime(note)
                except FileNotFoundError:
                    _make_public(self._folder)
                    write_note(note, self.owner)

    def release(self) -> None:
        """Gives the GPUs back before the process ends; forked children go on holding them."""
        if self._locks and self.owner.pid == os.getpid():
            self.owner = dataclasses.replace(self.owner, released=True)
            self._write_notes()
        for lock in self._locks:
            lock.close()
        self._locks.clear()

    def _write_notes(self) -> None:
        for lock in self._locks:
            # A note that cannot be written leaves the lease as good as it was.
            with contextlib.suppress(OSError):
                write_note(_note_of(lock.path), self.owner)


class Desk:
    """Where leases are looked up and taken; got from :meth:`Leases.opened`, inside its lock."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.queue = Queue(folder / "queue")

    def holder(self, gpu: Gpu) -> Owner | None:
        """Returns who holds a GPU, or the card that it is a slice of; None when it is free."""
        for uuid in (gpu.uuid, gpu.parent_uuid):
            owner = self._holder_of(uuid) if uuid is not None else None
            if owner is not None:
                return owner
        return None

    def heartbeat(self, gpu: Gpu) -> float | None:
        """Returns when the holder last showed that it is alive, in seconds since the epoch."""
        try:
            return (self._folder / f"{_stem(gpu.uuid)}.json").stat().st_mtime
        except OSError:
            return None

    def take(self, gpus: Sequence[Gpu], owner: Owner) -> Lease | None:
        """Takes all of the GPUs, or none when one of them is held."""
        owner = dataclasses.replace(owner, uuids=tuple(gpu.uuid for gpu in gpus), since=time.time())
        with contextlib.ExitStack() as undo:
            locks = []
            for uuid in sorted(owner.uuids):
                lock = KernelLock(self._folder / f"{_stem(uuid)}.lock")
                if self._holder_of(uuid) is not None or not lock.try_lock():
                    return None
                undo.callback(lock.close)
                locks.append(lock)
            undo.pop_all()
        lease = Lease(self._folder, locks, owner)
        lease._write_notes()
        return lease

    def join(self, uuids: Sequence[str], token: str) -> list[KernelLock] | None:
        """Holds GPUs together with the process that leased them.

        Returns:
            Locks to keep, or None when there is no lease with that token any more.
        """
        joined = []
        for uuid in uuids:
            owner = self._holder_of(uuid)
            if owner is None or owner.token != token:
                return None
            lock = KernelLock(self._folder / f"{_stem(uuid)}.ranks")
            lock.try_lock(shared=True)
            joined.append(lock)
        return joined

    def _holder_of(self, uuid: str) -> Owner | None:
        is_locked = self._is_locked(uuid)
        note = read_note(self._folder / f"{_stem(uuid)}.json", released=is_locked)
        if is_locked:
            return note or Owner(pid=0)
        # Without its lock a card is held when the file was deleted and its holder lives.
        return note if note is not None and note.holds() else None

    def _is_locked(self, uuid: str) -> bool:
        for ending in ("lock", "ranks"):
            path = self._folder / f"{_stem(uuid)}.{ending}"
            if path.exists():
                probe = KernelLock(path)
                if not probe.try_lock():
                    return True
                probe.close()
        return False


class Leases:
    """The leases of one machine.

    Args:
        folder: Where they are; see :func:`lease_folder`.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = lease_folder() if folder is None else folder

    @contextlib.contextmanager
    def opened(self) -> Iterator[Desk]:
        """Gives the desk, to this process alone; stay inside for milliseconds.

        Raises:
            RequirementError: The folder cannot be used.
        """
        try:
            _make_public(self.folder)
            _make_public(self.folder / "queue")
            with exclusive(self.folder / "desk.lock"):
                yield Desk(self.folder)
        except OSError as error:
            raise RequirementError(
                f"GPUs cannot be leased in {self.folder}: {error.strerror or error}",
                fix=f"name a folder on a local disk that every user of this machine may write to: "
                f"{FOLDER_VARIABLE}=/path",
            ) from error

    @contextlib.contextmanager
    def looked_at(self) -> Iterator[Desk | None]:
        """Gives the desk for a look, and None, making no files, where nobody has ever leased."""
        with contextlib.ExitStack() as stack:
            used = (self.folder / "desk.lock").exists()
            yield stack.enter_context(self.opened()) if used else None


def _make_public(folder: Path) -> None:
    """Makes a folder like /tmp: all may write, and delete only what is their own."""
    try:
        folder.mkdir(parents=True)
        folder.chmod(_STICKY_FOR_ALL)
    except FileExistsError:
        if not stat.S_ISDIR(folder.lstat().st_mode):
            raise NotADirectoryError(20, "it is no folder", str(folder)) from None


def _note_of(lock: Path) -> Path:
    return lock.with_suffix(".json")


def _stem(uuid: str) -> str:
    """Makes a file name of a UUID; old drivers write MIG-GPU-.../7/0."""
    return uuid.replace("/", "_")


_kept: list[Lease] = []
_joined: dict[str, list[KernelLock]] = {}


def keep(lease: Lease) -> None:
    """Holds a lease until the process ends."""
    _kept.append(lease)


def release_all() -> None:
    """Gives back all that this process holds; for processes that outlive their runs."""
    for lease in _kept:
        lease.release()
    _kept.clear()
    for locks in _joined.values():
        for lock in locks:
            lock.close()
    _joined.clear()


def variables_for(lease: Lease) -> dict[str, str]:
    """Returns the variable that tells children of a lease."""
    return {CHILD_VARIABLE: f"{lease.owner.token}:{','.join(lease.uuids)}"}


def held_uuids(desk: Desk | None) -> set[str]:
    """Returns the GPUs that this process may use with no lease of its own.

    Args:
        desk: Knows the leases; None where there are none.
    """
    held = {uuid for lease in _kept for uuid in lease.uuids}
    token, _, listed = os.environ.get(CHILD_VARIABLE, "").partition(":")
    if not token or desk is None or token in {lease.owner.token for lease in _kept}:
        return held
    uuids = [uuid for uuid in listed.split(",") if uuid]
    if token not in _joined:
        locks = desk.join(uuids, token)
        if locks is None:  # the parent is gone, and its GPUs may be another's
            return held
        _joined[token] = locks
    return held | set(uuids)
