"""The rasterizer is held to PyTorch3D's own on random scenes, forwards and backwards."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pytorch3d.renderer import MeshRasterizer, RasterizationSettings
from pytorch3d.renderer.mesh.rasterize_meshes import rasterize_meshes as reference
from pytorch3d.structures import Meshes
from pytorch3d.utils import ico_sphere, torus

from plugins.render.rasterize import TorchRasterizer, rasterize_meshes

pytestmark = pytest.mark.ml

SIDES = st.integers(1, 24)
SEEDS = st.integers(0, 2**31)
BLURS = st.sampled_from([0.0, 1e-4, 0.02])
FLAGS = st.booleans()


def room_for(faces_per_pixel, blur_radius):
    """Gives room for all triangles where PyTorch3D's choice depends on how they are ordered.

    A pixel that the blur brings in reach of both halves of a cut triangle keeps one of them.
    PyTorch3D's choice depends on what its queue has dropped before; ours is the nearer outline.
    """
    return 24 if blur_radius > 0 else faces_per_pixel


@st.composite
def triangles_in_ndc(draw):
    """A batch of triangles that meet the centres, edges and corners of pixels, and each other."""
    height, width = draw(SIDES), draw(SIDES)
    generator = torch.Generator().manual_seed(draw(SEEDS))
    counts = [*draw(st.lists(st.integers(0, 8), min_size=0, max_size=2)), draw(st.integers(1, 8))]
    reach = draw(st.sampled_from([0.3, 1.2, 40.0]))
    shared = draw(FLAGS)
    on_lattice = draw(FLAGS)
    least_depth = draw(st.sampled_from([0.2, -0.5]))
    batch = []
    for count in counts:
        num_corners = max(count // 2 + 2, 3) if shared else 3 * count
        corners = torch.rand(num_corners, 3, generator=generator)
        corners[:, :2] = (corners[:, :2] * 2 - 1) * reach
        corners[:, 2] = corners[:, 2] * 3 + least_depth
        if on_lattice:
            # Multiples of half a pixel: corners and edges run through centres of pixels.
            step = 1 / min(height, width)
            corners[:, :2] = (corners[:, :2] / step).round() * step
            corners[:, 2] = (corners[:, 2] * 4).round() / 4
        if shared:
            index = (
                torch.stack(
                    [torch.randperm(num_corners, generator=generator)[:3] for _ in range(count)]
                )
                if count
                else torch.zeros(0, 3, dtype=torch.int64)
            )
        else:
            index = torch.arange(3 * count).view(-1, 3)
        batch.append((corners, index))
    meshes = Meshes(verts=[verts for verts, _ in batch], faces=[index for _, index in batch])
    return meshes, (height, width)


@given(
    scene=triangles_in_ndc(), blur_radius=BLURS, faces_per_pixel=st.integers(1, 5),
    perspective=FLAGS, clip=FLAGS, cull=FLAGS, near=st.sampled_from([None, 0.05, 1.0]),
)  # fmt: skip
@settings(max_examples=300, deadline=None)
def test_fragments_of_projected_triangles_are_those_of_pytorch3d(
    assert_same_fragments, scene, blur_radius, faces_per_pixel, perspective, clip, cull, near
):
    meshes, image_size = scene
    options = {
        "image_size": image_size,
        "blur_radius": blur_radius,
        "faces_per_pixel": room_for(faces_per_pixel, blur_radius),
        "perspective_correct": perspective,
        "clip_barycentric_coords": clip,
        "cull_backfaces": cull,
        "z_clip_value": near,
    }
    assert_same_fragments(rasterize_meshes(meshes, **options), reference(meshes, **options))


@given(
    seed=SEEDS, num_faces=st.lists(st.integers(0, 9), min_size=0, max_size=2),
    height=SIDES, width=SIDES, blur_radius=BLURS, faces_per_pixel=st.integers(1, 4),
    perspective=st.sampled_from([None, True, False]), clip=st.sampled_from([None, True, False]),
    cull=FLAGS, near=st.sampled_from([None, 0.3, 2.5]), one_camera=FLAGS,
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_fragments_through_every_camera_are_those_of_pytorch3d(
    assert_same_fragments, make_cameras, random_meshes, camera_kind, parts, seed, num_faces,
    height, width, blur_radius, faces_per_pixel, perspective, clip, cull, near, one_camera,
):  # fmt: skip
    meshes = random_meshes([*num_faces, 6], seed)
    cameras = make_cameras(camera_kind, 1 if one_camera else len(meshes), (height, width), seed)
    raster_settings = RasterizationSettings(
        image_size=(height, width), blur_radius=blur_radius,
        faces_per_pixel=room_for(faces_per_pixel, blur_radius),
        perspective_correct=perspective, clip_barycentric_coords=clip, cull_backfaces=cull,
        z_clip_value=near,
    )  # fmt: skip
    ours, theirs = (
        parts(kind(cameras, raster_settings)(meshes)) for kind in (TorchRasterizer, MeshRasterizer)
    )
    assert_same_fragments(ours, theirs)


@given(
    seed=SEEDS, blur_radius=BLURS, faces_per_pixel=st.integers(1, 4),
    perspective=FLAGS, clip=FLAGS,
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_gradients_to_the_vertices_are_those_of_pytorch3d(
    make_cameras, random_meshes, camera_kind, parts, seed, blur_radius, faces_per_pixel,
    perspective, clip,
):  # fmt: skip
    image_size = (13, 16)
    cameras = make_cameras(camera_kind, 2, image_size, seed)
    raster_settings = RasterizationSettings(
        image_size=image_size, blur_radius=blur_radius, faces_per_pixel=faces_per_pixel,
        perspective_correct=perspective, clip_barycentric_coords=clip,
    )  # fmt: skip
    base = random_meshes([12, 15], seed, spread=0.5)
    # Left out are slivers, where a division by the area leaves float32 no digits to compare, and
    # triangles so steep that their planes run to infinity within the blur.
    ndc = TorchRasterizer(cameras).transform(base)
    corners = ndc.verts_packed()[ndc.faces_packed()]
    wide = torch.linalg.det(corners[:, 1:, :2] - corners[:, :1, :2]).abs() > 0.15
    depth = corners[..., 2]
    wide &= (depth.amin(1) > 0.5) & (depth.amax(1) < 1.6 * depth.amin(1))
    counts = base.num_faces_per_mesh().tolist()
    faces = [index[keep] for index, keep in zip(base.faces_list(), wide.split(counts), strict=True)]
    fragments, vertices = [], []
    for kind in (TorchRasterizer, MeshRasterizer):
        verts = [v.clone().requires_grad_() for v in base.verts_list()]
        fragments.append(parts(kind(cameras, raster_settings)(Meshes(verts=verts, faces=faces))))
        vertices.append(verts)
    same = (fragments[0][0] == fragments[1][0]) & (fragments[0][0] >= 0)
    generator = torch.Generator().manual_seed(seed)
    for part in range(1, 4):
        shape = fragments[0][part][same].shape
        weights = torch.randn(shape, generator=generator)
        gradients = [
            torch.cat(
                torch.autograd.grad((values[part][same] * weights).sum(), verts, retain_graph=True)
            )
            for values, verts in zip(fragments, vertices, strict=True)
        ]
        error = (gradients[0] - gradients[1]).norm()
        assert error <= 1e-4 * gradients[1].norm() + 1e-6, (part, error)


@pytest.mark.parametrize("image_size", [(64, 64), (48, 80)])
@pytest.mark.parametrize("name", ["sphere", "torus"])
def test_a_closed_surface_gives_the_very_faces_of_pytorch3d(
    make_cameras, camera_kind, name, image_size, parts
):
    mesh = ico_sphere(2) if name == "sphere" else torus(r=0.3, R=0.8, sides=16, rings=24)
    cameras = make_cameras(camera_kind, 1, image_size, seed=3)
    raster_settings = RasterizationSettings(image_size=image_size, faces_per_pixel=4)
    ours, theirs = (
        parts(kind(cameras, raster_settings)(mesh)) for kind in (TorchRasterizer, MeshRasterizer)
    )
    assert (theirs[0] >= 0).sum() > 1000
    assert bool((ours[0] == theirs[0]).all())
    for mine, other in zip(ours[1:], theirs[1:], strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-5, atol=1e-5)
