"""The rays of a camera as tensors: through pixel centres, samples of pixels, or any point."""

import functools

import numpy as np
import torch
from torch import Tensor

from labcore.kit.cameras import Pinhole, pixel_centres

__all__ = ["rays_at", "rays_through"]


def rays_at(camera: Pinhole, pixels: Tensor) -> Tensor:
    """Returns the rays (x, y, 1) through points of the picture: ``[..., 2]`` to ``[..., 3]``."""
    focal = pixels.new_tensor([camera.K[0, 0], camera.K[1, 1]])
    centre = pixels.new_tensor([camera.K[0, 2], camera.K[1, 2]])
    rays = pixels.new_ones((*pixels.shape[:-1], 3))
    torch.sub(pixels, centre, out=rays[..., :2]).div_(focal)
    return rays


def rays_through(camera: Pinhole, samples: int, device: torch.device | str = "cpu") -> Tensor:
    """Returns the rays through the centres of all samples, float64 ``[sH, sW, 3]``.

    They are shared: do not write to them.

    Args:
        camera: Whose picture has ``[H, W]`` pixels.
        samples: Samples a pixel in each direction, s; 1 gives the centres of the pixels.
        device: Where the rays are needed.
    """
    intrinsics = tuple(camera.K.flatten().tolist())
    return _rays(intrinsics, camera.height, camera.width, samples, torch.device(device))


@functools.lru_cache(maxsize=4)  # all frames of a scene have the same
def _rays(
    intrinsics: tuple[float, ...], height: int, width: int, samples: int, device: torch.device
) -> Tensor:
    camera = Pinhole(
        K=np.reshape(intrinsics, (3, 3)), R=np.eye(3), t=np.zeros(3), height=height, width=width
    )
    centres = pixel_centres(height * samples, width * samples) / samples
    return rays_at(camera, torch.from_numpy(centres).to(device))
