"""A scene as arrays: rigid parts, textures, lights, and a camera that moves through them.

World frame: right-handed, metres, +Y up. Cameras follow OpenCV: x right, y down, z forward,
``x_camera = R x_world + t``, pixels by K with pixel centres at +0.5.

Legend: N frames, V vertices, F faces, T textures, S texels a side, L lamps, I instances.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Lights", "Mesh", "Part", "Scene"]

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Part:
    """Rigid geometry with one texture: a thing (a chair, a car) has one part for each material.

    A vertex of frame n is in the world at ``rotations[n] @ vertex + translations[n]``.
    """

    name: str
    label: int
    """Index in :data:`LABELS`."""
    instance: int
    """Number of the thing, from 1. Parts of one thing share it, and then their poses too."""
    vertices: Float32
    """(V, 3) in metres, in the frame of the thing."""
    faces: Int64
    """(F, 3) indices of vertices, counter-clockwise seen from outside."""
    uvs: Float32
    """(F, 3, 2) for each corner of a face, in repeats of the texture."""
    texture: int
    """Index in ``Scene.textures``."""
    rotations: Float64
    """(N, 3, 3), or (1, 3, 3) when it does not move."""
    translations: Float64
    """(N, 3), or (1, 3) when it does not move."""

    @property
    def moves(self) -> bool:
        """Whether it has a pose for each frame."""
        return len(self.rotations) > 1

    def pose(self, frame: int) -> tuple[Float64, Float64]:
        """Returns rotation (3, 3) and translation (3,) at a frame."""
        index = frame if self.moves else 0
        return self.rotations[index], self.translations[index]

    def world(self, frame: int) -> Float64:
        """Returns the vertices (V, 3) in the world at a frame."""
        rotation, translation = self.pose(frame)
        return self.vertices.astype(np.float64) @ rotation.T + translation


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Lights:
    """Lights of a Lambertian world without shadows, in linear light, as R, G, B.

    A surface of albedo a, at x with unit normal n, sends out, in every direction,

        a * (ambient * (0.75 + 0.25 * n_y)
             + sun_colour * max(0, n . sun_direction)
             + sum over lamps of lamp_colour * max(0, n . d / |d|) / (1 + |d|^2)),  d = lamp - x.

    The sum is chosen to lie in [0, 1] for all but a few surfaces right beside a lamp.
    """

    ambient: Float64
    """(3,) light from everywhere, somewhat more from above."""
    sun_direction: Float64
    """(3,) unit vector towards the sun."""
    sun_colour: Float64
    """(3,)"""
    lamp_positions: Float64
    """(L, 3) in metres."""
    lamp_colours: Float64
    """(L, 3) as received at no distance."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Mesh:
    """All parts at one frame, in the world. Only ``vertices`` differs from frame to frame."""

    vertices: Float32
    """(V, 3)"""
    faces: Int64
    """(F, 3)"""
    uvs: Float32
    """(F, 3, 2)"""
    textures: Int64
    """(F,) index in ``Scene.textures``."""
    labels: Int64
    """(F,) index in :data:`LABELS`."""
    instances: Int64
    """(F,) number of the thing."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Scene:
    """Everything that pictures of a scene are made from.

    Pixels that see no part see the sky: label 0, no depth (0 stands for it).
    """

    seed: int
    kind: str
    """``room`` or ``corridor``."""
    parts: tuple[Part, ...]
    textures: Float32
    """(T, S, S, 3) albedo in [0, 1], linear light (apply the sRGB curve after the lights).
    Tileable: texel (row r, column c) is at u = (c + 0.5) / S, v = (r + 0.5) / S, modulo 1."""
    sky: Float64
    """(3,) colour where no part is seen, linear light."""
    lights: Lights
    intrinsics: Float64
    """K (3, 3) in pixels."""
    rotations: Float64
    """(N, 3, 3) world to camera."""
    translations: Float64
    """(N, 3) world to camera."""
    frame_rate_hz: float

    @property
    def num_frames(self) -> int:
        """Number of camera poses."""
        return len(self.rotations)

    @property
    def static(self) -> tuple[Part, ...]:
        """Parts that stand still."""
        return tuple(part for part in self.parts if not part.moves)

    @property
    def moving(self) -> tuple[Part, ...]:
        """Parts that have a pose for each frame."""
        return tuple(part for part in self.parts if part.moves)

    def mesh(self, frame: int) -> Mesh:
        """Returns all parts as they are at a frame, as flat arrays."""
        counts = [len(part.faces) for part in self.parts]
        starts = np.cumsum([0, *(len(part.vertices) for part in self.parts)])
        return Mesh(
            vertices=np.concatenate([part.world(frame) for part in self.parts]).astype(np.float32),
            faces=np.concatenate(
                [part.faces + start for part, start in zip(self.parts, starts, strict=False)]
            ),
            uvs=np.concatenate([part.uvs for part in self.parts]),
            textures=np.repeat([part.texture for part in self.parts], counts),
            labels=np.repeat([part.label for part in self.parts], counts),
            instances=np.repeat([part.instance for part in self.parts], counts),
        )

    def poses(self, frame: int) -> tuple[Float64, Float64]:
        """Returns rotations (I + 1, 3, 3) and translations (I + 1, 3) at a frame, by instance.

        Entry 0, the sky, is the identity.
        """
        num_instances = max(part.instance for part in self.parts)
        rotations = np.tile(np.eye(3), (num_instances + 1, 1, 1))
        translations = np.zeros((num_instances + 1, 3))
        for part in self.parts:
            rotations[part.instance], translations[part.instance] = part.pose(frame)
        return rotations, translations
