"""Cameras all round."""

import pytest
import torch

from plugins.render.config import CameraConfig
from plugins.render.fitting import sphere_views

pytestmark = pytest.mark.ml

CAMERA = CameraConfig(distance=2.5, fov_deg=50.0)


def directions(count, turn=0.0):
    return sphere_views(count, CAMERA, turn=turn).get_camera_center() / CAMERA.distance


def test_they_are_at_the_distance_and_see_the_origin_in_the_middle():
    views = sphere_views(12, CAMERA)
    torch.testing.assert_close(views.get_camera_center().norm(dim=1), torch.full((12,), 2.5))
    seen = views.transform_points_ndc(torch.zeros(12, 1, 3))
    torch.testing.assert_close(seen[..., :2], torch.zeros(12, 1, 2), atol=1e-5, rtol=0)


def test_they_are_spread_evenly():
    """Their second moment is that of the whole sphere, and none has a near neighbour."""
    ways = directions(200)
    torch.testing.assert_close(ways.T @ ways / 200, torch.eye(3) / 3, atol=0.01, rtol=0)
    torch.testing.assert_close(ways.mean(0), torch.zeros(3), atol=0.01, rtol=0)
    apart = torch.cdist(ways, ways) + 10 * torch.eye(200)
    # 200 points in a hexagonal grid on the sphere would be 0.27 apart.
    assert float(apart.min()) > 0.15


def test_held_out_views_are_none_of_the_training_views():
    nearest = torch.cdist(directions(8, turn=1 / 3), directions(24)).min()
    assert float(nearest) > 0.05


@pytest.mark.parametrize("count", [1, 2])
def test_few_views_are_possible(count):
    assert torch.isfinite(sphere_views(count, CAMERA).R).all()
