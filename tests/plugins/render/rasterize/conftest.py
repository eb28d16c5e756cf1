"""Comparing fragments with PyTorch3D's, and cameras of every kind."""

from types import SimpleNamespace

import pytest
import torch
from pytorch3d.renderer import (
    FoVOrthographicCameras,
    FoVPerspectiveCameras,
    OrthographicCameras,
    PerspectiveCameras,
    look_at_view_transform,
)
from pytorch3d.structures import Meshes


@pytest.fixture(autouse=True)
def one_thread():
    """PyTorch3D's own rasterizer splits rows over threads, which only costs on small pictures."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def assert_same_fragments():
    """Holds (faces, depth, barycentrics, distances) to PyTorch3D's.

    Faces may differ only where two are equally deep, to 1e-4 of the depth: between coincident
    triangles that reach far beyond the picture, as some here do, float32 tells no better.
    """

    def check(ours, theirs):
        faces, depth = ours[0], ours[1]
        other_faces, other_depth = theirs[0], theirs[1]
        assert faces.dtype == other_faces.dtype == torch.int64
        assert [tuple(part.shape) for part in ours] == [tuple(part.shape) for part in theirs]
        same = faces == other_faces
        tie = (depth - other_depth).abs() <= 1e-4 * other_depth.abs().clamp_min(1)
        both = (faces >= 0) & (other_faces >= 0)
        assert bool((same | (both & tie)).all()), torch.nonzero(~(same | (both & tie)))[:5]
        for mine, other in zip(ours[1:], theirs[1:], strict=True):
            torch.testing.assert_close(mine[same], other[same], rtol=1e-5, atol=1e-5)
        for mine, other in zip(ours[1:], theirs[1:], strict=True):
            assert bool((mine[faces < 0] == -1).all())
            assert bool((other[other_faces < 0] == -1).all())

    return check


CAMERAS = ("fov", "fov_orthographic", "perspective", "pixels", "orthographic")


@pytest.fixture(scope="session", params=CAMERAS)
def camera_kind(request):
    return request.param


@pytest.fixture(scope="session")
def make_cameras():
    """Makes a number of cameras of a kind that look at the origin from around it."""

    def make(kind, num, image_size, seed=0):
        generator = torch.Generator().manual_seed(seed)
        azimuth = torch.rand(num, generator=generator) * 360
        distance = 2.2 + torch.rand(num, generator=generator)
        rotation, translation = look_at_view_transform(distance, 20.0, azimuth)
        pose = {"R": rotation, "T": translation}
        height, width = image_size
        if kind == "fov":
            return FoVPerspectiveCameras(fov=50.0 + 10 * azimuth / 360, znear=0.1, **pose)
        if kind == "fov_orthographic":
            return FoVOrthographicCameras(max_x=1.4, min_x=-1.4, max_y=1.4, min_y=-1.4, **pose)
        if kind == "perspective":
            return PerspectiveCameras(
                focal_length=((1.9, 2.1),), principal_point=((0.1, -0.2),), **pose
            )
        if kind == "orthographic":
            return OrthographicCameras(focal_length=((0.8, 0.7),), **pose)
        return PerspectiveCameras(
            focal_length=((1.1 * width, 1.2 * width),),
            principal_point=((width * 0.55, height * 0.4),),
            image_size=((height, width),),
            in_ndc=False,
            **pose,
        )

    return make


@pytest.fixture(scope="session")
def random_meshes():
    """Draws a batch of triangle soups; the numbers of faces may be 0, but not of the last."""

    def draw(num_faces, seed, spread=1.0):
        generator = torch.Generator().manual_seed(seed)

        def soup(count):
            centres = (torch.rand(count, 1, 3, generator=generator) * 2 - 1) * spread
            offsets = torch.randn(count, 3, 3, generator=generator) * 0.6
            corners = (centres + offsets).reshape(-1, 3)
            return corners, torch.arange(3 * count).view(-1, 3)

        soups = [soup(count) for count in num_faces]
        return Meshes(verts=[verts for verts, _ in soups], faces=[faces for _, faces in soups])

    return draw


@pytest.fixture(scope="session")
def projected():
    """Makes meshes of triangles given in NDC and depth, one batch element for each list."""

    def make(*batch, dtype=torch.float32):
        corners = [torch.as_tensor(faces, dtype=dtype).reshape(-1, 3) for faces in batch]
        return Meshes(
            verts=corners, faces=[torch.arange(len(verts)).view(-1, 3) for verts in corners]
        )

    return make


@pytest.fixture(scope="session")
def parts():
    """Takes fragments apart into the tuple that ``rasterize_meshes`` gives."""

    def take(fragments):
        names = SimpleNamespace(**vars(fragments))
        return names.pix_to_face, names.zbuf, names.bary_coords, names.dists

    return take
