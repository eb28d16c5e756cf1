"""Cameras round the origin: where they are, what they look at, which way things seem to turn."""

import math

import pytest
import torch

from plugins.render.cameras import orbit

pytestmark = pytest.mark.ml

SIZE = (101, 101)


def pixels(cameras, point):
    points = torch.tensor([point], dtype=torch.float32).expand(len(cameras), 1, 3)
    return cameras.transform_points_screen(points, image_size=(SIZE,))[:, 0, :2]


def test_all_cameras_are_at_the_distance_and_the_elevation():
    centres = orbit(7, distance=4.0, elevation_deg=30).get_camera_center()
    assert torch.allclose(centres.norm(dim=1), torch.full((7,), 4.0), atol=1e-5)
    assert torch.allclose(centres[:, 1], torch.full((7,), 4 * math.sin(math.radians(30))))


def test_all_cameras_have_the_origin_in_the_middle():
    assert torch.allclose(pixels(orbit(5, distance=3.0), (0, 0, 0)), torch.tensor(50.5), atol=1e-3)


def test_the_first_camera_is_on_the_z_axis_and_a_quarter_later_on_the_x_axis():
    centres = orbit(4, distance=2.0, elevation_deg=0).get_camera_center()
    assert torch.allclose(centres[0], torch.tensor([0.0, 0, 2]), atol=1e-6)
    assert torch.allclose(centres[1], torch.tensor([2.0, 0, 0]), atol=1e-6)


def test_a_turn_begins_where_it_is_told():
    first = orbit(8, distance=2.0, elevation_deg=0, start_deg=90).get_camera_center()[0]
    assert torch.allclose(first, torch.tensor([2.0, 0, 0]), atol=1e-6)


def test_up_in_the_world_is_up_in_the_picture_and_right_is_right():
    camera = orbit(1, distance=3.0)
    middle = pixels(camera, (0, 0, 0))[0]
    assert pixels(camera, (0, 0.5, 0))[0, 1] < middle[1]
    assert pixels(camera, (0.5, 0, 0))[0, 0] > middle[0]


def test_what_is_in_front_goes_to_the_left_first():
    """Seen from above it turns clockwise: the side that faces the viewer moves to their left."""
    cameras = orbit(36, distance=3.0, elevation_deg=0)
    x = pixels(cameras, (0, 0, 0.9))[:, 0]
    assert x[1] < x[0]
    assert x[2] < x[1]


def test_the_field_of_view_is_that_of_the_shorter_side():
    camera = orbit(1, distance=3.0, elevation_deg=0, fov_deg=60)
    top = torch.tensor([[[0, 3 * math.tan(math.radians(30)), 0]]])
    on_screen = camera.transform_points_screen(top, image_size=((100, 200),))[0, 0]
    assert on_screen[:2].tolist() == pytest.approx([100, 0], abs=1e-3)


@pytest.mark.parametrize("elevation", [-90, 90])
def test_a_camera_right_above_or_below_sees_the_origin_too(elevation):
    cameras = orbit(4, distance=3.0, elevation_deg=elevation)
    assert torch.isfinite(cameras.R).all()
    assert torch.allclose(torch.linalg.det(cameras.R), torch.ones(4), atol=1e-5)
    assert torch.allclose(pixels(cameras, (0, 0, 0)), torch.tensor(50.5), atol=1e-2)
