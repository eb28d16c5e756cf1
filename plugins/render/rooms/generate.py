"""Making a dataset of rooms in several processes; what is finished survives an interruption.

Each shard is made whole by one process on one thread, so the bytes do not depend on how many there
are. Until the dataset is complete its folder has no manifest, and ``.unfinished`` holds the spec
and a record for each finished shard.
"""

import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from labcore.data.shards import MANIFEST
from labcore.errors import RequirementError, RunFailed, UsageError
from labcore.kit.pool import in_processes
from labcore.record.files import write_atomically
from plugins.render.rooms.manifest import LICENCE, build_manifest
from plugins.render.rooms.scene_shard import SceneJob, finished, make_shard
from plugins.render.rooms.spec import RoomsSpec

__all__ = ["Progress", "generate"]

Progress = Callable[[int, int | None], None]
"""Called with the frames done and their total."""

_UNFINISHED = ".unfinished"
_SPEC = "spec.json"
_WORTH_A_PROCESS = 1_000_000
"""Pixels that take about as long as to start a process and import torch there."""
_BYTES_PER_PIXEL = 29
"""Of a shard, on average; a little less for large pictures."""
log = logging.getLogger(__name__)


def generate(
    spec: RoomsSpec,
    out: Path,
    *,
    workers: int = 0,
    backend: str = "auto",
    device: str = "cpu",
    progress: Progress = lambda done, total: None,
) -> dict[str, Any]:
    """Makes a dataset, or what is left of it to make, and returns its manifest.

    Args:
        spec: What to make.
        out: Folder for it: a new or empty one, or one where the same was begun before.
        workers: Processes; 0 takes one for each core on a CPU, one on a GPU or when there is little
            to do. With one, the work is done in this process.
        backend: Rasterizer: auto, torch or pytorch3d.
        device: Where to compute: ``cpu`` or ``cuda``.
        progress: Told about the frames, at the start and after each scene.

    Raises:
        UsageError: The folder holds something else.
        RequirementError: The folder cannot be written, or the disk is too small.
        RunFailed: A process died, which is what running out of memory looks like.
    """
    try:
        return _generate(spec, out, workers, backend, device, progress)
    except OSError as error:
        raise RequirementError(
            f"the dataset cannot be written to {out}: {error.strerror or error}",
            fix="free some space or choose another folder",
        ) from error


def _generate(
    spec: RoomsSpec, out: Path, workers: int, backend: str, device: str, progress: Progress
) -> dict[str, Any]:
    complete = _claim(spec, out)
    if complete is not None:
        progress(spec.scenes * spec.frames, spec.scenes * spec.frames)
        return complete
    records = out / _UNFINISHED
    jobs = [
        SceneJob(spec=spec, scene=scene, out=out, records=records, backend=backend, device=device)
        for scene in spec.all_scenes()
    ]
    for split in {job.scene.split for job in jobs}:
        (out / split).mkdir(exist_ok=True)
    todo = [job for job in jobs if finished(job) is None]
    if len(todo) < len(jobs):
        log.info("%d of %d scenes are there already", len(jobs) - len(todo), len(jobs))
    _check_space(todo, out)
    done, total = spec.frames * (len(jobs) - len(todo)), spec.frames * len(jobs)
    progress(done, total)
    with in_processes(
        make_shard,
        todo,
        workers=workers or _num_workers(todo, device),
        doing="renders",
        fix="start it again with fewer workers; finished scenes are kept",
    ) as made:
        for _ in made:
            done += spec.frames
            progress(done, total)
    return _complete(spec, jobs, out)


def _claim(spec: RoomsSpec, out: Path) -> dict[str, Any] | None:
    """Makes the folder ours; returns the manifest when the same dataset is already complete."""
    wanted = spec.describe()
    if (out / MANIFEST).is_file():
        manifest = _read(out / MANIFEST)
        if manifest.get("spec") == wanted:
            return manifest
        raise UsageError(
            f"{out} holds another dataset: {manifest.get('spec') or 'not one of rooms'}",
            fix="choose another folder, or remove that one",
        )
    out.mkdir(parents=True, exist_ok=True)
    begun = out / _UNFINISHED / _SPEC
    if begun.is_file():
        if _read(begun) == wanted:
            for left in out.glob("*/.*.tmp"):  # of a process that was killed
                left.unlink()
            return None
        raise UsageError(
            f"{out} holds the beginning of another dataset: {_read(begun)}",
            fix="choose another folder, remove that one, or ask for the same again to complete it",
        )
    if any(out.iterdir()):
        raise UsageError(
            f"{out} is not empty and holds no dataset of rooms",
            fix="choose a new or empty folder",
        )
    begun.parent.mkdir()
    write_atomically(begun, json.dumps(wanted))
    return None


def _check_space(jobs: list[SceneJob], out: Path) -> None:
    """Fails now rather than after hours when the disk is too small."""
    needed = sum(job.spec.frames * job.spec.height * job.spec.width for job in jobs)
    needed *= _BYTES_PER_PIXEL
    free = shutil.disk_usage(out).free
    if needed > free:
        raise RequirementError(
            f"the dataset needs about {needed / 1e9:.1f} GB in {out}, and {free / 1e9:.1f} GB are "
            "free",
            fix="free some space, choose another folder, or ask for fewer or smaller pictures",
        )


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        content = None
    return content if isinstance(content, dict) else {}


def _complete(spec: RoomsSpec, jobs: list[SceneJob], out: Path) -> dict[str, Any]:
    """Writes licence and manifest, which makes the dataset one, and clears away the records."""
    rows = []
    for job in jobs:
        record = finished(job)
        if record is None:
            raise RunFailed(
                f"{job.scene.path} was changed while the dataset was made", fix="start it again"
            )
        rows.append((job.scene, *record))
    licence = Path(__file__).with_name(f"{LICENCE}.txt").read_text(encoding="utf-8")
    write_atomically(out / "LICENSE", licence)
    manifest = build_manifest(spec, rows)
    write_atomically(out / MANIFEST, json.dumps(manifest, indent=1) + "\n", durable=True)
    shutil.rmtree(out / _UNFINISHED, ignore_errors=True)
    return manifest


def _num_workers(jobs: list[SceneJob], device: str) -> int:
    """Returns 0, for one on each core, where that pays."""
    pixels = sum(job.spec.frames * job.spec.height * job.spec.width for job in jobs)
    return 1 if device != "cpu" or pixels < _WORTH_A_PROCESS else 0
