"""Clouds of points: against a loop over the points, and against what a ball looks like."""

import numpy as np
import pytest
import torch
from pytorch3d.structures import Pointclouds

from plugins.render.cameras import orbit
from plugins.render.points import splat
from plugins.render.shading import render

pytestmark = pytest.mark.ml

SIZE = (40, 56)
DISTANCE = 3.0
FOCAL = 20 / np.tan(np.radians(20))  # pixels; the shorter side is 40


@pytest.fixture
def front():
    return orbit(1, distance=DISTANCE, elevation_deg=0)


def cloud(points, colours=None):
    points = torch.tensor(points, dtype=torch.float32)
    features = None if colours is None else [torch.tensor(colours, dtype=torch.float32)]
    return Pointclouds(points=[points], features=features)


def by_loop(points, radius):
    """Nearest point and its depth at each pixel, one point and one pixel after the other."""
    height, width = SIZE
    winner = np.full(SIZE, -1)
    depth = np.full(SIZE, np.inf)
    for index, (px, py, pz) in enumerate(points):
        z = DISTANCE - pz
        if z <= 2 * radius:
            continue
        x, y = width / 2 + FOCAL * px / z, height / 2 - FOCAL * py / z
        reach = max(FOCAL * radius / z, 0.5)
        for row in range(height):
            for column in range(width):
                square = ((column + 0.5 - x) ** 2 + (row + 0.5 - y) ** 2) / reach**2
                own = (row, column) == (np.floor(y), np.floor(x))
                if square < 1 or own:
                    at = z - radius * np.sqrt(max(1 - square, 0))
                    if at < depth[row, column]:
                        winner[row, column], depth[row, column] = index, at
    return winner, depth


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("radius", [0.001, 0.05, 0.3])
def test_the_nearest_point_of_every_pixel_is_found(front, seed, radius):
    points = np.random.default_rng(seed).uniform(-1.6, 1.6, (60, 3))
    colours = np.stack([np.arange(60) / 60, np.zeros(60), np.zeros(60)], axis=1)
    pixels = splat(cloud(points, colours), front, SIZE, radius=radius)
    winner, depth = by_loop(points, radius)
    hit = pixels.hit.numpy()
    assert (hit != (winner >= 0)).sum() <= 2  # centres on the outline, to the last bit
    both = hit & (winner >= 0)
    found = np.full(SIZE, -1.0)
    found[hit] = (pixels.colours[:, 0] * 60).round()
    assert (found != winner)[both].mean() < 0.01
    seen = np.full(SIZE, np.nan)
    seen[hit] = pixels.depth
    same = both & (found == winner)
    assert np.abs(seen - depth)[same].max() < 1e-4


def test_a_point_is_drawn_as_a_ball(front):
    """One point in the middle: a disc, its front nearest, its normals those of a sphere."""
    pixels = splat(cloud([[0, 0, 0]]), front, (80, 80), radius=0.5)
    radius_px = 2 * FOCAL * 0.5 / DISTANCE
    assert int(pixels.hit.sum()) == pytest.approx(np.pi * radius_px**2, rel=0.03)
    assert float(pixels.depth.min()) == pytest.approx(DISTANCE - 0.5, abs=1e-3)
    normals = pixels.normals(smooth=True)
    assert torch.allclose(normals.norm(dim=1), torch.ones(len(normals)), atol=1e-5)
    assert torch.allclose(pixels.positions, 0.5 * normals, atol=1e-6)
    row, column = torch.nonzero(pixels.hit, as_tuple=True)
    assert bool((normals[column > 60, 0] > 0).all())  # right of the picture is right in the world
    assert bool((normals[row < 20, 1] > 0).all())


def test_the_nearer_of_two_points_is_seen_whatever_their_order(front):
    near, far = [0.0, 0, 0.5], [0.0, 0, -0.5]
    red, blue = [1.0, 0, 0], [0.0, 0, 1]
    for points, colours in (((near, far), (red, blue)), ((far, near), (blue, red))):
        picture = render(
            cloud(points, colours), front, image_size=SIZE, style="flat", point_radius=0.1
        )[0]
        assert picture[20, 28, 0] > 0.5 > picture[20, 28, 2]


def test_the_smallest_points_are_still_a_pixel(front):
    points = np.random.default_rng(0).uniform(-0.5, 0.5, (10, 3))
    pixels = splat(cloud(points), front, SIZE, radius=1e-6)
    assert 8 <= int(pixels.hit.sum()) <= 40


def test_points_behind_the_camera_and_beside_the_picture_are_not_drawn(front):
    pixels = splat(cloud([[0, 0, 5.0], [30, 0, 0], [0, -30, 0]]), front, SIZE, radius=0.05)
    assert int(pixels.hit.sum()) == 0
    picture = render(cloud([[0, 0, 5.0]]), front, image_size=SIZE, background=(0.2, 0.4, 0.6))
    assert torch.allclose(picture, torch.tensor([0.2, 0.4, 0.6]))


def test_a_ball_across_the_edge_of_the_picture_is_cut_there(front):
    half_width = 28 * DISTANCE / FOCAL
    whole = splat(cloud([[0, 0, 0]]), front, SIZE, radius=0.3).hit.sum()
    cut = splat(cloud([[half_width, 0, 0]]), front, SIZE, radius=0.3).hit
    assert int(cut.sum()) == pytest.approx(int(whole) / 2, rel=0.1)
    assert not bool(cut[:, :20].any())


@pytest.mark.parametrize("style", ["phong", "flat", "silhouette", "depth", "normals"])
def test_every_style_but_the_wireframe_draws_a_cloud(front, style):
    points = np.random.default_rng(0).uniform(-0.6, 0.6, (300, 3))
    picture = render(cloud(points), front, image_size=SIZE, style=style, background=(0, 0.4, 0))[0]
    drawn = (picture - torch.tensor([0, 0.4, 0])).abs().amax(dim=-1) > 0.02
    hit = splat(cloud(points), front, SIZE, radius=0.015).hit
    assert int((drawn != hit).sum()) <= 0.02 * int(hit.sum())


def test_a_cloud_has_no_wireframe(front):
    with pytest.raises(ValueError, match="points have no edges"):
        render(cloud([[0, 0, 0]]), front, image_size=SIZE, style="wireframe")


def test_lit_from_the_front_a_ball_is_brightest_in_its_middle(front):
    picture = render(cloud([[0, 0, 0]]), front, image_size=80, point_radius=0.5)[0].mean(dim=-1)
    shown = picture[picture < 0.999]
    assert float(shown.max()) > 1.5 * float(shown.min())
