"""The pinhole camera and its conversion to PyTorch3D's, against projections written out by hand."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pytorch3d.renderer import FoVOrthographicCameras, FoVPerspectiveCameras, PerspectiveCameras
from pytorch3d.utils import cameras_from_opencv_projection
from scipy.spatial.transform import Rotation

from plugins.render.cameras.opencv import Pinhole

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


def by_hand(pinhole, point):
    """OpenCV's formulas (calib3d), a number at a time."""
    x, y, z = (sum(pinhole.R[i, j] * point[j] for j in range(3)) + pinhole.t[i] for i in range(3))
    return pinhole.K[0, 0] * x / z + pinhole.K[0, 2], pinhole.K[1, 1] * y / z + pinhole.K[1, 2]


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.sampled_from([(48, 80), (80, 48), (33, 33)]))
def test_projection_is_opencvs(seed, size):
    pinhole = camera(seed, *size)
    points = points_before(pinhole, seed + 1, 5)
    expected = [by_hand(pinhole, point) for point in points]
    np.testing.assert_allclose(pinhole.project(points), expected, atol=1e-9)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.sampled_from([(48, 80), (80, 48), (33, 33)]))
def test_pytorch3d_projects_to_the_same_pixels(seed, size):
    pinhole = camera(seed, *size)
    points = points_before(pinhole, seed + 1)
    screen = pinhole.to_pytorch3d().transform_points_screen(
        torch.tensor(points[None], dtype=torch.float32)
    )
    np.testing.assert_allclose(screen[0, :, :2].numpy(), pinhole.project(points), atol=2e-3)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.sampled_from([(48, 80), (80, 48)]))
def test_to_pytorch3d_and_back_is_the_same_camera(seed, size):
    pinhole = camera(seed, *size)
    back = Pinhole.from_pytorch3d(pinhole.to_pytorch3d(), height=size[0], width=size[1])
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
    ours = pinhole.to_pytorch3d()
    for name in ("R", "T", "focal_length", "principal_point"):
        torch.testing.assert_close(getattr(ours, name), getattr(theirs, name), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("size", [(48, 80), (80, 48)])
def test_cameras_in_pixels_are_read_too(size):
    pinhole = camera(4, *size)
    ndc = pinhole.to_pytorch3d()
    pixels = PerspectiveCameras(
        R=ndc.R,
        T=ndc.T,
        focal_length=torch.tensor([[pinhole.K[0, 0], pinhole.K[1, 1]]], dtype=torch.float32),
        principal_point=torch.tensor(pinhole.K[None, :2, 2], dtype=torch.float32),
        image_size=torch.tensor([size]),
        in_ndc=False,
    )
    back = Pinhole.from_pytorch3d(pixels, height=size[0], width=size[1])
    np.testing.assert_allclose(back.K, pinhole.K, rtol=1e-6)


@pytest.mark.parametrize("size", [(48, 80), (80, 48)])
def test_fov_cameras_are_read_with_their_field_over_the_shorter_side(size):
    cameras = FoVPerspectiveCameras(fov=60.0, T=torch.tensor([[0.1, -0.2, 3.0]]))
    pinhole = Pinhole.from_pytorch3d(cameras, height=size[0], width=size[1])
    assert pinhole.K[0, 0] == pytest.approx(24 / np.tan(np.radians(30)), rel=1e-5)
    points = np.random.default_rng(0).uniform(-1, 1, (20, 3))
    screen = cameras.transform_points_screen(
        torch.tensor(points[None], dtype=torch.float32), image_size=torch.tensor([size])
    )
    np.testing.assert_allclose(screen[0, :, :2].numpy(), pinhole.project(points), atol=1e-3)


def test_one_of_a_batch_is_read():
    cameras = FoVPerspectiveCameras(T=torch.tensor([[0.0, 0.0, 2.0], [0.0, 0.0, 5.0]]))
    pinhole = Pinhole.from_pytorch3d(cameras, height=10, width=10, index=1)
    np.testing.assert_allclose(pinhole.centre, [0, 0, -5], atol=1e-6)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000))
def test_unproject_inverts_project_at_pixel_centres(seed):
    pinhole = camera(seed)
    depth = np.random.default_rng(seed).uniform(0.5, 9, (48, 80))
    points = pinhole.unproject(depth)
    x, y = np.moveaxis(pinhole.project(points), -1, 0)
    np.testing.assert_allclose(x, np.broadcast_to(np.arange(80) + 0.5, (48, 80)), atol=1e-8)
    np.testing.assert_allclose(
        y, np.broadcast_to(np.arange(48)[:, None] + 0.5, (48, 80)), atol=1e-8
    )
    np.testing.assert_allclose(pinhole.to_camera(points)[..., 2], depth, atol=1e-10)


def test_a_point_behind_the_camera_has_no_pixel():
    pinhole = Pinhole(K=np.diag([50.0, 50, 1]), R=np.eye(3), t=np.zeros(3), height=8, width=8)
    assert np.isnan(pinhole.project(np.array([0.0, 0, -1]))).all()


def test_the_two_poses_are_inverses_and_place_the_camera():
    pinhole = camera(7)
    np.testing.assert_allclose(
        pinhole.world_to_camera @ pinhole.camera_to_world, np.eye(4), atol=1e-12
    )
    np.testing.assert_allclose(pinhole.to_camera(pinhole.centre), np.zeros(3), atol=1e-12)


def test_the_right_camera_sees_things_further_left_by_focal_times_baseline_over_depth():
    left = camera(5)
    right = left.moved_right(0.1)
    points = points_before(left)
    shift = left.project(points) - right.project(points)
    z = left.to_camera(points)[:, 2]
    np.testing.assert_allclose(shift[:, 0], left.K[0, 0] * 0.1 / z)
    np.testing.assert_allclose(shift[:, 1], 0, atol=1e-10)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"R": np.diag([1.0, 1, -1])}, "no rotation"),
        ({"R": np.eye(3) * 2}, "no rotation"),
        ({"K": np.array([[50.0, 3, 4], [0, 50, 4], [0, 0, 1]])}, "skew"),
        ({"K": np.diag([-50.0, 50, 1])}, "K must be"),
        ({"t": np.array([0, 0, np.nan])}, "finite"),
        ({"t": np.zeros((3, 1))}, "t must be"),
        ({"height": 0}, "empty"),
    ],
)
def test_what_is_no_camera_is_refused(change, said):
    valid = {"K": np.diag([50.0, 50, 1]), "R": np.eye(3), "t": np.zeros(3), "height": 8, "width": 8}
    with pytest.raises(ValueError, match=said):
        Pinhole(**{**valid, **change})


def test_orthographic_cameras_are_refused():
    with pytest.raises(ValueError, match="no pinhole"):
        Pinhole.from_pytorch3d(FoVOrthographicCameras(), height=8, width=8)
