"""Small scenes built by hand, and a ray caster of another library to hold the renderer to."""

from types import SimpleNamespace

import numpy as np
import pytest
import trimesh
from scipy.spatial.transform import Rotation

from plugins.render.rooms import Eye, render_frames
from plugins.render.rooms.scenes import Lights, Part, Scene

HEIGHT, WIDTH, BASELINE_M = 48, 64, 0.1


def part(mesh, *, name="thing", label=1, instance=1, texture=0, poses=None):
    """A part from a mesh of trimesh, textured along the axes of each face."""
    corners = mesh.vertices[mesh.faces]
    dominant = np.abs(mesh.face_normals).argmax(1)
    axes = np.array([[1, 2], [0, 2], [0, 1]])[dominant]
    uvs = np.take_along_axis(corners, axes[:, None, :].repeat(3, 1), axis=2) * 0.3
    rotations, translations = poses or ([np.eye(3)], [np.zeros(3)])
    return Part(
        name=name,
        label=label,
        instance=instance,
        vertices=mesh.vertices.astype(np.float32),
        faces=np.asarray(mesh.faces, dtype=np.int64),
        uvs=uvs.astype(np.float32),
        texture=texture,
        rotations=np.array(rotations, dtype=np.float64),
        translations=np.array(translations, dtype=np.float64),
    )


def smooth_textures(count=3, size=64):
    """Tiles without detail: what a pixel shows hardly depends on where its samples are."""
    rng = np.random.default_rng(5)
    v, u = np.meshgrid(*[(np.arange(size) + 0.5) / size] * 2, indexing="ij")
    tiles = []
    for _ in range(count):
        phase = rng.uniform(0, 2 * np.pi, (3, 2))
        channels = [
            0.5 + 0.2 * np.sin(2 * np.pi * u + a) + 0.2 * np.sin(2 * np.pi * v + b)
            for a, b in phase
        ]
        tiles.append(np.stack(channels, axis=-1))
    return np.array(tiles, dtype=np.float32)


def scene(parts, rotations, translations, *, focal=60.0, lights=None):
    """A scene with these parts, seen from these poses (world to camera)."""
    return Scene(
        seed=0,
        kind="room",
        parts=tuple(parts),
        textures=smooth_textures(),
        sky=np.array([0.2, 0.3, 0.5]),
        lights=lights
        or Lights(
            ambient=np.full(3, 0.35),
            sun_direction=np.array([0.36, 0.8, -0.48]),
            sun_colour=np.array([0.3, 0.28, 0.25]),
            lamp_positions=np.array([[0.5, 1.4, 1.0]]),
            lamp_colours=np.array([[0.6, 0.5, 0.4]]),
        ),
        intrinsics=np.array([[focal, 0, WIDTH / 2 - 1.5], [0, focal, HEIGHT / 2 + 1], [0, 0, 1]]),
        rotations=np.array(rotations, dtype=np.float64),
        translations=np.array(translations, dtype=np.float64),
        frame_rate_hz=10.0,
    )


def furnished(num_frames=3, *, moving=True):
    """A closed room with a ball, a box, and a box that turns and slides; the camera moves too."""
    room = trimesh.creation.box([6, 3, 8])
    room.invert()
    ball = trimesh.creation.icosphere(subdivisions=3, radius=0.5)
    turns = [Rotation.from_euler("yx", [20 + 14 * n, 6 * n], degrees=True) for n in range(3)]
    places = [[-0.9 + 0.25 * n, -0.4 + 0.05 * n, 2.2 - 0.1 * n] for n in range(num_frames)]
    steps = ([turn.as_matrix() for turn in turns[:num_frames]], places)
    parts = [
        part(room, name="room", label=2, instance=1, poses=([np.eye(3)], [[0, 0, 2.5]])),
        part(
            ball, name="ball", label=3, instance=2, texture=1, poses=([np.eye(3)], [[0.9, -0.3, 3]])
        ),
        part(
            trimesh.creation.box([0.8, 1.2, 0.5]),
            name="cupboard",
            label=4,
            instance=3,
            texture=2,
            poses=([Rotation.from_euler("y", 33, degrees=True).as_matrix()], [[0.1, -0.7, 4.4]]),
        ),
    ]
    if moving:
        box = trimesh.creation.box([0.6, 0.7, 0.8])
        parts.append(part(box, name="crate", label=5, instance=4, texture=1, poses=steps))
    looks = [
        Rotation.from_euler("yxz", [4 * n - 3, 2 * n, 1.5 * n], degrees=True).as_matrix()
        @ np.diag([-1.0, -1.0, 1.0])  # y up in the world, down in the camera
        for n in range(num_frames)
    ]
    centres = np.array([[0.06 * n, 0.1, -0.8 + 0.08 * n] for n in range(num_frames)])
    translations = [-look @ centre for look, centre in zip(looks, centres, strict=True)]
    return scene(parts, looks, translations)


def render(made, **changes):
    """All frames of a scene."""
    sizes = {"height": HEIGHT, "width": WIDTH, "baseline_m": BASELINE_M, **changes}
    return list(render_frames(made, Eye(), **sizes))


class Referee:
    """Casts rays at one frame of a scene with Embree, through trimesh."""

    def __init__(self, made, frame):
        pytest.importorskip("embreex", reason="the referee is not here: pip install embreex")
        from trimesh.ray.ray_pyembree import RayMeshIntersector

        self.mesh = made.mesh(frame)
        self.trimesh = trimesh.Trimesh(self.mesh.vertices, self.mesh.faces, process=False)
        self._caster = RayMeshIntersector(self.trimesh)

    def cast(self, origin, directions):
        """First face that each ray hits (-1 for none), and the distance in lengths of the ray."""
        flat = directions.reshape(-1, 3)
        face = self._caster.intersects_first(np.broadcast_to(origin, flat.shape), flat)
        corners = self.trimesh.triangles[face].astype(np.float64)
        normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        along = (normal * flat).sum(-1)
        safe = np.where(along == 0, 1, along)
        length = (normal * (corners[:, 0] - origin)).sum(-1) / safe
        length = np.where(face >= 0, length, np.inf)
        shape = directions.shape[:-1]
        return face.reshape(shape), length.reshape(shape)

    def look(self, camera):
        """Face and depth of each pixel's centre."""
        return self.cast(camera.centre, camera.rays() @ camera.R)

    def sees(self, camera, points):
        """Whether nothing is between a camera and world points, and they are in its picture."""
        pixels = camera.project(points)
        size = np.array([camera.width, camera.height])
        inside = ((pixels >= 0) & (pixels < size)).all(-1)  # NaN, behind the camera, is not
        _, length = self.cast(camera.centre, points - camera.centre)
        return inside & (length > 1 - 1e-4)


@pytest.fixture(scope="session")
def helpers():
    return SimpleNamespace(
        part=part,
        scene=scene,
        furnished=furnished,
        render=render,
        Referee=Referee,
        BASELINE_M=BASELINE_M,
        HEIGHT=HEIGHT,
        WIDTH=WIDTH,
    )


@pytest.fixture(scope="session")
def made():
    """A furnished room of three frames with a moving box."""
    return furnished()


@pytest.fixture(scope="session")
def frames(made):
    return render(made)
