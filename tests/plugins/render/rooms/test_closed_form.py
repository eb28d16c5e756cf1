"""Depth and normals of a plane and a sphere against their equations."""

import numpy as np
import pytest
import trimesh

pytestmark = pytest.mark.ml

LOOK = np.diag([-1.0, -1.0, 1.0])  # from the origin along +z, upright


def seen(helpers, mesh):
    made = helpers.scene([helpers.part(mesh)], [LOOK], [np.zeros(3)])
    (frame,) = helpers.render(made)
    return frame, frame.camera.rays() @ LOOK.T


def test_a_tilted_plane_has_the_depth_of_its_equation(helpers):
    normal = np.array([0.3, -0.5, -0.8]) / np.sqrt(0.98)
    plane = trimesh.creation.box([60, 60, 1e-3])
    plane.apply_transform(trimesh.geometry.align_vectors([0, 0, 1], normal))
    plane.apply_translation([0, 0, 5])
    frame, rays = seen(helpers, plane)
    front = np.array([0, 0, 5]) + normal * 0.5e-3
    expected = (normal @ front) / (rays @ normal)
    covered = (expected > 0) & (expected < 15)
    assert covered.mean() > 0.9
    depth = frame.arrays()["depth"]
    np.testing.assert_allclose(depth[covered], expected[covered], rtol=2e-6)
    normals = frame.arrays()["normals"][covered].astype(float)
    np.testing.assert_allclose(normals, np.broadcast_to(LOOK @ normal, normals.shape), atol=5e-4)


def test_a_sphere_has_the_depth_of_its_equation_but_for_its_facets(helpers):
    centre, radius = np.array([0.2, 0.1, 3.0]), 1.0
    ball = trimesh.creation.icosphere(subdivisions=5, radius=radius)
    ball.apply_translation(centre)
    frame, rays = seen(helpers, ball)
    depth = frame.arrays()["depth"]
    # |z d - c|^2 = r^2, the nearer root; rays have z = 1.
    a, b, c = (rays**2).sum(-1), rays @ centre, centre @ centre - radius**2
    root = b**2 - a * c
    exact = (b - np.sqrt(np.maximum(root, 0))) / a
    drawn = depth > 0
    assert not (drawn & (root < 0)).any()  # facets lie within the ball
    assert (root > 0).sum() - drawn.sum() < 0.02 * drawn.sum()
    error = (depth - exact)[drawn]
    facet = radius * (1 - np.cos(np.pi / 120))  # sagitta of a facet of 20,480
    assert error.min() > -1e-6
    assert np.median(error) < facet
    interior = root[drawn] > 0.1 * root.max()
    assert error[interior].max() < 6 * facet
    points = frame.camera.rays() * depth[..., None] - LOOK @ centre
    outward = points / np.linalg.norm(points, axis=-1, keepdims=True)
    cosine = (outward * frame.arrays()["normals"]).sum(-1)[drawn]
    assert np.degrees(np.arccos(np.clip(cosine, -1, 1))).max() < 2.5


def test_where_nothing_is_there_is_no_depth_no_normal_and_no_match(helpers):
    ball = trimesh.creation.icosphere(radius=0.5)
    ball.apply_translation([0, 0, 3])
    frame, _ = seen(helpers, ball)
    arrays = frame.arrays()
    empty = arrays["depth"] == 0
    assert 0.3 < empty.mean() < 1
    for name in ("normals", "labels", "instances", "disparity", "visible_right"):
        assert not arrays[name][empty].any(), name
    sky = np.array([124, 149, 188])  # sRGB of (0.2, 0.3, 0.5), IEC 61966-2-1
    assert np.abs(arrays["rgb"][0, 0].astype(int) - sky).max() <= 1
