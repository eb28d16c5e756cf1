"""The fields of a frame against each other: what a learner of depth, stereo or flow relies on."""

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

pytestmark = pytest.mark.ml


def linear(picture):
    """sRGB bytes to light."""
    value = picture / 255.0
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def warp(picture, flow):
    """Samples a picture at each pixel's place plus its flow; NaN outside."""
    rows, columns = np.indices(flow.shape[:2])
    places = [rows + flow[..., 1], columns + flow[..., 0]]
    channels = [
        map_coordinates(linear(picture[..., c]), places, order=1, cval=np.nan) for c in range(3)
    ]
    return np.stack(channels, axis=-1)


def interior(frame):
    """Pixels with one thing and one plane in reach of interpolation."""
    normals, things = frame["normals"].astype(float), frame["instances"]
    inside = np.zeros(things.shape, bool)
    inside[2:-2, 2:-2] = True
    for down in range(-2, 3):
        for right in range(-2, 3):
            shift = (-down, -right)
            inside &= np.roll(things, shift, (0, 1)) == things
            inside &= (np.roll(normals, shift, (0, 1)) * normals).sum(-1) > 0.99
    return inside & (frame["depth"] > 0)


@pytest.fixture(scope="module")
def arrays(frames):
    return [frame.arrays() for frame in frames]


def rigid_flow(frame, other):
    """Flow of a world that stands still, from depth, poses and K alone."""
    height, width = frame["depth"].shape
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    pixels = np.stack([x, y, np.ones_like(x)], axis=-1)
    points = pixels @ np.linalg.inv(frame["intrinsics"]).T * frame["depth"][..., None]
    relative = other["world_to_camera"] @ frame["camera_to_world"]
    points = (points @ relative[:3, :3].T + relative[:3, 3]) @ frame["intrinsics"].T
    return points[..., :2] / points[..., 2:] - pixels[..., :2]


def test_rigid_flow_is_the_flow_but_on_things_that_move(arrays, made):
    moving = [part.instance for part in made.moving]
    rigid = rigid_flow(arrays[0], arrays[1])
    moves = np.isin(arrays[0]["instances"], moving)
    assert 0.02 < moves.mean() < 0.5
    np.testing.assert_allclose(rigid[~moves], arrays[0]["flow_next"][~moves], atol=2e-4)
    assert np.linalg.norm(rigid - arrays[0]["flow_next"], axis=-1)[moves].min() > 0.5


@pytest.mark.parametrize(("first", "second", "name"), [(0, 1, "next"), (2, 1, "previous")])
def test_the_other_picture_warped_by_flow_is_this_one_outside_occlusions(
    arrays, helpers, first, second, name
):
    still = [f.arrays() for f in helpers.render(helpers.furnished(moving=False))]
    here, there = still[first], still[second]
    warped = warp(there["rgb"], here[f"flow_{name}"])
    error = np.abs(warped - linear(here["rgb"])).mean(-1)
    visible = (here[f"visible_{name}"] > 0) & np.isfinite(error)
    good = visible & interior(here)
    assert good.mean() > 0.4
    # A byte of sRGB is up to 0.009 of light, and both pictures are rounded.
    assert error[good].mean() < 0.005
    assert np.quantile(error[good], 0.99) < 0.02
    assert error[visible].mean() < 0.01


def test_the_warp_fails_where_the_masks_say_so(arrays):
    here, there = arrays[0], arrays[1]
    error = np.abs(warp(there["rgb"], here["flow_next"]) - linear(here["rgb"])).mean(-1)
    hidden = (here["visible_next"] == 0) & np.isfinite(error)
    good = (here["visible_next"] > 0) & np.isfinite(error) & interior(here)
    assert hidden.sum() > 30
    assert error[hidden].mean() > 5 * error[good].mean()


def test_disparity_is_focal_length_times_baseline_over_depth(arrays, helpers):
    for frame in arrays:
        expected = frame["intrinsics"][0, 0] * helpers.BASELINE_M / frame["depth"]
        np.testing.assert_allclose(frame["disparity"], expected, rtol=1e-5)


def test_the_right_picture_warped_by_disparity_is_the_left_one(arrays):
    for frame in arrays:
        flow = np.stack([-frame["disparity"], np.zeros_like(frame["disparity"])], axis=-1)
        error = np.abs(warp(frame["right"], flow) - linear(frame["rgb"])).mean(-1)
        visible = (frame["visible_right"] > 0) & np.isfinite(error)
        good = visible & interior(frame)
        assert good.mean() > 0.4
        assert error[good].mean() < 0.004
        assert error[visible].mean() < 0.01
        hidden = (frame["visible_right"] == 0) & np.isfinite(error)
        assert error[hidden].mean() > 3 * error[good].mean()


def test_normals_are_unit_vectors_towards_the_camera(frames):
    for frame in frames:
        normals = frame.surface.normals.numpy()
        np.testing.assert_allclose(np.linalg.norm(normals, axis=-1), 1, atol=1e-6)
        assert ((normals * frame.camera.rays()).sum(-1) <= 0).all()
        assert (
            np.abs(np.linalg.norm(frame.arrays()["normals"].astype(float), axis=-1) - 1).max()
            < 1e-3
        )


def test_normals_are_the_gradient_of_the_depth(arrays, frames):
    frame, camera = arrays[0], frames[0].camera
    points = camera.rays() * frame["depth"].astype(np.float64)[..., None]
    across = np.roll(points, -1, 1) - np.roll(points, 1, 1)
    down = np.roll(points, -1, 0) - np.roll(points, 1, 0)
    cross = np.cross(down, across)
    cross /= np.linalg.norm(cross, axis=-1, keepdims=True)
    flat = interior(frame) & np.isin(frame["instances"], [1, 3, 4])  # not on the ball's facets
    assert flat.mean() > 0.3
    sine = np.linalg.norm(np.cross(cross, frame["normals"].astype(float)), axis=-1)[flat]
    assert np.degrees(np.arcsin(sine)).max() < 0.1
    assert ((cross * frame["normals"]).sum(-1)[flat] > 0).all()


def test_there_and_back_again_is_no_way_at_all(arrays):
    """Forward flow, then backward flow at the place it leads to."""
    here, there = arrays[0], arrays[1]
    rows, columns = np.indices(here["depth"].shape)
    places = [rows + here["flow_next"][..., 1], columns + here["flow_next"][..., 0]]
    back = [
        map_coordinates(there["flow_previous"][..., c], places, order=1, cval=np.nan)
        for c in (0, 1)
    ]
    rest = here["flow_next"] + np.stack(back, axis=-1)
    good = (here["visible_next"] > 0) & interior(here) & np.isfinite(rest).all(-1)
    assert np.quantile(np.linalg.norm(rest[good], axis=-1), 0.95) < 0.02


def test_the_ends_of_a_sequence_have_no_flow_beyond(arrays):
    assert not arrays[0]["flow_previous"].any()
    assert not arrays[0]["visible_previous"].any()
    assert not arrays[-1]["flow_next"].any()
    assert not arrays[-1]["visible_next"].any()
