"""A small canvas for pictures that are stretched over one face: posters, doors, windows, signs."""

import numpy as np
from numpy.typing import NDArray

from plugins.render.rooms.scenes.textures.noise import SIZE, grid

__all__ = ["Canvas"]

Colour = tuple[float, float, float]


class Canvas:
    """Shapes painted one over another; x grows to the right and y downwards, both in [0, 1].

    Args:
        ground: Colour (R, G, B), or a picture (S, S, 3), to begin with.
    """

    def __init__(self, ground: Colour | NDArray[np.float64]) -> None:
        self.picture = np.array(np.broadcast_to(np.asarray(ground, float), (SIZE, SIZE, 3)))
        self._x, self._y = grid()

    def fill(self, mask: NDArray[np.bool_], colour: Colour | NDArray[np.float64]) -> None:
        """Paints where a mask (S, S) holds, with a colour or with a picture (S, S, 3)."""
        self.picture = np.where(mask[..., None], np.asarray(colour, float), self.picture)

    def rectangle(
        self, x: tuple[float, float], y: tuple[float, float], colour: Colour | NDArray[np.float64]
    ) -> None:
        """Paints a rectangle given by its extents."""
        inside_x = (self._x >= x[0]) & (self._x < x[1])
        self.fill(inside_x & (self._y >= y[0]) & (self._y < y[1]), colour)

    def frame(
        self, x: tuple[float, float], y: tuple[float, float], width: float, colour: Colour
    ) -> None:
        """Paints the outline of a rectangle, inwards."""
        inside = self.inside(x, y)
        core = self.inside((x[0] + width, x[1] - width), (y[0] + width, y[1] - width))
        self.fill(inside & ~core, colour)

    def inside(self, x: tuple[float, float], y: tuple[float, float]) -> NDArray[np.bool_]:
        """Returns the mask (S, S) of a rectangle."""
        return (self._x >= x[0]) & (self._x < x[1]) & (self._y >= y[0]) & (self._y < y[1])

    def ellipse(
        self, x: float, y: float, radii: tuple[float, float], colour: Colour | NDArray[np.float64]
    ) -> None:
        """Paints an ellipse about a centre."""
        self.fill(((self._x - x) / radii[0]) ** 2 + ((self._y - y) / radii[1]) ** 2 < 1, colour)

    def half_plane(self, angle: float, offset: float, colour: Colour) -> None:
        """Paints all that lies beyond a line, given by its normal's angle and its distance."""
        side = (self._x - 0.5) * np.cos(angle) + (self._y - 0.5) * np.sin(angle)
        self.fill(np.broadcast_to(side > offset, (SIZE, SIZE)), colour)

    def below(self, height: NDArray[np.float64], colour: Colour | NDArray[np.float64]) -> None:
        """Paints all below a curve: y (S,) for each column, such as the outline of hills."""
        self.fill(self._y > height[None, :], colour)

    def gradient(self, top: Colour, bottom: Colour) -> None:
        """Paints everything, from one colour at the top to another at the bottom."""
        share = np.broadcast_to(self._y, (SIZE, SIZE))[..., None]
        self.picture = np.asarray(top) * (1 - share) + np.asarray(bottom) * share

    def shade(self, field: NDArray[np.float64]) -> None:
        """Makes all lighter or darker by a field (S, S) around 0."""
        self.picture = self.picture * (1 + field[..., None])
