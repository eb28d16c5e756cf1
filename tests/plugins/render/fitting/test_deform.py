"""The sphere that is deformed, and the measures that keep its mesh even."""

import pytest
import torch
from pytorch3d.loss import mesh_edge_loss
from pytorch3d.utils import ico_sphere

from plugins.render.config.fitting import FitMeshConfig
from plugins.render.fitting import DeformedSphere, chamfer_distance, regularity

pytestmark = pytest.mark.ml


@pytest.mark.parametrize("smoothing", [0.0, 10.0])
def test_it_starts_as_the_unit_sphere(smoothing):
    vertices = DeformedSphere(3, smoothing)()
    assert vertices.shape == (642, 3)
    torch.testing.assert_close(vertices.norm(dim=1), torch.ones(642))


def test_its_state_is_the_offsets_alone():
    assert list(DeformedSphere(2, 10.0).state_dict()) == ["offsets"]


def test_measures_with_no_weight_are_left_out():
    mesh = ico_sphere(2)
    terms = regularity(mesh, FitMeshConfig(edge=2.0, normal=0.0, laplacian=0.5))
    assert set(terms) == {"edge", "laplacian"}
    weight, value = terms["edge"]
    assert weight == 2.0
    lengths = mesh.verts_packed()[mesh.edges_packed()].diff(dim=1).norm(dim=2)
    torch.testing.assert_close(value, lengths.square().mean())
    torch.testing.assert_close(value, mesh_edge_loss(mesh))


def test_the_same_descent_stays_more_even_when_vertices_take_their_neighbours_along():
    """Towards a cloud, by its distance alone: the longest edge tells how tangled the mesh gets."""
    generator = torch.Generator().manual_seed(0)
    directions = torch.randn(1500, 3, generator=generator)
    target = directions / directions.norm(dim=1, keepdim=True) * torch.tensor([1.0, 0.5, 0.4])

    def longest_edge(smoothing):
        model = DeformedSphere(3, smoothing)
        optimizer = torch.optim.Adam(model.parameters(), lr=0.05 if smoothing else 0.01)
        for _ in range(60):
            loss = chamfer_distance(model(), target)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        mesh = model.mesh().detach()
        assert loss.item() < 0.01
        edges = mesh.verts_packed()[mesh.edges_packed()].diff(dim=1).norm(dim=2)
        return float(edges.max() / edges.mean())

    assert longest_edge(10.0) < 0.8 * longest_edge(0.0)
