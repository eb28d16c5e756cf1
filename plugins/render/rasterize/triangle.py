"""One triangle under one pixel: barycentric coordinates, depth, distance to the outline.

Everything works on columns: ``Q`` pairs of a pixel and a triangle at once, each number a tensor
``[Q]``. The formulas and their order are those of PyTorch3D's rasterizer, so that in float32 both
round alike and agree about pixels that lie on an edge. Autograd passes through all of them.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["EPSILON", "Corners", "Edges", "Point", "doubled_area"]

EPSILON = 1e-8
"""PyTorch3D's: a smaller doubled area is none, a smaller depth is behind the camera."""

Point = tuple[Tensor, Tensor]


def _cross(p: Point, a: Point, b: Point) -> Tensor:
    """Returns the doubled area of p, a, b: positive when p lies left of a -> b, x pointing left."""
    return (p[0] - a[0]) * (b[1] - a[1]) - (p[1] - a[1]) * (b[0] - a[0])


def doubled_area(a: Point, b: Point, c: Point) -> Tensor:
    """Returns twice the signed area of triangles; negative when they show their back."""
    return _cross(a, b, c)


@dataclass(frozen=True, slots=True)
class Corners:
    """The corners of the triangles of Q pairs: x, y in NDC and the depth z."""

    xy: tuple[Point, Point, Point]
    z: tuple[Tensor, Tensor, Tensor]

    @classmethod
    def of(cls, faces: Tensor, index: Tensor) -> "Corners":
        """Takes the triangles with these indices from faces ``[F, 3, 3]``."""
        values = faces.reshape(-1, 9).index_select(0, index).t().contiguous().unbind(0)
        a, b, c = (values[i : i + 3] for i in (0, 3, 6))
        return cls(xy=((a[0], a[1]), (b[0], b[1]), (c[0], c[1])), z=(a[2], b[2], c[2]))

    def barycentrics(self, pixel: Point, *, perspective: bool, clip: bool) -> "Barycentrics":
        """Returns the coordinates of pixels in their triangles.

        Args:
            pixel: x and y of the pixels in NDC.
            perspective: Undo the foreshortening, so that the coordinates hold in space and not
                only in the picture.
            clip: Move pixels outside onto the triangle.
        """
        a, b, c = self.xy
        area = _cross(c, a, b) + EPSILON
        weights = [_cross(pixel, b, c) / area, _cross(pixel, c, a) / area]
        weights.append(_cross(pixel, a, b) / area)
        if perspective:
            za, zb, zc = self.z
            tops = [weights[0] * zb * zc, weights[1] * za * zc, weights[2] * za * zb]
            total = (tops[0] + tops[1] + tops[2]).clamp_min(EPSILON)
            weights = [top / total for top in tops]
        inside = (weights[0] > 0) & (weights[1] > 0) & (weights[2] > 0)
        if clip:
            weights = [weight.clamp_min(0) for weight in weights]
            total = (weights[0] + weights[1] + weights[2]).clamp_min(1e-5)
            weights = [weight / total for weight in weights]
        return Barycentrics(weights=(weights[0], weights[1], weights[2]), inside=inside)

    def depth(self, weights: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        """Returns the depth at barycentric coordinates."""
        return weights[0] * self.z[0] + weights[1] * self.z[1] + weights[2] * self.z[2]

    def outline(self, pixel: Point) -> Tensor:
        """Returns the squared distances of pixels to the nearest edge."""
        a, b, c = self.xy
        near_a = torch.minimum(squared_distance(pixel, a, b), squared_distance(pixel, a, c))
        return torch.minimum(near_a, squared_distance(pixel, b, c))


@dataclass(frozen=True, slots=True)
class Barycentrics:
    """Barycentric coordinates of Q pairs, and whether the pixel is inside, edges excluded."""

    weights: tuple[Tensor, Tensor, Tensor]
    inside: Tensor


@dataclass(frozen=True, slots=True)
class Edges:
    """One edge for each of Q pairs."""

    first: Tensor
    last: Tensor
    """Corners of all triangles, counted through, that the edge joins, int64 ``[Q]``."""
    start: Point
    end: Point

    @classmethod
    def nearest(cls, faces: Tensor, face: Tensor, pixel: Point) -> "Edges":
        """Takes the edge nearest to each pixel of the triangles ``face`` among ``[F, 3, 3]``.

        The choice has no gradient; the ends of the edges have one to faces.
        """
        with torch.no_grad():
            a, b, c = Corners.of(faces, face).xy
            ab, ac = squared_distance(pixel, a, b), squared_distance(pixel, a, c)
            is_bc = squared_distance(pixel, b, c) < torch.minimum(ab, ac)
            first = face * 3 + is_bc
            last = face * 3 + 1 + (is_bc | (ac < ab))
        points = faces.reshape(-1, 3)
        start = points.index_select(0, first).unbind(1)
        end = points.index_select(0, last).unbind(1)
        return cls(first, last, (start[0], start[1]), (end[0], end[1]))

    def squared_distance(self, pixel: Point) -> Tensor:
        """Returns the squared distances of pixels."""
        return squared_distance(pixel, self.start, self.end)

    def gradients(self, pixel: Point) -> tuple[tuple[Tensor, Point], tuple[Tensor, Point]]:
        """Returns, for both corners, which they are and the gradient of the squared distance.

        With q = start + s (end - start) the nearest point, ``d|q - p|^2`` is ``2 (q - p) (1 - s)``
        by the start and ``2 (q - p) s`` by the end: s itself stands still there, or is clamped.
        """
        share = _share(pixel, self.start, self.end)
        gap = [
            2 * (start + share * (end - start) - p)
            for p, start, end in zip(pixel, self.start, self.end, strict=True)
        ]
        rest = 1 - share
        return (
            (self.first, (gap[0] * rest, gap[1] * rest)),
            (self.last, (gap[0] * share, gap[1] * share)),
        )


def squared_distance(pixel: Point, start: Point, end: Point) -> Tensor:
    """Returns the squared distances of points to line segments."""
    share = _share(pixel, start, end)
    x = pixel[0] - (start[0] + share * (end[0] - start[0]))
    y = pixel[1] - (start[1] + share * (end[1] - start[1]))
    return x * x + y * y


def _share(pixel: Point, start: Point, end: Point) -> Tensor:
    """Returns where on segments the points nearest to others are, 0 at the start, 1 at the end."""
    along = (end[0] - start[0], end[1] - start[1])
    length = along[0] * along[0] + along[1] * along[1]
    share = along[0] * (pixel[0] - start[0]) + along[1] * (pixel[1] - start[1])
    share = (share / length.clamp_min(EPSILON)).clamp(0, 1)
    # A segment of no length is its end. (A mask would cost ten times as much.)
    return torch.maximum(share, (length <= EPSILON).to(share.dtype))
