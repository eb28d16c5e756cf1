"""Silhouettes of shapes whose area is known, and their agreement."""

import math

import pytest
import torch

from plugins.render.cameras import orbit
from plugins.render.fitting import blur, coverage, iou
from plugins.render.meshes import primitive

pytestmark = pytest.mark.ml


def test_a_sphere_covers_the_disc_that_it_must():
    mesh = primitive("sphere", resolution=96)
    camera = orbit(1, distance=4.0, fov_deg=40.0)
    seen = coverage(mesh, camera, 64)
    # The outline is a cone round the view axis with sine 1 / 4; half the picture is tan 20 deg.
    radius_px = 32 * math.tan(math.asin(1 / 4)) / math.tan(math.radians(20))
    assert float(seen.sum()) == pytest.approx(math.pi * radius_px**2, rel=0.01)
    assert 0 < float(seen[(seen > 0) & (seen < 1)].mean()) < 1


def test_each_camera_has_its_own_silhouette():
    seen = coverage(primitive("plane"), orbit(4, distance=3.0, elevation_deg=90.0), 32)
    assert seen.shape == (4, 32, 32)
    mesh = primitive("cone")
    turned = coverage(mesh, orbit(1, distance=3.0, elevation_deg=60.0), 32)
    level = coverage(mesh, orbit(1, distance=3.0, elevation_deg=0.0), 32)
    assert float(iou(turned, level)) < 0.9


def test_iou_is_one_for_equals_even_where_pixels_are_covered_in_part():
    mask = torch.rand(2, 8, 8, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(iou(mask, mask.clone()), torch.ones(2))


def test_iou_of_nested_and_of_distant_squares_is_their_ratio_and_zero():
    large, small, other = torch.zeros(3, 1, 10, 10)
    large[:, :6, :6] = 1
    small[:, :3, :3] = 1
    other[:, 7:, 7:] = 1
    assert float(iou(small, large)) == pytest.approx(9 / 36)
    assert float(iou(small, other)) == 0
    assert float(iou(torch.zeros(1, 4, 4), torch.zeros(1, 4, 4))) == 0


def test_outlines_get_sharper_by_even_factors_until_four_fifths_of_the_fit():
    sigmas = [blur(step / 10, 1e-3, 1e-5) for step in range(11)]
    assert sigmas[0] == pytest.approx(1e-3)
    assert sigmas[4] == pytest.approx(1e-4)
    assert sigmas[8:] == pytest.approx([1e-5] * 3)
