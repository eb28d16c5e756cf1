"""Frames of the dataset rooms a second, and where the time goes, against PyTorch3D's rasterizer.

    python benchmarks/rooms_frames.py [--frames 8] [--seeds 3]

Renders generated rooms and corridors with all their fields (two pictures, depth, normals, labels,
disparity, flow both ways, three visibility masks) on one thread, once with our rasterizer and once
with PyTorch3D's, at the default size and a larger one. Time is processor time, so other processes
count little. The parts are measured by running them again alone on the same frames.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

from labcore.data.shard_writer import encode
from plugins.render.rooms import Eye, render_frames
from plugins.render.rooms.frames import camera_of, surface
from plugins.render.rooms.manifest import ENDINGS
from plugins.render.rooms.matches import match, motions
from plugins.render.rooms.picture import paint
from plugins.render.rooms.scenes import Scene, make_scene
from plugins.render.rooms.texture import TextureSet

SIZES = ((128, 160), (256, 320))
BASELINE_M = 0.12


def spent(work: Callable[[], Any]) -> tuple[float, Any]:
    """Returns processor milliseconds and what the work gave."""
    start = time.process_time()
    result = work()
    return (time.process_time() - start) * 1e3, result


def whole(scene: Scene, backend: str, height: int, width: int) -> float:
    """Returns milliseconds for a frame with everything."""
    eye = Eye(backend=backend)
    frames = render_frames(scene, eye, height=height, width=width, baseline_m=BASELINE_M)
    took, count = spent(lambda: sum(1 for _ in frames))
    return took / count


def parts(scene: Scene, height: int, width: int) -> dict[str, float]:
    """Returns milliseconds for a frame by part."""
    eye, textures = Eye(), TextureSet.build(scene.textures)
    count = scene.num_frames
    views = [
        eye.look(scene.mesh(frame), camera_of(scene, frame, height, width))
        for frame in range(count)
    ]
    rights = [eye.look(view.mesh, view.camera.moved_right(BASELINE_M)) for view in views]
    took = {
        "rasterize: centres": spent(lambda: [view.face for view in views])[0],
        "rasterize: samples, left and right": spent(lambda: [v.fine for v in views + rights])[0],
        "faces in closed form": spent(lambda: [v.table for v in views + rights])[0],
        "colours, left and right": spent(
            lambda: [paint(v, textures, scene.lights, scene.sky) for v in views + rights]
        )[0],
        "depth, normals, labels": spent(lambda: [surface(view) for view in views])[0],
    }
    poses = [scene.poses(frame) for frame in range(count)]
    pairs = [
        (a, b, motions(views[a].camera, views[b].camera, poses[a], poses[b]))
        for first, second in pairwise(range(count))
        for a, b in ((first, second), (second, first))
    ]
    took["flow, both ways"] = spent(lambda: [match(views[a], views[b], m) for a, b, m in pairs])[0]
    still = [
        motions(view.camera, right.camera, pose, pose)
        for view, right, pose in zip(views, rights, poses, strict=True)
    ]
    took["disparity"] = spent(lambda: list(map(match, views, rights, still)))[0]
    frames = render_frames(scene, eye, height=height, width=width, baseline_m=BASELINE_M)
    arrays = [frame.arrays() for frame in frames]
    took["encoding as .png and .npy"] = spent(
        lambda: [encode(a, ENDINGS[name]) for frame in arrays for name, a in frame.items()]
    )[0]
    return {name: value / count for name, value in took.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=8, help="frames of a scene")
    parser.add_argument("--seeds", type=int, default=3, help="scenes of each kind")
    options = parser.parse_args()
    torch.set_num_threads(1)
    console = Console(width=110)
    table = Table("scene", "size", "faces", "ours, ms a frame", "PyTorch3D's, ms", "ratio")
    detail: dict[str, list[float]] = {}
    with torch.no_grad():
        for height, width in SIZES:
            for kind in ("room", "corridor"):
                ours, theirs, faces = [], [], []
                for seed in range(options.seeds):
                    size = {"height": height, "width": width}
                    scene = make_scene(seed, kind, num_frames=options.frames, moving=True, **size)
                    short = make_scene(seed, kind, num_frames=2, moving=True, **size)
                    whole(short, "torch", **size)  # warm
                    ours.append(whole(scene, "torch", **size))
                    theirs.append(whole(short, "pytorch3d", **size))
                    faces.append(len(scene.mesh(0).faces))
                    if (height, width) == SIZES[0]:
                        for name, value in parts(scene, **size).items():
                            detail.setdefault(name, []).append(value)
                mine, peer = statistics.median(ours), statistics.median(theirs)
                table.add_row(
                    kind,
                    f"{height} x {width}",
                    f"{statistics.median(faces):.0f}",
                    f"{mine:.0f}",
                    f"{peer:.0f}",
                    f"{peer / mine:.0f}",
                )
    console.print(table)
    shares = Table("part", "ms a frame", title=f"{SIZES[0][0]} x {SIZES[0][1]}, ours")
    for name, values in detail.items():
        shares.add_row(name, f"{statistics.median(values):.1f}")
    console.print(shares)


if __name__ == "__main__":
    main()
