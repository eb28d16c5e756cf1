"""Fragments of meshes that are already projected: the counterpart of PyTorch3D's function.

Which triangles a pixel sees is found without gradients. What the fragments say about them is then
computed again for the few that are seen, with gradients to the corners.

Legend: ``Q`` pairs of a pixel and a triangle that it sees.
"""

import math
from collections.abc import Sequence

import torch
from pytorch3d.structures import Meshes
from torch import Tensor

from plugins.render.rasterize.clipping import ClippedFaces
from plugins.render.rasterize.grid import PixelGrid
from plugins.render.rasterize.scene import Portion, build_scene
from plugins.render.rasterize.triangle import Corners, Edges
from plugins.render.rasterize.visibility import nearest

__all__ = ["rasterize_meshes", "visible_faces"]


def rasterize_meshes(
    meshes: Meshes,
    image_size: int | Sequence[int] = 256,
    blur_radius: float = 0.0,
    faces_per_pixel: int = 8,
    bin_size: int | None = None,
    max_faces_per_bin: int | None = None,
    perspective_correct: bool = False,
    clip_barycentric_coords: bool = False,
    cull_backfaces: bool = False,
    z_clip_value: float | None = None,
    cull_to_frustum: bool = False,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Finds the nearest triangles of each pixel, and where and how deep it meets them.

    Takes what :func:`pytorch3d.renderer.mesh.rasterize_meshes.rasterize_meshes` takes and returns
    what it returns: ``pix_to_face``, ``zbuf``, barycentric coordinates and squared distances to
    the outline (negative inside), ``[N, H, W, K]`` and -1 where nothing is seen. Triangles with
    a corner that is not finite are left out.

    Args:
        meshes: Vertices: x, y in NDC and the depth z.
        image_size: Side of square pictures, or (height, width), in pixels.
        blur_radius: Squared distance in NDC up to which pixels round a triangle count as its.
        faces_per_pixel: Triangles kept for a pixel, K.
        bin_size: Has no effect: spans take the place of bins.
        max_faces_per_bin: Has no effect.
        perspective_correct: Whether x and y are divided by the depth.
        clip_barycentric_coords: Whether pixels round a triangle take the coordinates of its edge.
        cull_backfaces: Leave out triangles whose corners run clockwise.
        z_clip_value: Depth in front of which triangles are cut off.
        cull_to_frustum: Has no effect: triangles off the picture never cost anything.
    """
    grid = PixelGrid.of(image_size)
    clipped, scene = build_scene(
        meshes,
        grid,
        near=z_clip_value,
        perspective=perspective_correct,
        blur_radius=blur_radius,
        clip_barycentrics=clip_barycentric_coords,
        cull_backfaces=cull_backfaces,
    )
    found = [_find(clipped, portion, faces_per_pixel) for portion in scene.portions()]
    place, *values = found[0] if len(found) == 1 else map(torch.cat, zip(*found, strict=True))
    shape = (len(meshes), grid.height, grid.width, faces_per_pixel)

    def spread(values: Tensor) -> Tensor:
        blank = values.new_full((math.prod(shape), *values.shape[1:]), -1)
        return blank.index_copy(0, place, values).view(*shape, *values.shape[1:])

    face, depth, barycentrics, distance = map(spread, values)
    return face, depth, barycentrics, distance


def _find(clipped: ClippedFaces, portion: Portion, faces_per_pixel: int) -> tuple[Tensor, ...]:
    """Returns place in the batch, triangle, depth, barycentrics and distance of what is seen."""
    scene = portion.scene
    with torch.no_grad():
        seen = nearest(scene, faces_per_pixel)
        place = (seen >= 0).nonzero()[:, 0]
        face = seen.index_select(0, place) + portion.first_face
        pixel = place if faces_per_pixel == 1 else place // faces_per_pixel
        centre = scene.grid.centres(pixel, scene.faces.dtype)
    corners = Corners.of(clipped.faces, face)
    found = corners.barycentrics(
        centre, perspective=scene.perspective, clip=scene.clip_barycentrics
    )
    depth = corners.depth(found.weights)
    if clipped.faces.requires_grad:
        distance = Edges.nearest(clipped.faces, face, centre).squared_distance(centre)
    else:
        distance = corners.outline(centre)
    distance = distance * (1 - 2 * found.inside.to(distance.dtype))
    face, barycentrics = clipped.to_original(face, torch.stack(found.weights, -1))
    place = place + portion.first_pixel * faces_per_pixel
    return place, face, depth, barycentrics, distance


def visible_faces(
    meshes: Meshes,
    image_size: int | Sequence[int],
    *,
    faces_per_pixel: int = 1,
    perspective_correct: bool,
    cull_backfaces: bool = False,
    z_clip_value: float | None = None,
) -> Tensor:
    """Returns ``pix_to_face`` of :func:`rasterize_meshes` without blur, and makes nothing else.

    Args:
        meshes: Vertices: x, y in NDC and the depth z.
        image_size: Side of square pictures, or (height, width), in pixels.
        faces_per_pixel: Triangles kept for a pixel, K.
        perspective_correct: Whether x and y are divided by the depth.
        cull_backfaces: Leave out triangles whose corners run clockwise.
        z_clip_value: Depth in front of which triangles are cut off.
    """
    grid = PixelGrid.of(image_size)
    with torch.no_grad():
        clipped, scene = build_scene(
            meshes,
            grid,
            near=z_clip_value,
            perspective=perspective_correct,
            cull_backfaces=cull_backfaces,
        )
        parts = []
        for portion in scene.portions():
            seen = nearest(portion.scene, faces_per_pixel)
            parts.append(
                seen if portion.first_face == 0 else seen + (seen >= 0) * portion.first_face
            )
        seen = torch.cat(parts)
        if clipped.origin is not None:
            # -1 counts from the end, where the place for nothing is.
            seen = torch.cat([clipped.origin, clipped.origin.new_tensor([-1])])[seen]
    return seen.view(len(meshes), grid.height, grid.width, faces_per_pixel)
