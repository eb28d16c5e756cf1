"""Rays against triangles, against a solver that knows nothing of cross products."""

import numpy as np
import pytest
import torch

from plugins.render.rooms.faces import FaceTable

pytestmark = pytest.mark.ml


@pytest.fixture(scope="module")
def case():
    rng = np.random.default_rng(0)
    corners = rng.normal(loc=(0, 0, 2), size=(400, 3, 3))  # some reach behind the camera
    uvs = rng.uniform(-2, 2, (400, 3, 2)).astype(np.float32)
    rays = np.concatenate([rng.uniform(-0.7, 0.7, (400, 2)), np.ones((400, 1))], axis=1)
    # corners^T w = z ray with sum(w) = 1: the barycentric coordinates and the depth.
    solved = []
    for triangle, ray in zip(corners, rays, strict=True):
        system = np.zeros((4, 4))
        system[:3, :3], system[:3, 3], system[3, :3] = triangle.T, -ray, 1
        solved.append(np.linalg.solve(system, [0, 0, 0, 1]))
    return corners, uvs, rays, np.array(solved)


def test_depth_and_inside_are_those_of_the_linear_system(case):
    corners, uvs, rays, solved = case
    hits = FaceTable.build(corners, uvs).meet(torch.arange(400), torch.tensor(rays))
    z, weights = solved[:, 3], solved[:, :3]
    np.testing.assert_allclose(hits.z.numpy(), z, rtol=1e-8)
    expected = (weights >= 0).all(1) & (z > 0)
    assert 20 < expected.sum() < 380
    np.testing.assert_array_equal(hits.inside.numpy(), expected)


def test_texture_coordinates_are_the_weighted_corners(case):
    corners, uvs, rays, solved = case
    hits = FaceTable.build(corners, uvs).texture_at(
        torch.arange(400), torch.tensor(rays), torch.float64
    )
    expected = (solved[:, :3, None] * uvs).sum(1)
    np.testing.assert_allclose(hits.uv.numpy(), expected, rtol=1e-6, atol=1e-8)


def test_their_derivatives_are_those_of_small_steps(case):
    corners, uvs, rays, _ = case
    table, step = FaceTable.build(corners, uvs), 1e-6

    def at(change):
        moved = torch.tensor(rays + change)
        return table.texture_at(torch.arange(400), moved, torch.float64)

    here = at([0, 0, 0])
    for derivative, change in ((here.by_x, [step, 0, 0]), (here.by_y, [0, step, 0])):
        slope = (at(change).uv - at([-c for c in change]).uv) / (2 * step)
        scale = slope.abs().clamp_min(1)
        assert ((derivative - slope).abs() / scale).quantile(0.98) < 1e-3


def test_normals_are_unit_and_right_angled_to_the_edges(case):
    corners, uvs, _, _ = case
    normals = FaceTable.build(corners, uvs).normals.numpy()
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1)
    for a, b in ((0, 1), (1, 2)):
        edge = corners[:, b] - corners[:, a]
        np.testing.assert_allclose((edge * normals).sum(1), 0, atol=1e-9)


def test_the_depth_of_a_face_seen_edge_on_stays_within_its_corners():
    corners = np.array([[[0, -1, 2.0], [0, 1, 2], [0, 0, 3]]])  # the plane x = 0
    table = FaceTable.build(corners, np.zeros((1, 3, 2), np.float32))
    rays = torch.tensor([[0.0, 0, 1], [1e-9, 0, 1], [1e-3, 0, 1]], dtype=torch.float64)
    depth = table.depth(torch.zeros(3, dtype=torch.int64), rays)
    assert ((depth >= 2) & (depth <= 3)).all()


def test_a_face_without_area_gives_no_nan():
    corners = np.array([[[0, 0, 2.0], [0, 0, 2], [0, 0, 2]]])
    table = FaceTable.build(corners, np.zeros((1, 3, 2), np.float32))
    depth = table.depth(torch.zeros(1, dtype=torch.int64), torch.tensor([[0.1, 0.1, 1.0]]).double())
    assert depth.item() == 2
