"""Tileable textures sampled without aliasing: mip levels, and several taps along the long axis.

A pixel's footprint on a floor seen at a low angle is long and narrow. One wide tap would blur it
and one narrow tap would alias; a few narrow taps along the long axis do neither.

Legend: ``T`` textures, ``S`` texels a side, ``P`` samples.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from plugins.render.rooms.faces import TextureHits

__all__ = ["TextureSet"]

_MAX_TAPS = 4


@dataclass(frozen=True, slots=True)
class TextureSet:
    """All textures of a scene with their mip levels, in one table of texels.

    Attributes:
        texels: Linear RGB, float32 ``[texels, 3]``.
        size: Texels a side of level 0, S.
        starts: First texel of each level, int32 ``[levels]``.
    """

    texels: Tensor
    size: int
    starts: Tensor

    @classmethod
    def build(
        cls, textures: NDArray[np.float32], device: torch.device | str = "cpu"
    ) -> "TextureSet":
        """Averages the mip levels of textures ``[T, S, S, 3]`` with S a power of two.

        Texel (row r, column c) is at u = (c + 0.5) / S, v = (r + 0.5) / S.
        """
        level = torch.tensor(textures, dtype=torch.float32, device=device)
        size = level.shape[1]
        if level.shape[1] != level.shape[2] or size & (size - 1):
            raise ValueError(f"textures must be squares of 2^n texels, not {level.shape[1:3]}")
        levels = [level]
        while levels[-1].shape[1] > 1:
            finer = levels[-1]
            count, side = finer.shape[0], finer.shape[1] // 2
            levels.append(finer.reshape(count, side, 2, side, 2, 3).mean((2, 4)))
        counts = torch.tensor([level.numel() // 3 for level in levels], device=device)
        return cls(
            texels=torch.cat([level.reshape(-1, 3) for level in levels]),
            size=size,
            starts=(counts.cumsum(0) - counts).int(),
        )

    def sample(self, texture: Tensor, hits: TextureHits, width: float) -> Tensor:
        """Returns the colour under samples, ``[P, 3]``.

        Args:
            texture: Texture of each sample, int64 ``[P]``.
            hits: Coordinates and their change along the ray's x and y.
            width: Of a sample, in units of the ray's x and y: pixels / focal length.
        """
        across, down = hits.by_x * width, hits.by_y * width
        length_x, length_y = across.norm(dim=-1), down.norm(dim=-1)
        along = torch.where((length_x > length_y)[:, None], across, down)
        long, short = torch.maximum(length_x, length_y), torch.minimum(length_x, length_y)
        taps = (long / short.clamp_min(1e-9)).ceil().clamp(1, _MAX_TAPS)
        level = (self.size * long / taps).clamp_min(1e-9).log2().clamp(0, len(self.starts) - 1)
        colour = torch.empty(len(texture), 3, dtype=torch.float32, device=level.device)
        for count in range(1, _MAX_TAPS + 1):
            chosen = torch.nonzero(taps == count)[:, 0]
            tap = (torch.arange(count, device=level.device) + 0.5) / count - 0.5
            uv = hits.uv[chosen, None] + along[chosen, None] * tap[:, None]
            texels, weights = self._trilinear(texture[chosen, None].int(), uv, level[chosen, None])
            colour[chosen] = F.embedding_bag(
                texels, self.texels, per_sample_weights=weights / count, mode="sum"
            )
        return colour

    def _trilinear(self, texture: Tensor, uv: Tensor, level: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the texels under taps and their weights, ``[P, 8 taps]``.

        Args:
            texture: ``[P, 1]``.
            uv: ``[P, taps, 2]``.
            level: Level between two mip levels, ``[P, 1]``.
        """
        finer = level.floor()
        blend = level - finer
        finer = finer.int()
        coarser = (finer + 1).clamp_max(len(self.starts) - 1)
        texels, weights = [], []
        for mip, share in ((finer, 1 - blend), (coarser, blend)):
            side = self.size >> mip
            scaled = (uv - uv.floor()) * side[..., None] - 0.5
            low = scaled.floor()
            right, down = (scaled - low).unbind(-1)
            # Sides are powers of two, so that & wraps, also at -1.
            x, y = (low.int() & (side - 1)[..., None]).unbind(-1)
            next_x, next_y = (x + 1) & (side - 1), (y + 1) & (side - 1)
            start = self.starts[mip] + texture * side * side
            row, next_row = start + y * side, start + next_y * side
            texels += [row + x, row + next_x, next_row + x, next_row + next_x]
            above, below = (1 - down) * share, down * share
            left = 1 - right
            weights += [above * left, above * right, below * left, below * right]
        return torch.cat(texels, dim=1), torch.cat(weights, dim=1)
