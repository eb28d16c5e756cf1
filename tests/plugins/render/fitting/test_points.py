"""Distances between clouds of points, against brute force, PyTorch3D and clouds with an answer."""

import pytest
import torch
from pytorch3d.loss import chamfer_distance as pytorch3d_chamfer
from pytorch3d.structures import Meshes

from plugins.render.fitting import Samples, chamfer_distance, drawn_from, nearest, surface_error

pytestmark = pytest.mark.ml


def cloud(count, seed):
    return torch.randn(count, 3, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def grid():
    """10 x 10 points of a plane, 0.1 apart."""
    steps = torch.arange(10) / 10
    x, y = torch.meshgrid(steps, steps, indexing="ij")
    return torch.stack([x.flatten(), y.flatten(), torch.zeros(100)], 1)


def test_the_nearest_point_is_the_one_that_comparing_all_pairs_finds():
    points, others = cloud(300, 0), cloud(200, 1)
    expected = torch.cdist(points.double(), others.double()).argmin(1)
    assert torch.equal(nearest(points, others), expected)


def test_the_chamfer_distance_and_its_gradients_are_those_of_pytorch3d():
    ours, theirs = cloud(150, 2).requires_grad_(), cloud(120, 3).requires_grad_()
    value = chamfer_distance(ours, theirs)
    expected, _ = pytorch3d_chamfer(ours[None], theirs[None])
    torch.testing.assert_close(value, expected)
    for mine, wanted in zip(
        torch.autograd.grad(value, (ours, theirs)),
        torch.autograd.grad(expected, (ours, theirs)),
        strict=True,
    ):
        torch.testing.assert_close(mine, wanted)


def facing_up(points):
    return Samples(points, torch.tensor([0.0, 0, 1]).expand_as(points))


def test_two_planes_are_as_far_apart_as_they_are(grid):
    error = surface_error(
        facing_up(grid), facing_up(grid + torch.tensor([0, 0, 0.03])), radius=0.02
    )
    assert error.distance == pytest.approx(0.03)
    assert error.chamfer == pytest.approx(2 * 0.03**2)
    assert error.fscore == 0


def test_the_fscore_is_the_harmonic_mean_of_what_each_cloud_meets(grid):
    """Half of the one cloud is on the other, which it meets at half of its points."""
    half = grid[:50]
    away = half + torch.tensor([0, 0, 5.0])
    error = surface_error(facing_up(torch.cat([half, away])), facing_up(half), radius=0.02)
    assert error.fscore == pytest.approx(2 * 0.5 * 1 / 1.5)


@pytest.mark.parametrize("sign", [1, -1])
def test_normals_agree_by_the_cosine_whichever_way_they_point(grid, sign):
    tilted = torch.tensor([0.0, 0.6, 0.8]).expand_as(grid) * sign
    error = surface_error(facing_up(grid), Samples(grid, tilted), radius=0.02)
    assert error.normals == pytest.approx(0.8)


def test_samples_have_the_normal_of_their_triangle():
    corners = torch.tensor([[0.0, 0, 0], [1, 0, 0], [0, 0, 1]])
    samples = drawn_from(Meshes([corners], [torch.tensor([[0, 1, 2]])]), 30, seed=0)
    expected = torch.tensor([0.0, -1, 0]).expand(30, 3)
    torch.testing.assert_close(samples.normals, expected)


def test_points_are_drawn_evenly_from_the_area():
    corners = torch.tensor([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [3, 0, 5], [6, 0, 5], [3, 1, 5]])
    mesh = Meshes([corners], [torch.tensor([[0, 1, 2], [3, 4, 5]])])
    points = drawn_from(mesh, 20_000, seed=1).points
    on_large = points[:, 2] > 2.5
    assert float(on_large.float().mean()) == pytest.approx(0.75, abs=0.02)
    # The mean of a triangle is that of its corners.
    torch.testing.assert_close(points[on_large].mean(0), corners[3:].mean(0), atol=0.03, rtol=0)


def test_held_out_points_are_the_same_each_time_and_disturb_no_other_draw():
    corners = torch.tensor([[0.0, 0, 0], [1, 0, 0], [0, 1, 0]])
    mesh = Meshes([corners], [torch.tensor([[0, 1, 2]])])
    torch.manual_seed(5)
    undisturbed = drawn_from(mesh, 50).points
    torch.manual_seed(5)
    first, again = (drawn_from(mesh, 50, seed=9).points for _ in range(2))
    assert torch.equal(first, again)
    assert torch.equal(drawn_from(mesh, 50).points, undisturbed)
    assert not torch.equal(first, drawn_from(mesh, 50, seed=10).points)
