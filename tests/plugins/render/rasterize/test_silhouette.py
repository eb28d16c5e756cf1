"""Soft silhouettes against PyTorch3D's blending of many fragments, and against their definition."""

import math

import pytest
import torch
from pytorch3d.renderer import (
    BlendParams,
    FoVPerspectiveCameras,
    MeshRasterizer,
    RasterizationSettings,
    SoftSilhouetteShader,
    look_at_view_transform,
)
from pytorch3d.structures import Meshes
from pytorch3d.utils import ico_sphere, torus

from plugins.render.rasterize import TorchRasterizer, soft_silhouette

pytestmark = pytest.mark.ml


@pytest.fixture
def cameras():
    rotation, translation = look_at_view_transform(2.4, 25, torch.tensor([0.0, 70.0]))
    return FoVPerspectiveCameras(R=rotation, T=translation, znear=0.1)


@pytest.fixture(params=["sphere", "torus"])
def meshes(request):
    mesh = ico_sphere(2) if request.param == "sphere" else torus(0.25, 0.7, 10, 14)
    return mesh.extend(2)


def by_fragments(meshes, cameras, image_size, sigma, near=None):
    """PyTorch3D's silhouette, with room for all triangles at a pixel."""
    raster_settings = RasterizationSettings(
        image_size=image_size, blur_radius=math.log(1 / 1e-4 - 1) * sigma, faces_per_pixel=150,
        perspective_correct=near is not None, z_clip_value=near,
    )  # fmt: skip
    fragments = MeshRasterizer(cameras, raster_settings)(meshes)
    assert bool((fragments.pix_to_face[..., -1] < 0).all())
    return SoftSilhouetteShader(BlendParams(sigma=sigma))(fragments, meshes)[..., 3]


@pytest.mark.parametrize("image_size", [(24, 24), (20, 28)])
@pytest.mark.parametrize("sigma", [1e-5, 1e-4, 1e-3])
def test_silhouettes_and_their_gradients_are_those_of_pytorch3d(meshes, cameras, image_size, sigma):
    weights = torch.rand(2, *image_size, generator=torch.Generator().manual_seed(0))
    pictures, gradients = [], []
    for draw in (by_fragments, lambda *args: soft_silhouette(*args[:3], sigma=args[3])):
        verts = meshes.verts_padded().clone().requires_grad_()
        picture = draw(meshes.update_padded(verts), cameras, image_size, sigma)
        (picture * weights).sum().backward()
        pictures.append(picture.detach())
        gradients.append(verts.grad)
    torch.testing.assert_close(pictures[1], pictures[0], rtol=1e-5, atol=1e-5)
    assert (gradients[1] - gradients[0]).norm() <= 1e-4 * gradients[0].norm()


def test_the_opacity_of_one_triangle_is_the_sigmoid_of_its_distance(projected):
    """The upright edge x = 0 of a half-plane: d is the squared distance to it."""
    identity = FoVPerspectiveCameras(fov=90.0, znear=0.1)
    corners = [[[0.0, -40, 1], [0, 40, 1], [40, 0, 1]]]
    size, sigma = 40, 1e-2
    alpha = soft_silhouette(projected(*corners), identity, size, sigma=sigma)[0, size // 2]
    x = 1 - (torch.arange(size) + 0.5) * 2 / size
    expected = torch.sigmoid(torch.sign(x) * x**2 / sigma)
    reached = (x > 0) | (x**2 < math.log(1 / 1e-4 - 1) * sigma)
    torch.testing.assert_close(alpha, expected * reached, rtol=1e-4, atol=1e-4)


def test_a_small_sigma_gives_the_hard_mask(meshes, cameras):
    hard = TorchRasterizer(cameras, RasterizationSettings(image_size=32))(meshes).pix_to_face >= 0
    alpha = soft_silhouette(meshes, cameras, 32, sigma=1e-9)
    assert torch.equal(alpha > 0.5, hard[..., 0])


def test_every_triangle_in_reach_has_a_gradient(projected):
    """No limit on the triangles at a pixel: a stack of 200 is opaque, and all of them pull."""
    triangle = torch.tensor([[-0.3, -0.3, 2.0], [0.3, -0.3, 2], [0, 0.3, 2]])
    meshes = projected([(triangle + torch.tensor([0, 0, i * 0.001])).tolist() for i in range(200)])
    verts = meshes.verts_padded().clone().requires_grad_()
    identity = FoVPerspectiveCameras(fov=90.0, znear=0.1)
    soft_silhouette(meshes.update_padded(verts), identity, 24, sigma=3e-3).sum().backward()
    assert bool((verts.grad.view(200, -1).norm(dim=1) > 0).all())


def test_a_triangle_that_passes_the_camera_is_cut_and_counted_once():
    verts = torch.tensor([[-3.0, -1.0, 8.0], [3.0, -1.0, 8.0], [0.0, -1.0, -4.0]])
    mesh = Meshes(verts=[verts], faces=[torch.tensor([[0, 1, 2]])])
    identity = FoVPerspectiveCameras(fov=60.0, znear=0.2)
    alpha = soft_silhouette(mesh, identity, 32, sigma=1e-4)
    torch.testing.assert_close(
        alpha, by_fragments(mesh, identity, 32, 1e-4, near=0.1), rtol=1e-4, atol=1e-4
    )
    assert 20 < float(alpha.sum()) < 512


def test_nothing_in_view_is_transparent_and_has_no_gradient(cameras, projected):
    meshes = ico_sphere(1).offset_verts(torch.tensor([100.0, 0, 0])).extend(2)
    verts = meshes.verts_padded().clone().requires_grad_()
    alpha = soft_silhouette(meshes.update_padded(verts), cameras, (5, 6), sigma=1e-4)
    assert alpha.shape == (2, 5, 6)
    assert bool((alpha == 0).all())
    alpha.sum().backward()
    assert bool((verts.grad == 0).all())


@pytest.mark.parametrize("sigma", [0.0, -1.0, math.nan])
def test_an_outline_fades_over_a_positive_distance(meshes, cameras, sigma):
    with pytest.raises(ValueError, match="sigma is"):
        soft_silhouette(meshes, cameras, 8, sigma=sigma)
