"""The pinhole camera's conversion to PyTorch3D's and back."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pytorch3d.renderer import FoVOrthographicCameras, FoVPerspectiveCameras, PerspectiveCameras
from pytorch3d.utils import cameras_from_opencv_projection
from scipy.spatial.transform import Rotation

from labcore.kit.cameras import Pinhole
from plugins.render.cameras import from_pytorch3d, to_pytorch3d

pytestmark = pytest.mark.ml


def camera(seed=0, height=48, width=80):
    rng = np.random.default_rng(seed)
    fx, fy = rng.uniform(0.6, 2.0, 2) * width
    cx, cy = width * rng.uniform(0.3, 0.7), height * rng.uniform(0.3, 0.7)
    return Pinhole(
        K=np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]]),
        R=Rotation.random(random_state=seed).as_matrix(),
        t=rng.normal(size=3),
        height=height,
        width=width,
    )


def points_before(pinhole, seed=1, count=50):
    rng = np.random.default_rng(seed)
    seen = np.column_stack([rng.uniform(-1, 1, (count, 2)), rng.uniform(0.5, 8, count)])
    return (seen - pinhole.t) @ pinhole.R


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.sampled_from([(48, 80), (80, 48), (33, 33)]))
def test_pytorch3d_projects_to_the_same_pixels(seed, size):
    pinhole = camera(seed, *size)
    points = points_before(pinhole, seed + 1)
    screen = to_pytorch3d(pinhole).transform_points_screen(
        torch.tensor(points[None], dtype=torch.float32)
    )
    np.testing.assert_allclose(screen[0, :, :2].numpy(), pinhole.project(points), atol=2e-3)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.sampled_from([(48, 80), (80, 48)]))
def test_to_pytorch3d_and_back_is_the_same_camera(seed, size):
    pinhole = camera(seed, *size)
    back = from_pytorch3d(to_pytorch3d(pinhole), height=size[0], width=size[1])
    for name in ("K", "R", "t"):
        np.testing.assert_allclose(
            getattr(back, name), getattr(pinhole, name), rtol=1e-5, atol=1e-5
        )


def test_the_conversion_is_that_of_pytorch3ds_own_function():
    pinhole = camera(3)
    theirs = cameras_from_opencv_projection(
        torch.tensor(pinhole.R[None], dtype=torch.float32),
        torch.tensor(pinhole.t[None], dtype=torch.float32),
        torch.tensor(pinhole.K[None], dtype=torch.float32),
        torch.tensor([[pinhole.height, pinhole.width]]),
    )
    ours = to_pytorch3d(pinhole)
    for name in ("R", "T", "focal_length", "principal_point"):
        torch.testing.assert_close(getattr(ours, name), getattr(theirs, name), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("size", [(48, 80), (80, 48)])
def test_cameras_in_pixels_are_read_too(size):
    pinhole = camera(4, *size)
    ndc = to_pytorch3d(pinhole)
    pixels = PerspectiveCameras(
        R=ndc.R,
        T=ndc.T,
        focal_length=torch.tensor([[pinhole.K[0, 0], pinhole.K[1, 1]]], dtype=torch.float32),
        principal_point=torch.tensor(pinhole.K[None, :2, 2], dtype=torch.float32),
        image_size=torch.tensor([size]),
        in_ndc=False,
    )
    back = from_pytorch3d(pixels, height=size[0], width=size[1])
    np.testing.assert_allclose(back.K, pinhole.K, rtol=1e-6)


@pytest.mark.parametrize("size", [(48, 80), (80, 48)])
def test_fov_cameras_are_read_with_their_field_over_the_shorter_side(size):
    cameras = FoVPerspectiveCameras(fov=60.0, T=torch.tensor([[0.1, -0.2, 3.0]]))
    pinhole = from_pytorch3d(cameras, height=size[0], width=size[1])
    assert pinhole.K[0, 0] == pytest.approx(24 / np.tan(np.radians(30)), rel=1e-5)
    points = np.random.default_rng(0).uniform(-1, 1, (20, 3))
    screen = cameras.transform_points_screen(
        torch.tensor(points[None], dtype=torch.float32), image_size=torch.tensor([size])
    )
    np.testing.assert_allclose(screen[0, :, :2].numpy(), pinhole.project(points), atol=1e-3)


def test_one_of_a_batch_is_read():
    cameras = FoVPerspectiveCameras(T=torch.tensor([[0.0, 0.0, 2.0], [0.0, 0.0, 5.0]]))
    pinhole = from_pytorch3d(cameras, height=10, width=10, index=1)
    np.testing.assert_allclose(pinhole.centre, [0, 0, -5], atol=1e-6)


def test_orthographic_cameras_are_refused():
    with pytest.raises(ValueError, match="no pinhole"):
        from_pytorch3d(FoVOrthographicCameras(), height=8, width=8)
