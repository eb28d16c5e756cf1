"""One sphere in three looks, and what a camera must see of it by geometry."""

import numpy as np
import pytest
import torch
from pytorch3d.renderer import TexturesVertex
from pytorch3d.structures import Meshes

from plugins.render.cameras import orbit
from plugins.render.meshes import primitive

DISTANCE = 3.0
FOV_DEG = 40.0
SIZE = 96
FOCAL_PX = SIZE / 2 / np.tan(np.radians(FOV_DEG / 2))

LOOKS = ("textured", "vertex colours", "plain")


def sphere(look, resolution=96):
    mesh = primitive("sphere", resolution=resolution)
    if look == "textured":
        return mesh
    vertices, faces = mesh.verts_list(), mesh.faces_list()
    if look == "plain":
        return Meshes(verts=vertices, faces=faces)
    red = torch.tensor([0.9, 0.1, 0.1]).expand_as(vertices[0])
    return Meshes(verts=vertices, faces=faces, textures=TexturesVertex([red]))


@pytest.fixture
def camera():
    return orbit(1, distance=DISTANCE, elevation_deg=25, fov_deg=FOV_DEG, start_deg=40)


class Sphere:
    """The unit sphere in the middle, seen from :data:`DISTANCE`, in closed form.

    Attributes:
        hit: Pixels whose centre's ray meets it, ``[H, W]``.
        inside: The same, two pixels and more from the outline.
        depth: Distance along the view axis.
        normals: In the viewer's frame, x right, y up, z towards them, ``[H, W, 3]``.
    """

    def __init__(self, size=SIZE):
        middle = (np.arange(size) + 0.5 - size / 2) / (FOCAL_PX * size / SIZE)
        x, y = np.meshgrid(middle, -middle)
        ray = np.stack([x, y, -np.ones_like(x)], axis=-1)
        # The viewer is at the origin and the sphere's middle at (0, 0, -DISTANCE).
        a = (ray**2).sum(axis=-1)
        b = ray @ np.array([0, 0, -DISTANCE])
        root = b**2 - a * (DISTANCE**2 - 1)
        self.hit = root > 0
        nearest = (b - np.sqrt(np.where(self.hit, root, 0))) / a
        self.depth = nearest
        self.normals = ray * nearest[..., None] - np.array([0, 0, -DISTANCE])
        radius_px = FOCAL_PX * size / SIZE / np.sqrt(DISTANCE**2 - 1)
        self.inside = np.hypot(x, y) * FOCAL_PX * size / SIZE < radius_px - 2
        self.outside = np.hypot(x, y) * FOCAL_PX * size / SIZE > radius_px + 1
        self.area_px = np.pi * radius_px**2


@pytest.fixture
def exact():
    return Sphere()
