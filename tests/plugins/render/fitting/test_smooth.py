"""Smoothing of offsets, against a dense solve."""

import pytest
import torch
from pytorch3d.utils import ico_sphere

from plugins.render.fitting import Smoothing

pytestmark = pytest.mark.ml

WEIGHT = 7.0


@pytest.fixture(scope="module")
def sphere():
    return ico_sphere(2)


@pytest.fixture(scope="module")
def smoothing(sphere):
    return Smoothing(sphere.edges_packed(), len(sphere.verts_packed()), WEIGHT)


def dense(sphere):
    number = len(sphere.verts_packed())
    adjacency = torch.zeros(number, number, dtype=torch.float64)
    for first, second in sphere.edges_packed().tolist():
        adjacency[first, second] = adjacency[second, first] = 1
    laplacian = torch.diag(adjacency.sum(1)) - adjacency
    return torch.eye(number, dtype=torch.float64) + WEIGHT * laplacian


def test_it_solves_the_equation(sphere, smoothing):
    u = torch.randn(len(sphere.verts_packed()), 3, dtype=torch.float64)
    torch.testing.assert_close(smoothing(u), torch.linalg.solve(dense(sphere), u))


def test_its_gradient_is_that_of_a_dense_solve(sphere, smoothing):
    u = torch.randn(len(sphere.verts_packed()), 3, dtype=torch.float64, requires_grad=True)
    weights = torch.randn_like(u)
    (ours,) = torch.autograd.grad((smoothing(u) * weights).sum(), u)
    solved = torch.linalg.solve(dense(sphere), u)
    (expected,) = torch.autograd.grad((solved * weights).sum(), u)
    torch.testing.assert_close(ours, expected)


def test_a_shift_of_all_vertices_stays_as_it_is(sphere, smoothing):
    shift = torch.tensor([0.3, -1.0, 2.0]).expand(len(sphere.verts_packed()), 3)
    torch.testing.assert_close(smoothing(shift), shift)


def test_a_pull_on_one_vertex_moves_its_neighbours_less_the_farther_away(sphere, smoothing):
    vertices = sphere.verts_packed()
    pull = torch.zeros_like(vertices)
    pull[0, 0] = 1
    moved = smoothing(pull)[:, 0]
    order = (vertices - vertices[0]).norm(dim=1).argsort()
    rings = moved[order].split([1, 5, len(vertices) - 6])  # a corner of the icosahedron
    assert rings[0].min() > rings[1].max()
    assert rings[1].min() > rings[2].max()
    assert rings[2].min() > 0
