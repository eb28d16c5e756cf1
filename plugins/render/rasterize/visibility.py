"""Which triangles each pixel sees: the nearest K, by depth.

Spans become pairs of a pixel and a triangle, a limited number at a time. Pairs of one pixel
compete by a 64-bit key, the bits of the depth above the index of the triangle: positive floats
order like their bits, and of equal depths the lower index is in front.

Legend: ``P`` pairs, ``N H W`` pictures and their pixels, ``K`` triangles kept for a pixel.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from plugins.render.rasterize.scene import Scene
from plugins.render.rasterize.spans import Spans, SureSpans, cut_into_spans
from plugins.render.rasterize.triangle import Corners

__all__ = ["Pairs", "find_pairs", "nearest"]

MAX_PAIRS = 1 << 16
"""Pairs made at a time: what keeps the tensors in the caches of a core."""
MAX_HELD = 1 << 22
"""Pairs that may wait for their order among those of their pixel."""
EMPTY = torch.iinfo(torch.int64).max
"""Key of a pixel that sees nothing."""
INDEX_BITS = 32


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pixels and triangles that cover them."""

    pixel: Tensor
    """Counted through the batch of pictures, int64 ``[P]``."""
    face: Tensor
    """int64 ``[P]``."""
    depth: Tensor
    """``[P]``."""
    distance: Tensor | None = None
    """Squared distance to the outline, negative inside, ``[P]``; None where nobody needs it."""

    def take(self, index: Tensor) -> "Pairs":
        """Returns the pairs with these indices."""
        return Pairs(
            pixel=self.pixel.index_select(0, index),
            face=self.face.index_select(0, index),
            depth=self.depth.index_select(0, index),
            distance=None if self.distance is None else self.distance.index_select(0, index),
        )

    @classmethod
    def join(cls, parts: "list[Pairs]") -> "Pairs":
        """Returns the pairs of all parts as one."""
        distances = [part.distance for part in parts if part.distance is not None]
        return cls(
            pixel=torch.cat([part.pixel for part in parts]),
            face=torch.cat([part.face for part in parts]),
            depth=torch.cat([part.depth for part in parts]),
            distance=torch.cat(distances) if distances else None,
        )


def nearest(scene: Scene, faces_per_pixel: int) -> Tensor:
    """Returns the nearest triangles of each pixel, nearest first, int64 ``[N * H * W * K]``.

    Places that are left over hold -1.
    """
    if faces_per_pixel < 1:
        raise ValueError(f"faces_per_pixel is {faces_per_pixel}; at least one triangle is kept")
    if faces_per_pixel == 1:
        return _nearest_one(scene)
    held: list[Pairs] = []
    for pairs in find_pairs(scene):
        held.append(pairs)
        if sum(len(part.pixel) for part in held) > MAX_HELD:
            held = [_nearest_few(Pairs.join(held), faces_per_pixel)]
    result = scene.picture_of_face.new_full((scene.num_pixels * faces_per_pixel,), -1)
    if held:
        kept = _nearest_few(Pairs.join(held), faces_per_pixel)
        result[kept.pixel * faces_per_pixel + _rank(kept.pixel)] = kept.face
    return result


def find_pairs(scene: Scene, *, with_distances: bool = False) -> Iterator[Pairs]:
    """Gives all pairs that are inside or within the blur radius, a limited number at a time."""
    if scene.half is None:
        for spans in cut_into_spans(scene):
            if isinstance(spans, SureSpans) and not with_distances:
                yield from _inside(scene, spans)
            else:
                yield from _tested(scene, spans, with_distances=with_distances)
        return
    whole, halves = (kind.nonzero()[:, 0] for kind in (~scene.half, scene.half))
    for pairs in find_pairs(_part(scene, whole), with_distances=with_distances):
        yield replace(pairs, face=whole.index_select(0, pairs.face))
    parts = list(find_pairs(_part(scene, halves), with_distances=True))
    if parts:
        pairs = _one_half_each(Pairs.join(parts))
        distance = pairs.distance if with_distances else None
        yield replace(pairs, face=halves.index_select(0, pairs.face), distance=distance)


def _part(scene: Scene, index: Tensor) -> Scene:
    """Returns a scene of some of the triangles."""
    return replace(
        scene,
        faces=scene.faces.index_select(0, index),
        picture_of_face=scene.picture_of_face.index_select(0, index),
        half=None,
    )


def _portions(spans: Spans) -> Iterator[tuple[slice, Tensor, Tensor]]:
    """Gives portions of spans, and for each of their pixels the span and the place in it."""
    ends = spans.count.cumsum(0)
    total = int(ends[-1]) if len(ends) else 0
    begin, done = 0, 0
    while done < total:
        if total - done <= MAX_PAIRS:
            end, stop = len(ends), total
        else:
            limit = torch.tensor(done + MAX_PAIRS, device=ends.device)
            end = max(int(torch.searchsorted(ends, limit, right=True)), begin + 1)
            stop = int(ends[end - 1])
        part = slice(begin, end)
        span = torch.repeat_interleave(spans.count[part], output_size=stop - done)
        place = torch.arange(stop - done, device=ends.device)
        place -= (ends[part] - spans.count[part] - done).index_select(0, span)
        yield part, span, place
        begin, done = end, stop


def _inside(scene: Scene, spans: SureSpans) -> Iterator[Pairs]:
    """Gives the pixels of spans that are inside their triangles."""
    for part, span, place in _portions(spans):
        depth = spans.plane[part].index_select(0, span)
        depth.addcmul_(spans.step[part].index_select(0, span), place.float())
        yield Pairs(
            pixel=place.add_(spans.pixel[part].index_select(0, span)),
            face=spans.face[part].index_select(0, span),
            depth=depth.reciprocal_() if scene.perspective else depth,
        )


def _tested(scene: Scene, spans: Spans, *, with_distances: bool = False) -> Iterator[Pairs]:
    """Gives the pixels of spans that pass the exact test: inside, or within the blur radius."""
    for part, span, place in _portions(spans):
        pixel = place.add_(spans.pixel[part].index_select(0, span))
        face = spans.face[part].index_select(0, span)
        corners = Corners.of(scene.faces, face)
        centre = scene.grid.centres(pixel, scene.faces.dtype)
        found = corners.barycentrics(
            centre, perspective=scene.perspective, clip=scene.clip_barycentrics
        )
        depth, passed, distance = corners.depth(found.weights), found.inside, None
        if with_distances or scene.blur_radius > 0:
            squared = corners.outline(centre)
            passed = (passed | (squared < scene.blur_radius)) & (depth >= 0)
            if with_distances:
                distance = squared * (1 - 2 * found.inside.to(squared.dtype))
        yield Pairs(pixel, face, depth, distance).take(passed.nonzero()[:, 0])


def _one_half_each(pairs: Pairs) -> Pairs:
    """Leaves, where a pixel has both halves 2i and 2i + 1, the one whose outline is nearer.

    They are parts of one triangle, which counts once; of equal ones the first is left.
    """
    assert pairs.distance is not None  # halves are looked for with distances
    order = torch.argsort(pairs.face, stable=True)
    order = order[torch.argsort(pairs.distance.abs()[order], stable=True)]
    triangle = torch.div(pairs.face, 2, rounding_mode="floor")
    triangle += pairs.pixel * (int(triangle.max()) + 1 if len(triangle) else 1)
    order = order[torch.argsort(triangle[order], stable=True)]
    return pairs.take(order[_is_first(triangle[order])])


def _keys(pairs: Pairs) -> Tensor:
    """Returns the keys of pairs, by which the nearer one is less."""
    bits = pairs.depth.float().view(torch.int32).long()
    return torch.add(pairs.face, bits, alpha=1 << INDEX_BITS)


def _nearest_one(scene: Scene) -> Tensor:
    if scene.blur_radius == 0:
        # A pixel that has both halves, by rounding, is on their seam: there they are equally deep.
        scene = replace(scene, half=None)
    best = scene.picture_of_face.new_full((scene.num_pixels,), EMPTY)
    for pairs in find_pairs(scene):
        best.scatter_reduce_(0, pairs.pixel, _keys(pairs), "amin")
    seen = (best != EMPTY).nonzero()[:, 0]
    result = torch.full_like(best, -1)
    return result.index_copy_(0, seen, best.index_select(0, seen) & ((1 << INDEX_BITS) - 1))


def _nearest_few(pairs: Pairs, faces_per_pixel: int) -> Pairs:
    """Returns the nearest pairs of each pixel, ordered by pixel and depth."""
    order = torch.argsort(_keys(pairs), stable=True)
    order = order.index_select(0, torch.argsort(pairs.pixel.index_select(0, order), stable=True))
    ordered = pairs.take(order)
    return ordered.take((_rank(ordered.pixel) < faces_per_pixel).nonzero()[:, 0])


def _rank(pixel: Tensor) -> Tensor:
    """Returns, for pixels in ascending order, the place of each among equal ones, from 0."""
    place = torch.arange(len(pixel), device=pixel.device)
    return place - (place * _is_first(pixel)).cummax(0).values


def _is_first(values: Tensor) -> Tensor:
    """Returns whether each value is the first of a run of equal ones."""
    first = torch.ones_like(values, dtype=torch.bool)
    first[1:] = values[1:] != values[:-1]
    return first
