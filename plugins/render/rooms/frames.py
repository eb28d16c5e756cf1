"""The frames of a scene with everything known about them, one at a time.

``H W`` are the pixels of the left camera, to which every array belongs but ``right``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from labcore.kit.cameras import Pinhole
from plugins.render.rooms.matches import Matches, match, motions
from plugins.render.rooms.picture import paint
from plugins.render.rooms.rays import rays_through
from plugins.render.rooms.scenes import Scene
from plugins.render.rooms.texture import TextureSet
from plugins.render.rooms.view import Eye, View

__all__ = ["Frame", "Surface", "camera_of", "render_frames", "surface"]


@dataclass(frozen=True, slots=True)
class Surface:
    """What the pixels of a view see."""

    depth: Tensor
    """z in metres at the pixel's centre, float64 ``[H, W]``; 0 where there is nothing."""
    normals: Tensor
    """Unit vectors in the frame of the camera, towards it, float64 ``[H, W, 3]``; 0 likewise."""
    labels: Tensor
    """Class, int64 ``[H, W]``."""
    instances: Tensor
    """Thing, int64 ``[H, W]``; 0 where there is nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One frame of a sequence."""

    index: int
    camera: Pinhole
    baseline_m: float
    poses: tuple[NDArray[np.float64], NDArray[np.float64]]
    """Rotations and translations of the things in the world, by instance."""
    rgb: Tensor
    right: Tensor
    surface: Surface
    to_right: Matches
    to_next: Matches | None
    """None at the end of the sequence."""
    to_previous: Matches | None
    """None at its start."""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Returns the frame as it is written: field to array."""
        camera = self.camera
        fields = {
            "rgb": _array(self.rgb, np.uint8),
            "right": _array(self.right, np.uint8),
            "depth": _array(self.surface.depth, np.float32),
            "normals": _array(self.surface.normals, np.float16),
            "labels": _array(self.surface.labels, np.uint8),
            "instances": _array(self.surface.instances, np.uint16),
            "disparity": _array(-self.to_right.flow[..., 0], np.float32),
            "visible_right": _array(self.to_right.visible, np.uint8),
            "intrinsics": camera.K,
            "world_to_camera": camera.world_to_camera,
            "camera_to_world": camera.camera_to_world,
        }
        for name, matches in (("next", self.to_next), ("previous", self.to_previous)):
            if matches is None:
                fields[f"flow_{name}"] = np.zeros((camera.height, camera.width, 2), np.float32)
                fields[f"visible_{name}"] = np.zeros((camera.height, camera.width), np.uint8)
            else:
                fields[f"flow_{name}"] = _array(matches.flow, np.float32)
                fields[f"visible_{name}"] = _array(matches.visible, np.uint8)
        return fields


def camera_of(scene: Scene, frame: int, height: int, width: int) -> Pinhole:
    """Returns the left camera at a frame."""
    return Pinhole(
        K=scene.intrinsics,
        R=scene.rotations[frame],
        t=scene.translations[frame],
        height=height,
        width=width,
    )


def surface(view: View) -> Surface:
    """Computes depth and normals of a view, and looks up its labels."""
    face = view.face.reshape(-1)
    seen = face >= 0
    faces = face.clamp_min(0)
    rays = rays_through(view.camera, 1, face.device).reshape(-1, 3)
    normals = view.table.normals[faces]
    away = (normals * rays).sum(-1, keepdim=True) > 0
    normals = torch.where(away, -normals, normals) * seen[:, None]
    size = view.face.shape

    def by_face(values: NDArray[np.int64]) -> Tensor:
        return (torch.as_tensor(values, device=face.device)[faces] * seen).reshape(size)

    return Surface(
        depth=(view.table.depth(faces, rays) * seen).reshape(size),
        normals=normals.reshape(*size, 3),
        labels=by_face(view.mesh.labels),
        instances=by_face(view.mesh.instances),
    )


def render_frames(
    scene: Scene, eye: Eye, *, height: int, width: int, baseline_m: float
) -> Iterator[Frame]:
    """Renders a scene frame by frame; two neighbours at most are kept in memory.

    Args:
        scene: What is seen.
        eye: What sees it.
        height: Rows of the pictures, for which the scene's intrinsics are.
        width: Columns of the pictures.
        baseline_m: From the left camera to the right one.
    """
    textures = TextureSet.build(scene.textures, eye.device)

    def look(frame: int) -> View:
        return eye.look(scene.mesh(frame), camera_of(scene, frame, height, width))

    def follow(here: int, there: int, view: View, other: View) -> Matches:
        moved = motions(view.camera, other.camera, scene.poses(here), scene.poses(there))
        return match(view, other, moved)

    last = scene.num_frames - 1
    previous, view = None, look(0)
    for index in range(scene.num_frames):
        following = look(index + 1) if index < last else None
        right = eye.look(view.mesh, view.camera.moved_right(baseline_m))
        poses = scene.poses(index)
        to_right = match(view, right, motions(view.camera, right.camera, poses, poses))
        yield Frame(
            index=index,
            camera=view.camera,
            baseline_m=baseline_m,
            poses=poses,
            rgb=paint(view, textures, scene.lights, scene.sky),
            right=paint(right, textures, scene.lights, scene.sky),
            surface=surface(view),
            to_right=to_right,
            to_next=None if following is None else follow(index, index + 1, view, following),
            to_previous=None if previous is None else follow(index, index - 1, view, previous),
        )
        previous, view = view, following if following is not None else view


def _array(values: Tensor, kind: Any) -> NDArray[Any]:
    return values.cpu().numpy().astype(kind)
