"""The pinhole camera against projections written out by hand."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

np = pytest.importorskip("numpy")
transform = pytest.importorskip("scipy.spatial.transform", reason="the extra render brings it")

from labcore.kit.cameras import Pinhole  # noqa: E402  # after the skip


def camera(seed=0, height=48, width=80):
    rng = np.random.default_rng(seed)
    fx, fy = rng.uniform(0.6, 2.0, 2) * width
    cx, cy = width * rng.uniform(0.3, 0.7), height * rng.uniform(0.3, 0.7)
    return Pinhole(
        K=np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]]),
        R=transform.Rotation.random(random_state=seed).as_matrix(),
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
