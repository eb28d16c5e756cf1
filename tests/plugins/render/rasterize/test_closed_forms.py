"""Scenes whose pictures are known without any rasterizer."""

import math

import pytest
import torch
from pytorch3d.renderer import PerspectiveCameras, RasterizationSettings
from pytorch3d.structures import Meshes
from pytorch3d.utils import ico_sphere

from plugins.render.rasterize import TorchRasterizer, rasterize_meshes

pytestmark = pytest.mark.ml

HEIGHT, WIDTH, FOCAL = 48, 64, 60.0
BIG = [[-9.0, -9, 2], [9, -9, 2], [0, 9, 2]]
"""A triangle that covers every pixel."""


def camera(near=None):
    """Looks along +z from the origin, x to the left and y up."""
    cameras = PerspectiveCameras(
        focal_length=FOCAL, principal_point=((WIDTH / 2, HEIGHT / 2),),
        image_size=((HEIGHT, WIDTH),), in_ndc=False,
    )  # fmt: skip
    raster_settings = RasterizationSettings(image_size=(HEIGHT, WIDTH), z_clip_value=near)
    return TorchRasterizer(cameras, raster_settings)


def rays():
    """Directions (x, y, 1) through the centres of the pixels, in the camera's axes."""
    columns = (torch.arange(WIDTH) + 0.5 - WIDTH / 2) / -FOCAL
    rows = (torch.arange(HEIGHT) + 0.5 - HEIGHT / 2) / -FOCAL
    x, y = torch.meshgrid(columns, rows, indexing="xy")
    return torch.stack([x, y, torch.ones_like(x)], -1).double()


def plane_quad(normal, offset, extent=14.0):
    """Two triangles of the plane normal * p = offset, turned so that no pixel is on their seam."""
    normal = torch.nn.functional.normalize(torch.tensor(normal), dim=0)
    helper = torch.tensor([0.0, 1.0, 0.0]) if normal[1].abs() < 0.9 else torch.tensor([1.0, 0, 0])
    u = torch.nn.functional.normalize(torch.linalg.cross(normal, helper), dim=0)
    v = torch.linalg.cross(normal, u)
    angles = 0.3 + torch.arange(4) * math.pi / 2
    around = torch.stack([angles.cos(), angles.sin()], 1)
    verts = normal * offset + extent * (around @ torch.stack([u, v]))
    return Meshes(verts=[verts], faces=[torch.tensor([[0, 1, 2], [0, 2, 3]])]), normal


@pytest.mark.parametrize(
    "normal", [(0.0, 0.0, 1.0), (0.3, -0.2, 1.0), (0.0, 1.0, 0.05), (1.0, 0.0, 0.2)]
)
def test_the_depth_of_a_plane_that_passes_the_camera_is_its_equation(normal):
    mesh, unit = plane_quad(normal, 1.5)
    fragments = camera(near=0.05)(mesh)
    depth = 1.5 / (rays() @ unit.double())
    seen = fragments.pix_to_face[0, ..., 0] >= 0
    inside = (depth > 0.06) & (depth < 8)
    assert bool(seen[inside].all())
    found = fragments.zbuf[0, ..., 0].double()
    assert int(inside.sum()) > 500
    torch.testing.assert_close(found[inside], depth[inside], rtol=3e-5, atol=0)


def test_barycentrics_of_a_cut_triangle_are_of_the_whole_one():
    """The triangle runs from behind the camera to 8 m before it."""
    verts = torch.tensor([[-3.0, -1.0, 8.0], [3.0, -1.0, 8.0], [0.0, -1.0, -4.0]])
    fragments = camera(near=0.1)(Meshes(verts=[verts], faces=[torch.tensor([[0, 1, 2]])]))
    seen = fragments.pix_to_face[0, ..., 0] >= 0
    assert int(seen.sum()) > 200
    assert set(fragments.pix_to_face[0, ..., 0].unique().tolist()) == {-1, 0}
    points = fragments.bary_coords[0, ..., 0, :][seen] @ verts
    expected = (rays().float() * fragments.zbuf[0])[seen]
    torch.testing.assert_close(points, expected, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(points[:, 1], torch.full_like(points[:, 1], -1.0))


def test_a_vertex_in_the_plane_of_the_camera_loses_no_triangle():
    verts = torch.tensor([[-3.0, -1.0, 8.0], [3.0, -1.0, 8.0], [0.0, -1.0, 0.0]])
    fragments = camera(near=0.1)(Meshes(verts=[verts], faces=[torch.tensor([[0, 1, 2]])]))
    seen = fragments.pix_to_face[0, ..., 0] >= 0
    assert int(seen.sum()) > 200
    torch.testing.assert_close(
        fragments.zbuf[0, ..., 0][seen], (-1 / rays()[..., 1])[seen].float(), rtol=1e-5, atol=0
    )


def test_a_sphere_covers_its_disc_at_its_depth():
    radius, distance = 1.0, 3.0
    mesh = ico_sphere(5).offset_verts(torch.tensor([0.0, 0.0, distance]))
    fragments = camera()(mesh)
    direction = torch.nn.functional.normalize(rays(), dim=-1)
    along = direction[..., 2] * distance
    root = radius**2 - (distance**2 - along**2)
    depth = (along - root.clamp_min(0).sqrt()) * direction[..., 2]
    seen = fragments.pix_to_face[0, ..., 0] >= 0
    assert not bool((seen & (root <= 0)).any())
    missed = (root > 0) & ~seen
    assert int(missed.sum()) <= 0.005 * int((root > 0).sum())
    middle = root > 0.2
    error = (fragments.zbuf[0, ..., 0].double() - depth)[middle]
    # Facets lie inside the sphere, by no more than their sagitta.
    side = math.pi / (5 * 2**5)
    assert float(error.min()) > -1e-5
    assert float(error.max()) < 4 * side**2


def test_a_huge_triangle_covers_every_pixel_once(projected):
    faces, depth, _, _ = rasterize_meshes(projected([BIG]), (70, 90), faces_per_pixel=2)
    assert bool((faces[..., 0] == 0).all())
    assert bool((faces[..., 1] == -1).all())
    torch.testing.assert_close(depth[..., 0], torch.full_like(depth[..., 0], 2.0))


@pytest.mark.parametrize(
    "bad",
    [
        [[0.0, 0, 1], [1, 1, 1], [-1, -1, 1]],
        [[0.0, 0, 1], [0, 0, 1], [0, 0, 1]],
        [[-9.0, -9, 1], [9, -9, 1], [float("nan"), 9, 1]],
        [[-9.0, -9, 1], [9, -9, 1], [0, 9, float("nan")]],
        [[-9.0, -9, 1], [9, -9, 1], [0, float("inf"), 1]],
        [[-9.0, -9, 1], [9, -9, 1], [0, 9, float("inf")]],
        [[-9.0, -9, -1], [9, -9, -1], [0, 9, -1]],
        [[-9.0, -9, 1], [9, -9, 1], [0, 9, -1]],
        [[5.0, 5, 1], [6, 5, 1], [5, 6, 1]],
    ],
    ids=["a line", "a point", "x not a number", "z not a number", "y infinite", "z infinite",
         "behind the camera", "half behind the camera", "off the picture"],
)  # fmt: skip
@pytest.mark.parametrize("blur_radius", [0.0, 1e-3])
def test_a_triangle_that_cannot_show_leaves_the_rest_of_the_picture(projected, bad, blur_radius):
    options = {"image_size": 9, "faces_per_pixel": 3, "blur_radius": blur_radius}
    alone = rasterize_meshes(projected([BIG]), **options)
    together = rasterize_meshes(projected([BIG, bad]), **options)
    for mine, other in zip(together, alone, strict=True):
        assert torch.equal(mine, other)


def test_gradients_stay_finite_beside_a_triangle_with_no_area(projected):
    meshes = projected([BIG, [[0.0, 0, 1], [0, 0, 1], [0, 0, 1]]])
    verts = meshes.verts_padded().clone().requires_grad_()
    _, depth, weights, distance = rasterize_meshes(
        meshes.update_padded(verts), 9, blur_radius=1e-3, faces_per_pixel=3
    )
    (depth.sum() + weights.sum() + distance.sum()).backward()
    assert bool(verts.grad.isfinite().all())
    assert bool((verts.grad[:, 3:] == 0).all())


def test_of_equal_depths_the_first_triangle_is_in_front(projected):
    faces, *_ = rasterize_meshes(projected([BIG, BIG, BIG]), 8, faces_per_pixel=3)
    assert bool((faces == torch.arange(3)).all())


def test_nearer_hides_farther_and_backs_can_be_culled(projected):
    far = [[x, y, 3.0] for x, y, _ in BIG]
    back = [BIG[0], BIG[2], BIG[1]]
    faces, *_ = rasterize_meshes(projected([far, BIG]), 8, faces_per_pixel=1)
    assert bool((faces == 1).all())
    shown = [
        bool(
            (
                rasterize_meshes(projected([triangle]), 8, faces_per_pixel=1, cull_backfaces=True)[
                    0
                ]
                == 0
            ).all()
        )
        for triangle in (BIG, back)
    ]
    assert sorted(shown) == [False, True]


def test_culling_to_the_frustum_never_takes_a_triangle_that_shows(projected):
    """Its first corner is off the picture; PyTorch3D 0.7.9 drops the whole of it."""
    triangle = [[1.5, 1.5, 2.0], [-3, 0, 2], [0, -3, 2]]
    plain, culled = (
        rasterize_meshes(projected([triangle]), 16, faces_per_pixel=1, cull_to_frustum=cull)
        for cull in (False, True)
    )
    assert int((plain[0] >= 0).sum()) > 100
    assert torch.equal(plain[0], culled[0])


def test_a_batch_without_any_triangle_is_a_blank_picture(projected):
    meshes = projected([], [])
    for blur_radius, faces_per_pixel in ((0.0, 1), (0.0, 3), (1e-3, 3)):
        faces, depth, weights, distance = rasterize_meshes(
            meshes, (4, 6), blur_radius, faces_per_pixel, z_clip_value=0.1
        )
        assert faces.shape == (2, 4, 6, faces_per_pixel)
        assert weights.shape == (2, 4, 6, faces_per_pixel, 3)
        assert bool((faces == -1).all() & (depth == -1).all() & (distance == -1).all())
