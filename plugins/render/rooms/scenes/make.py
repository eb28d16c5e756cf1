"""Makes a scene from a seed."""

import numpy as np

from plugins.render.rooms.scenes.camera import FRAME_RATE_HZ, intrinsics
from plugins.render.rooms.scenes.indoor import build_room
from plugins.render.rooms.scenes.scene import Scene
from plugins.render.rooms.scenes.streams import Streams
from plugins.render.rooms.scenes.street import build_street

__all__ = ["KINDS", "make_scene"]

KINDS = ("room", "corridor")


def make_scene(
    seed: int, kind: str, *, num_frames: int, height: int, width: int, moving: bool
) -> Scene:
    """Returns a scene: for the same arguments the same one, to the byte.

    The size of the picture changes nothing but the intrinsics, and ``moving`` only adds things.

    Args:
        seed: Not negative.
        kind: ``room`` or ``corridor``.
        num_frames: Poses of the camera.
        height: Of the pictures, in pixels.
        width: The same.
        moving: Whether some things move.

    Raises:
        RequirementError: scikit-image, which ships the photographs, is not installed.
        ValueError: The kind is unknown, or a number makes no sense.
    """
    if kind not in KINDS:
        raise ValueError(f"kind is {kind!r}; use one of {', '.join(KINDS)}")
    if seed < 0:
        raise ValueError(f"seed is {seed}; use 0 or more")
    if min(num_frames, height, width) < 1:
        raise ValueError(
            f"num_frames, height and width are {num_frames}, {height} and {width}; use 1 or more"
        )
    streams = Streams(seed, kind)
    build = build_room if kind == "room" else build_street
    stage, motion, lights = build(streams, num_frames, moving=moving)
    rotations, translations = motion.extrinsics()
    return Scene(
        seed=seed,
        kind=kind,
        parts=tuple(stage.parts),
        textures=stage.materials.textures,
        sky=np.array([0.45, 0.6, 0.85]),
        lights=lights,
        intrinsics=intrinsics(streams("lens"), height, width),
        rotations=np.round(rotations, 9),
        translations=np.round(translations, 6),
        frame_rate_hz=FRAME_RATE_HZ,
    )
