"""The colours of a view: textures under Lambert light, averaged over each pixel, as sRGB bytes.

A surface looks alike from everywhere, so that the same point has the same colour in every picture
of a sequence. Legend: ``P`` samples, ``s`` samples a pixel in each direction.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from plugins.render.rooms.rays import rays_through
from plugins.render.rooms.scenes import Lights
from plugins.render.rooms.texture import TextureSet
from plugins.render.rooms.view import View

__all__ = ["paint", "srgb"]


def paint(view: View, textures: TextureSet, lights: Lights, sky: NDArray[np.float64]) -> Tensor:
    """Returns the picture of a view, uint8 ``[H, W, 3]``.

    A pixel whose samples all see one face gets the colour at its centre, with the whole pixel as
    footprint; one at an edge gets the mean of its samples' colours.
    """
    camera, samples = view.camera, view.samples
    face = _by_pixel(view.fine, samples)
    whole = (face == face[:, :1]).all(1)
    inside, edge = torch.nonzero(whole)[:, 0], torch.nonzero(~whole)[:, 0]
    centres = rays_through(camera, 1, face.device).flatten(0, 1)[inside]
    at_edges = _by_pixel(rays_through(camera, samples, face.device), samples)[edge]
    pixel = 1 / float(camera.K[0, 0])  # its width in units of a ray's x

    def shade(faces: Tensor, rays: Tensor, width: float) -> Tensor:
        shaded = torch.tensor(sky, dtype=torch.float32, device=face.device).repeat(len(faces), 1)
        seen = torch.nonzero(faces >= 0)[:, 0]
        shaded[seen] = _shade(view, faces[seen], rays[seen], width, textures, lights)
        return shaded

    colour = torch.empty(len(face), 3, dtype=torch.float32, device=face.device)
    colour[inside] = shade(face[inside, 0], centres, pixel)
    mixed = shade(face[edge].flatten(), at_edges.flatten(0, 1), pixel / samples)
    colour[edge] = mixed.reshape(-1, samples**2, 3).mean(1)
    return srgb(colour.reshape(camera.height, camera.width, 3))


def _by_pixel(values: Tensor, samples: int) -> Tensor:
    """Puts the samples of each pixel together: ``[sH, sW, ...]`` to ``[H W, s^2, ...]``."""
    height, width = values.shape[0] // samples, values.shape[1] // samples
    apart = values.reshape(height, samples, width, samples, *values.shape[2:])
    return apart.transpose(1, 2).reshape(height * width, samples**2, *values.shape[2:])


def _shade(
    view: View, faces: Tensor, rays: Tensor, width: float, textures: TextureSet, lights: Lights
) -> Tensor:
    hits = view.table.texture_at(faces, rays, torch.float32)
    texture = torch.as_tensor(view.mesh.textures, device=faces.device)[faces]
    points = (rays * view.table.depth(faces, rays)[:, None]).float()
    normals = view.table.normals[faces].float()
    normals = torch.where((normals * points).sum(-1, keepdim=True) > 0, -normals, normals)
    return textures.sample(texture, hits, width) * illuminate(points, normals, view, lights)


def illuminate(points: Tensor, normals: Tensor, view: View, lights: Lights) -> Tensor:
    """Returns the light on surfaces, ``[P, 3]``: the sum that :class:`Lights` states.

    Args:
        points: In the frame of the camera, ``[P, 3]``.
        normals: Unit vectors in the frame of the camera, towards the side that is seen.
        view: Whose camera it is.
        lights: In the world.
    """
    camera = view.camera

    def tensor(values: NDArray[np.float64]) -> Tensor:
        return torch.tensor(values, dtype=torch.float32, device=points.device)

    up = normals @ tensor(camera.R[:, 1])
    sun = (normals @ tensor(camera.R @ lights.sun_direction)).clamp_min(0)
    light = (0.75 + 0.25 * up)[:, None] * tensor(lights.ambient)
    light += sun[:, None] * tensor(lights.sun_colour)
    for position, colour in zip(lights.lamp_positions, lights.lamp_colours, strict=True):
        to_lamp = tensor(camera.to_camera(position)) - points
        squared = (to_lamp**2).sum(-1)
        cosine = (normals * to_lamp).sum(-1).clamp_min(0) / squared.clamp_min(1e-12).sqrt()
        light += (cosine / (1 + squared))[:, None] * tensor(colour)
    return light


def srgb(linear: Tensor) -> Tensor:
    """Encodes linear light in [0, 1] as sRGB bytes (IEC 61966-2-1)."""
    light = linear.clamp(0, 1)
    curved = 1.055 * light.clamp_min(0.0031308) ** (1 / 2.4) - 0.055
    encoded = torch.where(light <= 0.0031308, 12.92 * light, curved)
    return (encoded * 255 + 0.5).to(torch.uint8)
