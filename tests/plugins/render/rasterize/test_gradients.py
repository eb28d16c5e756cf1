"""Gradients against finite differences in float64, through the cut at the near plane too."""

import pytest
import torch

from plugins.render.rasterize import rasterize_meshes
from plugins.render.rasterize.triangle import EPSILON, Corners

pytestmark = pytest.mark.ml

CROSSING = [
    [[-0.9, -0.7, 2.0], [0.8, -0.6, 1.5], [0.1, 0.9, 0.4]],
    [[-0.2, 0.3, 0.5], [0.9, 0.8, 2.2], [-1.1, 1.2, 0.6]],
]
"""In NDC and depth: of the first one corner is cut off at a depth of 1, of the second two."""


@pytest.mark.parametrize("perspective", [True, False])
@pytest.mark.parametrize(("near", "blur_radius"), [(None, 0.0), (1.0, 0.0), (None, 0.01)])
def test_gradients_are_finite_differences(projected, perspective, near, blur_radius):
    meshes = projected(CROSSING, dtype=torch.float64)
    corners = meshes.verts_padded().clone().requires_grad_()

    def fragments(verts):
        return rasterize_meshes(
            meshes.update_padded(verts), 9, blur_radius, 2, perspective_correct=perspective,
            clip_barycentric_coords=blur_radius > 0, z_clip_value=near,
        )  # fmt: skip

    seen = fragments(corners)[0] >= 0
    assert int(seen.sum()) > 10

    def values(verts):
        _, depth, weights, distance = fragments(verts)
        return depth[seen], weights[seen], distance[seen]

    assert torch.autograd.gradcheck(values, corners, eps=1e-7, atol=1e-5, rtol=1e-4)


def test_a_step_against_the_gradient_brings_a_corner_nearer(projected):
    """The mean depth of a picture falls when its gradient says so."""
    meshes = projected([[[-3.0, -3, 2], [3, -3, 2], [0, 3, 3]]])
    verts = meshes.verts_padded().clone().requires_grad_()

    def mean_depth(corners):
        _, depth, _, _ = rasterize_meshes(
            meshes.update_padded(corners), 8, 0.0, 1, perspective_correct=True
        )
        return depth.mean()

    before = mean_depth(verts)
    before.backward()
    step = 0.01 * verts.grad / verts.grad.norm()
    fallen = float(before.detach() - mean_depth(verts.detach() - step))
    assert fallen == pytest.approx(0.01 * float(verts.grad.norm()), rel=0.05)


@pytest.mark.parametrize("clip", [True, False])
def test_gradients_beyond_the_horizon_of_a_triangle_are_finite_differences(clip):
    """The blur reaches pixels that see no point of a triangle's plane: the sum is clamped there."""
    generator = torch.Generator().manual_seed(1)
    draw = torch.rand(400, 3, 3, generator=generator, dtype=torch.float64)
    faces = draw * torch.tensor([2.0, 2, 2]) - torch.tensor([1.0, 1, -0.5])
    pixels = (torch.rand(2, 400, generator=generator, dtype=torch.float64) * 3 - 1.5).unbind()
    sides = faces[:, 1:, :2] - faces[:, :1, :2]
    flat = Corners.of(faces, torch.arange(400)).barycentrics(pixels, perspective=False, clip=False)
    depth = faces[..., 2]
    others = torch.stack([depth[:, [1, 2]], depth[:, [0, 2]], depth[:, [0, 1]]]).prod(dim=-1)
    beyond = (torch.stack(flat.weights) * others).sum(dim=0) < 0
    chosen = torch.nonzero(beyond & (torch.linalg.det(sides).abs() > 0.2))[:, 0]
    assert len(chosen) > 20
    points = tuple(part[chosen] for part in pixels)

    def values(corners):
        found = Corners.of(corners, torch.arange(len(chosen)))
        weights = found.barycentrics(points, perspective=True, clip=clip).weights
        scale = 1.0 if clip else EPSILON  # they are 1e8 times as large without the clip
        return torch.stack(weights) * scale, found.depth(weights) * scale

    assert torch.autograd.gradcheck(values, faces[chosen].requires_grad_(), eps=1e-7, atol=1e-5)
