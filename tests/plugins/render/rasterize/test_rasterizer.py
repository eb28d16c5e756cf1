"""The module in the place of PyTorch3D's: shaders, cameras of the call, the choice of backend."""

import pytest
import torch
from pytorch3d.renderer import (
    BlendParams,
    FoVPerspectiveCameras,
    HardPhongShader,
    MeshRasterizer,
    MeshRenderer,
    RasterizationSettings,
    SoftPhongShader,
    TexturesUV,
    TexturesVertex,
    look_at_view_transform,
)
from pytorch3d.structures import Meshes
from pytorch3d.utils import ico_sphere

from plugins.render.rasterize import TorchRasterizer, make_rasterizer, scene, spans, visibility

pytestmark = pytest.mark.ml


@pytest.fixture
def cameras():
    rotation, translation = look_at_view_transform(2.5, 20, torch.tensor([10.0, 130.0]))
    return FoVPerspectiveCameras(R=rotation, T=translation)


@pytest.fixture
def spheres():
    return ico_sphere(2).extend(2)


def textured(meshes, kind):
    if kind == "vertices":
        textures = TexturesVertex((meshes.verts_padded() + 1) / 2)
    else:
        picture = torch.rand(2, 8, 8, 3, generator=torch.Generator().manual_seed(0))
        uv = meshes.verts_padded()[..., :2] / 2 + 0.5
        textures = TexturesUV(maps=picture, faces_uvs=meshes.faces_padded(), verts_uvs=uv)
    return Meshes(verts=meshes.verts_list(), faces=meshes.faces_list(), textures=textures)


@pytest.mark.parametrize("kind", ["vertices", "map"])
@pytest.mark.parametrize("shader", [HardPhongShader, SoftPhongShader])
def test_shaders_of_pytorch3d_paint_the_same_picture(cameras, spheres, shader, kind):
    meshes = textured(spheres, kind)
    raster_settings = RasterizationSettings(
        image_size=(24, 30), faces_per_pixel=4, blur_radius=1e-4
    )
    pictures = [
        MeshRenderer(
            rasterizer=rasterizer(cameras, raster_settings),
            shader=shader(cameras=cameras, blend_params=BlendParams(sigma=1e-4)),
        )(meshes)
        for rasterizer in (TorchRasterizer, MeshRasterizer)
    ]
    assert float(pictures[0].std()) > 0.05
    torch.testing.assert_close(pictures[0], pictures[1], rtol=1e-5, atol=1e-5)


def test_cameras_and_settings_of_the_call_come_before_those_of_the_module(cameras, spheres):
    size = RasterizationSettings(image_size=16)
    given = TorchRasterizer(cameras, size)(spheres)
    called = TorchRasterizer()(spheres, cameras=cameras, raster_settings=size)
    assert torch.equal(given.pix_to_face, called.pix_to_face)
    assert TorchRasterizer(cameras)(spheres[0], cameras=cameras[0]).zbuf.shape[1:3] == (256, 256)


def test_a_pose_of_the_call_moves_the_camera(cameras, spheres):
    size = RasterizationSettings(image_size=16)
    rotation, translation = look_at_view_transform(4.0, 0, 50)
    ours, theirs = (
        kind(cameras[0], size)(spheres[0], R=rotation, T=translation)
        for kind in (TorchRasterizer, MeshRasterizer)
    )
    assert torch.equal(ours.pix_to_face, theirs.pix_to_face)


def test_no_camera_and_a_wrong_number_of_them_are_errors(cameras, spheres):
    with pytest.raises(ValueError, match="there are no cameras"):
        TorchRasterizer()(spheres)
    with pytest.raises(ValueError, match="2 cameras for 3 meshes"):
        TorchRasterizer(cameras)(ico_sphere(0).extend(3))


@pytest.mark.parametrize("size", [0, (4, 0), (4, 4, 4), "big", 2.5, (3, None)])
def test_a_picture_without_pixels_is_an_error(cameras, spheres, size):
    with pytest.raises(ValueError, match="image_size is"):
        TorchRasterizer(cameras, RasterizationSettings(image_size=size))(spheres)


def test_a_pixel_keeps_at_least_one_triangle(cameras, spheres):
    with pytest.raises(ValueError, match="faces_per_pixel is 0"):
        TorchRasterizer(cameras, RasterizationSettings(faces_per_pixel=0))(spheres)


@pytest.mark.parametrize("near", [None, 1.8])
@pytest.mark.parametrize("faces_per_pixel", [1, 3])
def test_visible_faces_are_those_of_the_fragments(cameras, spheres, faces_per_pixel, near):
    rasterizer = TorchRasterizer(
        cameras,
        RasterizationSettings(
            image_size=(20, 24), faces_per_pixel=faces_per_pixel, z_clip_value=near
        ),
    )
    assert torch.equal(rasterizer.visible_faces(spheres), rasterizer(spheres).pix_to_face)


@pytest.mark.parametrize("blur_radius", [0.0, 1e-3])
@pytest.mark.parametrize("faces_per_pixel", [1, 4])
def test_the_picture_does_not_depend_on_the_portions_of_the_work(
    cameras, spheres, monkeypatch, blur_radius, faces_per_pixel
):
    raster_settings = RasterizationSettings(
        image_size=32, faces_per_pixel=faces_per_pixel, blur_radius=blur_radius
    )
    whole = TorchRasterizer(cameras, raster_settings)(spheres)
    monkeypatch.setattr(scene, "MAX_PIXELS", 1)
    monkeypatch.setattr(spans, "MAX_FACES", 37)
    monkeypatch.setattr(spans, "MAX_SPANS", 5)
    monkeypatch.setattr(visibility, "MAX_PAIRS", 3)
    monkeypatch.setattr(visibility, "MAX_HELD", 50)
    portions = TorchRasterizer(cameras, raster_settings)(spheres)
    for name, values in vars(whole).items():
        assert torch.equal(values, getattr(portions, name)), name


@pytest.mark.parametrize("few", [0, 10**9])
def test_small_and_large_triangles_are_drawn_alike(cameras, spheres, monkeypatch, few):
    """Boxes of few pixels are tested pixel by pixel, larger ones are cut along their edges."""
    raster_settings = RasterizationSettings(image_size=48, faces_per_pixel=2)
    usual = TorchRasterizer(cameras, raster_settings)(spheres)
    monkeypatch.setattr(spans, "FEW_PIXELS", few)
    alike = TorchRasterizer(cameras, raster_settings)(spheres)
    assert torch.equal(usual.pix_to_face, alike.pix_to_face)


def test_few_pairs_are_held_at_a_time(cameras, monkeypatch):
    """Memory is bounded by the portions, not by how much of the picture triangles cover."""
    sizes = []
    portions = visibility._portions

    def counted(pieces):
        for part, span, place in portions(pieces):
            sizes.append(len(span))
            yield part, span, place

    monkeypatch.setattr(visibility, "_portions", counted)
    monkeypatch.setattr(visibility, "MAX_PAIRS", 4096)
    corners = torch.tensor([[-50.0, -50, 0], [50, -50, 0], [0, 50, 0]])
    curtain = Meshes(verts=[corners.repeat(40, 1)], faces=[torch.arange(120).view(-1, 3)])
    found = TorchRasterizer(cameras[0], RasterizationSettings(image_size=128))(curtain)
    assert bool((found.pix_to_face == 0).all())
    assert sum(sizes) >= 40 * 128 * 128
    assert max(sizes) <= 4096


def test_auto_takes_ours_on_a_cpu_and_the_compiled_one_on_cuda():
    assert isinstance(make_rasterizer(), TorchRasterizer)
    assert isinstance(make_rasterizer("torch", device="cuda"), TorchRasterizer)
    assert type(make_rasterizer("auto", device="cuda:0")) is MeshRasterizer
    assert type(make_rasterizer("pytorch3d")) is MeshRasterizer


def test_a_backend_that_does_not_exist_is_named():
    with pytest.raises(ValueError, match="'cuda'; use one of auto, torch, pytorch3d"):
        make_rasterizer("cuda")


def test_a_made_rasterizer_has_its_settings(cameras, spheres):
    raster_settings = RasterizationSettings(image_size=12, cull_backfaces=True)
    for backend in ("torch", "pytorch3d"):
        made = make_rasterizer(backend, cameras=cameras, raster_settings=raster_settings)
        assert made(spheres).pix_to_face.shape == (2, 12, 12, 1)


def test_moving_the_module_moves_its_cameras(cameras):
    rasterizer = TorchRasterizer(cameras)
    assert rasterizer.to("cpu") is rasterizer
    assert rasterizer.to("meta").cameras.R.device.type == "meta"
