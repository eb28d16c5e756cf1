"""The manifest of a dataset of rooms: everything that a reader of the files needs to know."""

from typing import Any

from plugins.render.rooms.facts import Facts
from plugins.render.rooms.scenes import LABELS
from plugins.render.rooms.spec import RoomsSpec, SceneSpec

__all__ = ["ENDINGS", "FIELDS", "LICENCE", "build_manifest"]

LICENCE = "CC0-1.0"

FIELDS = {
    "rgb.png": "left picture, sRGB, uint8 [H, W, 3]",
    "right.png": "right picture of the rectified stereo pair, sRGB, uint8 [H, W, 3]",
    "depth.npy": "z in metres at the pixel's centre, float32 [H, W]; 0 where there is no surface",
    "normals.npy.gz": "unit normal in the camera's frame, towards the camera, float16 [H, W, 3]; "
    "0 where there is no surface",
    "labels.png": "class, index in labels, uint8 [H, W]",
    "instances.png": "thing, uint16 [H, W], the same in all frames of a sequence; 0 where there is "
    "no surface",
    "disparity.npy": "x in the left picture minus x in the right one = fx * baseline / depth, "
    "pixels, float32 [H, W]; 0 where there is no surface",
    "visible_right.png": "1 where the right picture shows the point too, uint8 [H, W]",
    "flow_next.npy": "place of the point in the next picture minus its place in this one, (x, y) "
    "in pixels, float32 [H, W, 2]; also for points that leave the picture; 0 where there is no "
    "surface and in the last frame",
    "visible_next.png": "1 where the next picture shows the point too, uint8 [H, W]; 0 in the last "
    "frame",
    "flow_previous.npy": "the same towards the previous picture; 0 in the first frame",
    "visible_previous.png": "the same towards the previous picture; 0 in the first frame",
    "intrinsics.npy": "K in pixels, float64 [3, 3], of both cameras",
    "world_to_camera.npy": "pose of the left camera, float64 [4, 4]",
    "camera_to_world.npy": "its inverse, float64 [4, 4]",
    "meta.json": "scene, kind, frame, frames, frame_rate_hz, baseline_m, and for each moving thing "
    "its pose: object_to_world by instance, 3 x 4",
}
"""File ending to what it holds."""

ENDINGS = {ending.partition(".")[0]: ending for ending in FIELDS}
"""Field to file ending."""

_CONVENTIONS = {
    "camera": "x right, y down, z into the picture; x_camera = R x_world + t",
    "world": "right-handed, metres, y up",
    "pixels": "the centre of the top left pixel is at (0.5, 0.5)",
    "stereo": "the right camera is the left one moved by baseline_m along its x axis",
    "rigid flow": "project(K (R_next R^T (ray * depth - t) + t_next)) - pixel; equal to flow_next "
    "where the thing does not move",
}


def build_manifest(
    spec: RoomsSpec, done: list[tuple[SceneSpec, dict[str, Any], Facts]]
) -> dict[str, Any]:
    """Returns the manifest of a finished dataset.

    Args:
        spec: What was made.
        done: Each scene with its row (bytes, SHA-256, K) and what its pixels hold.
    """
    total = Facts()
    splits: dict[str, dict[str, int]] = {}
    for scene, _, facts in done:
        total.add(facts)
        split = splits.setdefault(scene.split, {"scenes": 0, "frames": 0})
        split["scenes"] += 1
        split["frames"] += facts.frames
    return {
        "name": "rooms",
        "summary": "procedural rooms and street-like corridors: posed, metric RGB-D sequences",
        "version": spec.version,
        "format": "webdataset: tar shards, one for each scene; members in the order of the frames",
        "licence": LICENCE,
        "spec": spec.describe(),
        "splits": splits,
        "fields": FIELDS,
        "labels": list(LABELS),
        "conventions": _CONVENTIONS,
        "statistics": total.summary(),
        "shards": [
            {
                "path": scene.path,
                "split": scene.split,
                "samples": facts.frames,
                "kind": scene.kind,
                "moving": scene.moving,
                "seed": scene.seed,
                **row,
            }
            for scene, row, facts in done
        ],
    }
