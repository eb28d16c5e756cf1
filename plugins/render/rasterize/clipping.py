"""Triangles that reach behind the near plane: the part in front of it, as one or two triangles.

The cut corners are linear in the original ones in space, not in the picture, so each new corner
carries weights of the original corners: they turn barycentric coordinates of the part into those
of the whole. Unlike PyTorch3D's, the cut is differentiable throughout.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["ClippedFaces", "clip_faces"]


@dataclass(frozen=True, slots=True)
class ClippedFaces:
    """Triangles in front of the near plane, in the order of those that they are or are parts of."""

    faces: Tensor
    """Corners, ``[F, 3, 3]``."""
    origin: Tensor | None = None
    """Index of the original triangle, int64 ``[F]``; None when nothing was cut or left out."""
    part: Tensor | None = None
    """Index among the parts, negative for a whole triangle, int64 ``[F]``."""
    weights: Tensor | None = None
    """Weights of the original corners in each corner of each part, ``[parts, 3, 3]``."""
    half: Tensor | None = None
    """Whether it is half of a quadrilateral, next to the other half, bool ``[F]``; None when no
    triangle is."""

    def to_original(self, face: Tensor, barycentrics: Tensor) -> tuple[Tensor, Tensor]:
        """Returns original triangles, and barycentric coordinates in them.

        Args:
            face: Index of the triangle of each pair, int64 ``[Q]``.
            barycentrics: Coordinates in it, ``[Q, 3]``.
        """
        if self.origin is None:
            return face, barycentrics
        if self.part is not None and self.weights is not None:
            part = self.part.index_select(0, face)
            cut = (part >= 0).nonzero()[:, 0]
            weights = self.weights.index_select(0, part.index_select(0, cut))
            old = barycentrics.index_select(0, cut)[:, None]
            barycentrics = barycentrics.index_copy(0, cut, (old @ weights)[:, 0])
        return self.origin.index_select(0, face), barycentrics


def clip_faces(faces: Tensor, near: float | None, *, perspective: bool) -> ClippedFaces:
    """Cuts away what is nearer than a plane.

    Args:
        faces: Corners: x, y in NDC and depth, ``[F, 3, 3]``.
        near: Depth of the plane; None cuts nothing.
        perspective: Whether x and y are divided by the depth.
    """
    depth = faces.detach()[..., 2]
    if near is None or not bool((depth < near).any()):
        return ClippedFaces(faces)
    behind = depth < near
    num_behind = behind.sum(1)
    whole, one, two = ((num_behind == number).nonzero()[:, 0] for number in range(3))
    if len(one) + len(two) == 0:
        return ClippedFaces(faces[whole], origin=whole)
    # The lone corner is the one that has no other on its side of the plane.
    lone = torch.cat([(~behind[two]).long().argmax(1), behind[one].long().argmax(1)])
    parted = torch.cat([two, one])
    order = (lone[:, None] + torch.arange(3, device=faces.device)) % 3
    pairs = torch.arange(len(parted), device=faces.device)[:, None]
    corners = faces[parted][pairs, order]
    share = (corners[:, :1, 2] - near) / (corners[:, :1, 2] - corners[:, 1:, 2])
    unit = torch.eye(3, dtype=faces.dtype, device=faces.device).expand(len(parted), 3, 3)
    # Both cut corners, on the edges from the lone corner to the next and to the one after it.
    share = share[..., None]
    cut = _between(corners[:, :1], corners[:, 1:], share, near if perspective else None)
    cut_weights = unit[:, :1] * (1 - share) + unit[:, 1:] * share
    num_two = len(two)
    points = torch.cat([corners, cut], 1)
    weights = torch.cat([unit, cut_weights], 1)
    choice = [
        (slice(None, num_two), [3, 4, 0]),
        (slice(num_two, None), [3, 1, 4]),
        (slice(num_two, None), [4, 1, 2]),
    ]
    # Weights in the turned order of corners go back to the order of the face.
    back = torch.argsort(order, dim=1)
    weights = weights.gather(2, back[:, None].expand(-1, 5, -1))
    # Where each piece goes, so that the pieces keep the order of the triangles.
    pieces = torch.tensor([1, 2, 1, 0], device=faces.device)[num_behind]
    start = pieces.cumsum(0) - pieces
    goes = torch.cat([start[whole], start[two], start[one], start[one] + 1])
    comes = torch.empty_like(goes)
    comes[goes] = torch.arange(len(goes), device=faces.device)
    cut_faces = [points[which][:, corner] for which, corner in choice]
    return ClippedFaces(
        faces=torch.cat([faces[whole], *cut_faces])[comes],
        origin=torch.cat([whole, two, one, one])[comes],
        part=comes - len(whole),
        weights=torch.cat([weights[which][:, corner] for which, corner in choice]),
        half=(comes >= len(whole) + len(two)) if len(one) else None,
    )


def _between(lone: Tensor, others: Tensor, share: Tensor, near: float | None) -> Tensor:
    """Returns points on the edges from the lone corner; near is given in perspective."""
    point = lone * (1 - share) + others * share
    if near is None:
        return point
    flat = lone[..., :2] * lone[..., 2:] * (1 - share) + others[..., :2] * others[..., 2:] * share
    return torch.cat([flat / near, point[..., 2:]], -1)
