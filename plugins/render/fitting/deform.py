"""The model of ``fit_mesh``: a sphere whose vertices move."""

import torch
from pytorch3d.loss import (
    mesh_edge_loss,
    mesh_laplacian_smoothing,
    mesh_normal_consistency,
)
from pytorch3d.structures import Meshes
from pytorch3d.utils import ico_sphere
from torch import Tensor, nn

from plugins.render.config.fitting import FitMeshConfig
from plugins.render.fitting.smooth import Smoothing

__all__ = ["DeformedSphere", "regularity"]


class DeformedSphere(nn.Module):
    """A sphere of radius 1 plus an offset for each vertex.

    Args:
        subdivisions: Of the icosahedron.
        smoothing: Lambda of :class:`Smoothing`; 0 makes the offsets themselves the parameters.
    """

    def __init__(self, subdivisions: int, smoothing: float) -> None:
        super().__init__()
        sphere = ico_sphere(subdivisions)
        vertices = sphere.verts_packed()
        self.offsets = nn.Parameter(torch.zeros_like(vertices))
        self.sphere: Tensor
        self.faces: Tensor
        self.register_buffer("sphere", vertices, persistent=False)
        self.register_buffer("faces", sphere.faces_packed(), persistent=False)
        self._smoothing = (
            Smoothing(sphere.edges_packed(), len(vertices), smoothing) if smoothing > 0 else None
        )

    def forward(self) -> Tensor:
        """Returns the vertices, ``[V, 3]``."""
        moved = self.offsets if self._smoothing is None else self._smoothing(self.offsets)
        return self.sphere + moved

    def mesh(self, vertices: Tensor | None = None) -> Meshes:
        """Returns the surface through vertices that :meth:`forward` gave, or gives now."""
        return Meshes([self() if vertices is None else vertices], [self.faces])


def regularity(mesh: Meshes, weights: FitMeshConfig) -> dict[str, tuple[float, Tensor]]:
    """Returns PyTorch3D's three measures of an uneven mesh, each with its weight.

    A weight of 0 leaves its measure out.
    """
    measures = {
        "edge": (weights.edge, mesh_edge_loss),
        "normal": (weights.normal, mesh_normal_consistency),
        "laplacian": (weights.laplacian, mesh_laplacian_smoothing),
    }
    # PyTorch3D builds sparse matrices; torch warns unless told whether it should check them.
    with torch.sparse.check_sparse_tensor_invariants(enable=False):
        return {
            name: (weight, measure(mesh)) for name, (weight, measure) in measures.items() if weight
        }
