"""The triangles that may show, each with the box of pixels that it may cover.

Legend: ``F`` triangles. Columns and rows are in pixels.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from plugins.render.rasterize.scene import Scene
from plugins.render.rasterize.triangle import EPSILON, doubled_area

__all__ = ["Boxes", "greatest", "least"]


@dataclass(frozen=True, slots=True)
class Boxes:
    """Triangles and their boxes."""

    face: Tensor
    """Index of each triangle in the scene, int64 ``[F]``."""
    picture: Tensor
    """First pixel of its picture in the batch, int64 ``[F]``."""
    first_row: Tensor
    num_rows: Tensor
    first_column: Tensor
    num_columns: Tensor
    """The box in the picture, int64 ``[F]``."""

    @classmethod
    def find(cls, scene: Scene, begin: int, end: int) -> "Boxes":
        """Finds the boxes of the triangles from begin to end, without those that cannot show.

        That is: with a corner that is not finite or not in front of the camera, with no area, off
        the picture, between the centres of pixels, and seen from behind when they are culled.
        """
        grid = scene.grid
        x, y, z = _columns_of(scene.faces[begin:end])
        area = doubled_area((x[0], y[0]), (x[1], y[1]), (x[2], y[2]))
        visible = (area if scene.cull_backfaces else area.abs()) > EPSILON
        visible &= (least(z) >= EPSILON) & area.isfinite() & greatest(z).isfinite()
        left, right = grid.columns(greatest(x)), grid.columns(least(x))
        top, bottom = grid.rows(greatest(y)), grid.rows(least(y))
        # More than rounding to float32 may move an edge, here and in PyTorch3D.
        around = torch.maximum(right - left, bottom - top).mul_(2e-6)
        around += scene.blur_radius**0.5 * grid.scale + 1e-6 * max(grid.height, grid.width)
        left = (left - around).ceil_().clamp_min_(0)
        right = (right + around).floor_().clamp_max_(grid.width - 1)
        top = (top - around).ceil_().clamp_min_(0)
        bottom = (bottom + around).floor_().clamp_max_(grid.height - 1)
        visible &= (left <= right) & (top <= bottom)
        shown = visible.nonzero()[:, 0]
        left, right, top, bottom = (
            bound.index_select(0, shown).long() for bound in (left, right, top, bottom)
        )
        return cls(
            face=shown + begin,
            picture=scene.picture_of_face[begin:end].index_select(0, shown) * grid.num_pixels,
            first_row=top,
            num_rows=bottom - top + 1,
            first_column=left,
            num_columns=right - left + 1,
        )

    def take(self, index: Tensor) -> "Boxes":
        """Returns the boxes with these indices."""
        return Boxes(
            face=self.face.index_select(0, index),
            picture=self.picture.index_select(0, index),
            first_row=self.first_row.index_select(0, index),
            num_rows=self.num_rows.index_select(0, index),
            first_column=self.first_column.index_select(0, index),
            num_columns=self.num_columns.index_select(0, index),
        )

    def corners(self, scene: Scene) -> tuple[Tensor, Tensor, Tensor]:
        """Returns x, y and z of the corners of the triangles, each ``[3, F]``."""
        return _columns_of(scene.faces.reshape(-1, 9).index_select(0, self.face))


def least(values: list[Tensor] | Tensor) -> Tensor:
    """Returns the least of three numbers."""
    return torch.minimum(torch.minimum(values[0], values[1]), values[2])


def greatest(values: list[Tensor] | Tensor) -> Tensor:
    """Returns the greatest of three numbers."""
    return torch.maximum(torch.maximum(values[0], values[1]), values[2])


def _columns_of(faces: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    values = faces.reshape(-1, 9).t().contiguous()
    return values[0::3], values[1::3], values[2::3]
