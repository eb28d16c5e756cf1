"""The picture of a mesh is what a ray caster of another library finds through its pixels."""

import numpy as np
import pytest
import torch
from pytorch3d.renderer import PerspectiveCameras, RasterizationSettings
from pytorch3d.structures import Meshes
from pytorch3d.utils import torus

from plugins.render.rasterize import TorchRasterizer

trimesh = pytest.importorskip("trimesh", reason="ray casting needs trimesh")
pytest.importorskip("embreex", reason="trimesh casts rays precisely enough with embreex only")
from trimesh.ray.ray_pyembree import RayMeshIntersector  # noqa: E402  # needs embreex

pytestmark = pytest.mark.ml

HEIGHT, WIDTH, FOCAL = 60, 84, 90.0


def room():
    """A box of two triangles a wall, seen from inside, with a torus in it."""
    box = trimesh.creation.box(extents=(6, 4, 9))
    ring = torus(r=0.4, R=1.0, sides=24, rings=32)
    place = np.array([0.3, -0.2, 2.5])
    verts = np.concatenate([box.vertices, ring.verts_packed().numpy() + place])
    faces = np.concatenate([box.faces, ring.faces_packed().numpy() + len(box.vertices)])
    return verts.astype(np.float32), faces


def test_faces_and_depth_in_a_room_are_those_that_rays_hit():
    verts, faces = room()
    cameras = PerspectiveCameras(
        focal_length=FOCAL, principal_point=((WIDTH / 2, HEIGHT / 2),),
        image_size=((HEIGHT, WIDTH),), in_ndc=False,
    )  # fmt: skip
    raster_settings = RasterizationSettings(image_size=(HEIGHT, WIDTH), z_clip_value=0.01)
    mesh = Meshes(verts=[torch.from_numpy(verts)], faces=[torch.from_numpy(faces)])
    fragments = TorchRasterizer(cameras, raster_settings)(mesh)
    columns, rows = np.meshgrid(np.arange(WIDTH) + 0.5, np.arange(HEIGHT) + 0.5)
    directions = np.stack(
        [(WIDTH / 2 - columns) / FOCAL, (HEIGHT / 2 - rows) / FOCAL, np.ones_like(rows)], -1
    ).reshape(-1, 3)
    caster = RayMeshIntersector(trimesh.Trimesh(verts, faces, process=False))
    points, rays, hit_faces = caster.intersects_location(
        np.zeros_like(directions), directions, multiple_hits=False
    )
    expected_face = np.full(len(directions), -1)
    expected_face[rays] = hit_faces
    expected_depth = np.full(len(directions), np.nan)
    expected_depth[rays] = points[:, 2]
    found_face = fragments.pix_to_face.numpy().reshape(-1)
    found_depth = fragments.zbuf.numpy().reshape(-1)
    assert (found_face >= 0).all()
    same = found_face == expected_face
    assert same.mean() > 0.999
    np.testing.assert_allclose(found_depth[same], expected_depth[same], rtol=1e-4)
    assert len(np.unique(found_face)) > 300
