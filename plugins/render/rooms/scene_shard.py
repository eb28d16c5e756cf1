"""One scene made and rendered into one shard: the work of one process, on one thread."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from labcore.data.shard_writer import write_shard
from labcore.kit.pool import stop_if_asked
from labcore.record.files import write_atomically
from plugins.render.rooms.facts import Facts
from plugins.render.rooms.frames import Frame, render_frames
from plugins.render.rooms.manifest import ENDINGS
from plugins.render.rooms.scenes import Scene, make_scene
from plugins.render.rooms.spec import RoomsSpec, SceneSpec
from plugins.render.rooms.view import Eye

__all__ = ["SceneJob", "finished", "make_shard"]


@dataclass(frozen=True, kw_only=True, slots=True)
class SceneJob:
    """What a process needs to know to make a shard."""

    spec: RoomsSpec
    scene: SceneSpec
    out: Path
    """Folder of the dataset."""
    records: Path
    """Folder of what is known about finished shards until the manifest has it all."""
    backend: str
    device: str

    @property
    def record(self) -> Path:
        """Written after the shard: where it is, the shard is whole."""
        return self.records / f"{self.scene.name}.json"


def finished(job: SceneJob) -> tuple[dict[str, Any], Facts] | None:
    """Returns the record of a shard, or None when it has yet to be made."""
    try:
        record = json.loads(job.record.read_text(encoding="utf-8"))
        whole = (job.out / job.scene.path).stat().st_size == record["row"]["bytes"]
        return (record["row"], Facts(**record["facts"])) if whole else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def make_shard(job: SceneJob) -> None:
    """Makes a scene, renders it and writes its shard and record; may be stopped at each frame."""
    spec, scene = job.spec, job.scene
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # the sums of several threads may differ in the last bit
    try:
        made = make_scene(
            scene.seed,
            scene.kind,
            num_frames=spec.frames,
            height=spec.height,
            width=spec.width,
            moving=scene.moving,
        )
        eye = Eye(backend=job.backend, samples=spec.samples, device=job.device)
        facts = Facts()
        path = job.out / scene.path
        with torch.no_grad():
            size, digest = write_shard(path, _samples(made, job, eye, facts))
    finally:
        torch.set_num_threads(threads)
    row = {"bytes": size, "sha256": digest, "intrinsics": made.intrinsics.tolist()}
    write_atomically(job.record, json.dumps({"row": row, "facts": asdict(facts)}))


def _samples(
    made: Scene, job: SceneJob, eye: Eye, facts: Facts
) -> Iterator[tuple[str, dict[str, Any]]]:
    spec, scene = job.spec, job.scene
    frames = render_frames(
        made, eye, height=spec.height, width=spec.width, baseline_m=spec.baseline_m
    )
    moving = sorted({part.instance for part in made.moving})
    stop_if_asked()
    for frame in frames:
        arrays = frame.arrays()
        facts.count(
            arrays,
            has_next=frame.to_next is not None,
            has_previous=frame.to_previous is not None,
        )
        fields: dict[str, Any] = {ENDINGS[name]: array for name, array in arrays.items()}
        fields[ENDINGS["meta"]] = {
            "scene": scene.name,
            "kind": scene.kind,
            "frame": frame.index,
            "frames": spec.frames,
            "frame_rate_hz": made.frame_rate_hz,
            "baseline_m": frame.baseline_m,
            "object_to_world": {str(thing): _pose(frame, thing) for thing in moving},
        }
        yield f"{scene.name}/{frame.index:04d}", fields
        stop_if_asked()


def _pose(frame: Frame, thing: int) -> list[list[float]]:
    rotations, translations = frame.poses
    columns = zip(rotations[thing].tolist(), translations[thing].tolist(), strict=True)
    return [[*row, shift] for row, shift in columns]
