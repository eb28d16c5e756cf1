"""Triangles as spans: for each row of pixels that a triangle meets, the columns that it covers.

A span is found from the three edge lines in float64, which is closer to the truth than PyTorch3D's
float32. Pixels at its ends are in doubt where the two could differ, within rounding of an edge, and
in the reach of a blur: they make spans of their own, to be tested pixel by pixel.

Legend: ``F`` triangles, ``S`` spans. Columns and rows are in pixels, fractions included.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from plugins.render.rasterize.boxes import Boxes, greatest, least
from plugins.render.rasterize.grid import PixelGrid
from plugins.render.rasterize.scene import Scene

__all__ = ["Spans", "SureSpans", "cut_into_spans"]

FLAT = 1e-3
"""An edge that rises by less, in rows, bounds rows and not columns."""
NEVER = 1e15
"""Columns that move a line out of the way."""
FEW_PIXELS = 16
"""Of a box with no more, every pixel is tested: that costs less than to find the edges."""
MAX_FACES = 1 << 14
"""Triangles prepared at a time."""
MAX_SPANS = 1 << 16
"""Spans made at a time."""
# Both limits bound memory, and keep the tensors in the caches of a core.


@dataclass(frozen=True, slots=True)
class Spans:
    """Runs of pixels in one row, which one triangle may cover."""

    face: Tensor
    """Index of the triangle, int64 ``[S]``."""
    pixel: Tensor
    """First pixel, counted through the batch of pictures, int64 ``[S]``."""
    count: Tensor
    """Pixels, int64 ``[S]``; may be 0."""


@dataclass(frozen=True, slots=True)
class SureSpans(Spans):
    """Runs of pixels that are inside the triangle."""

    plane: Tensor
    """Depth (its inverse in perspective) at the first pixel, float32 ``[S]``."""
    step: Tensor
    """What the plane grows by from one column to the next, float32 ``[S]``."""


def cut_into_spans(scene: Scene) -> Iterator[Spans]:
    """Cuts the triangles of a scene, grown by its blur, into spans, a limited number at a time."""
    for begin in range(0, len(scene.faces), MAX_FACES):
        boxes = Boxes.find(scene, begin, begin + MAX_FACES)
        few = boxes.num_rows * boxes.num_columns <= FEW_PIXELS
        yield _rows_of_boxes(boxes.take(few.nonzero()[:, 0]), scene.grid)
        large = boxes.take((~few).nonzero()[:, 0])
        yield from Trapezoids.prepare(scene, large).spans()


def _rows_of_boxes(boxes: Boxes, grid: PixelGrid) -> Spans:
    index = torch.repeat_interleave(boxes.num_rows)
    row = torch.arange(len(index), device=index.device)
    row += (boxes.first_row - boxes.num_rows.cumsum(0) + boxes.num_rows).index_select(0, index)
    corner = (boxes.picture + boxes.first_column).index_select(0, index)
    return Spans(
        face=boxes.face.index_select(0, index),
        pixel=row.mul_(grid.width).add_(corner),
        count=boxes.num_columns.index_select(0, index),
    )


@dataclass(frozen=True, slots=True)
class Trapezoids:
    """The triangles that may show, prepared to be cut into spans."""

    boxes: Boxes
    sure_from: Tensor
    sure_to: Tensor
    """Between these rows only edges that are not flat bound the triangle, float64 ``[F]``."""
    slopes: Tensor
    """Columns that each edge line moves by from one row to the next, float64 ``[3, F]``."""
    left: Tensor
    """Column of each left edge line at row 0, out of the way for other edges, ``[3, F]``."""
    right: Tensor
    """Column of each right edge line at row 0, out of the way for other edges, ``[3, F]``."""
    slack: Tensor
    """How far each bound is moved outwards, for the blur and for rounding, and what it takes to be
    sure inwards, in columns, float64 ``[3, F]``."""
    plane: Tensor
    """Depth (its inverse in perspective): value at the first corner, growth by column and by row,
    column and row of the first corner, float64 ``[5, F]``."""
    grid: PixelGrid

    @classmethod
    def prepare(cls, scene: Scene, boxes: Boxes) -> "Trapezoids":
        """Prepares the triangles in boxes."""
        grid = scene.grid
        reach_px = scene.blur_radius**0.5 * grid.scale
        x, y, z = (part.double() for part in boxes.corners(scene))
        columns, rows = grid.columns(x), grid.rows(y)
        noise = _noise(columns, rows, grid)
        area, slopes, left, right = _edges(columns, rows)
        margin = noise * (1 + slopes.abs())
        outwards = margin + reach_px * (1 + slopes * slopes).sqrt_() if reach_px else margin
        return cls(
            boxes=boxes,
            # A triangle without area, but for rounding, has no inside to be sure of.
            sure_from=least(rows) + (noise + FLAT) + NEVER * (area == 0),
            sure_to=greatest(rows) - (noise + FLAT),
            slopes=slopes,
            left=left - outwards,
            right=right + outwards,
            slack=outwards + margin,
            plane=_plane(columns, rows, z.reciprocal() if scene.perspective else z),
            grid=grid,
        )

    def spans(self) -> Iterator[Spans]:
        """Cuts the triangles into spans, a limited number at a time."""
        if len(self.boxes.face) == 0:
            return
        total = self.boxes.num_rows.cumsum(0)
        num_spans = int(total[-1])
        begin = 0
        while begin < len(self.boxes.face):
            done = int(total[begin - 1]) if begin else 0
            if num_spans - done <= MAX_SPANS:
                end = len(self.boxes.face)
            else:
                limit = torch.tensor(done + MAX_SPANS, device=total.device)
                end = max(int(torch.searchsorted(total, limit, right=True)), begin + 1)
            yield from self._cut(begin, end)
            begin = end

    def _cut(self, begin: int, end: int) -> Iterator[Spans]:
        """Cuts the triangles from begin to end into spans, sure ones and others."""
        heights = self.boxes.num_rows[begin:end]
        ends = heights.cumsum(0)
        number = int(ends[-1])
        local = torch.repeat_interleave(heights, output_size=number)
        rows = torch.arange(number, device=local.device)
        rows += (self.boxes.first_row[begin:end] - ends + heights).index_select(0, local)
        index = local + begin
        row = rows.double()

        def take(values: Tensor) -> Tensor:
            return values.index_select(0, index)

        # Bounds that leave out no pixel, and bounds that let in none from outside.
        firsts, lasts, sure_firsts, sure_lasts = [], [], [], []
        for edge in range(3):
            shift = take(self.slopes[edge]).mul_(row)
            slack = take(self.slack[edge])
            firsts.append(take(self.left[edge]).add_(shift))
            lasts.append(take(self.right[edge]).add_(shift))
            sure_firsts.append(firsts[-1] + slack)
            sure_lasts.append(lasts[-1] - slack)
        first_column = take(self.boxes.first_column).double()
        last_column = first_column + (take(self.boxes.num_columns) - 1)
        first = torch.maximum(greatest(firsts).ceil_(), first_column)
        last = torch.minimum(least(lasts).floor_(), last_column)
        inner_first = torch.maximum(greatest(sure_firsts).ceil_(), first_column)
        inner_last = torch.minimum(least(sure_lasts).floor_(), last_column)
        count = (last - first + 1).clamp_min_(0)
        sure = (inner_last - inner_first + 1).clamp_min_(0)
        sure *= (row >= take(self.sure_from)) & (row <= take(self.sure_to))
        lead = torch.minimum(inner_first - first, count).clamp_min_(0)
        # Without a sure pixel all of the span is in doubt.
        lead = torch.maximum(lead, count * (sure == 0))
        value, by_column, by_row, column_0, row_0 = self.plane
        step = take(by_column)
        value = take(value).addcmul_(take(by_row), row - take(row_0))
        value.addcmul_(step, first - take(column_0)).addcmul_(step, lead)
        face = take(self.boxes.face)
        pixel = rows.mul_(self.grid.width).add_(take(self.boxes.picture)).add_(first.long())
        count, sure, lead = count.long(), sure.long(), lead.long()
        yield SureSpans(
            face=face, pixel=pixel + lead, count=sure, plane=value.float(), step=step.float()
        )
        yield _in_doubt(face, pixel, count, sure, lead)


def _in_doubt(face: Tensor, pixel: Tensor, count: Tensor, sure: Tensor, lead: Tensor) -> Spans:
    """Returns what lies before and behind the sure part of spans."""
    before = lead.nonzero()[:, 0]
    behind = (count - lead - sure).nonzero()[:, 0]
    both = torch.cat([before, behind])
    start = torch.cat([torch.zeros_like(before), (lead + sure).index_select(0, behind)])
    number = torch.cat([lead.index_select(0, before), (count - lead - sure)[behind]])
    return Spans(
        face=face.index_select(0, both), pixel=pixel.index_select(0, both) + start, count=number
    )


def _noise(columns: Tensor, rows: Tensor, grid: PixelGrid) -> Tensor:
    """Returns how far, in pixels, rounding to float32 may move an edge as PyTorch3D sees it.

    The edge function subtracts products of differences: each of its few roundings is a share of
    2**-24 of the product, so of the triangle's extent; the pixel's own centre is rounded once too.
    """
    extent = torch.maximum(greatest(columns) - least(columns), greatest(rows) - least(rows))
    return extent.mul_(1e-6).add_(3e-7 * max(grid.height, grid.width))


def _edges(columns: Tensor, rows: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Returns the area, slopes, left and right bounds of the three edge lines."""
    run = columns.roll(-1, 0) - columns
    rise = rows.roll(-1, 0) - rows
    # Which bound an edge is: the sign of the area, and whether the edge runs up or down. Arithmetic
    # takes the place of masks, which cost ten times as much.
    area = run[0] * (rows[2] - rows[0]) - rise[0] * (columns[2] - columns[0])
    side = torch.sign(area) * torch.sign((rise / FLAT).trunc_())
    slopes = run * rise / (rise * rise).clamp_min_(FLAT * FLAT)
    at_row_0 = torch.addcmul(columns, slopes, rows, value=-1)
    left = at_row_0 - NEVER * (side + 1).clamp_max_(1)
    right = at_row_0 + NEVER * (1 - side).clamp_max_(1)
    return area, slopes, left, right


def _plane(columns: Tensor, rows: Tensor, values: Tensor) -> Tensor:
    """Returns the linear function of column and row that has these values at the corners."""
    c1, c2 = columns[1] - columns[0], columns[2] - columns[0]
    r1, r2 = rows[1] - rows[0], rows[2] - rows[0]
    v1, v2 = values[1] - values[0], values[2] - values[0]
    area = c1 * r2 - c2 * r1
    by_column = (v1 * r2 - v2 * r1) / area
    by_row = (c1 * v2 - c2 * v1) / area
    return torch.stack((values[0], by_column, by_row, columns[0], rows[0]))
