"""The materials of one scene: each texture is painted once, when it is first asked for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plugins.render.rooms.scenes.solids import Solid
from plugins.render.rooms.scenes.streams import Streams
from plugins.render.rooms.scenes.textures import band_limited, to_albedo
from plugins.render.rooms.scenes.textures.colours import one_of

__all__ = ["Material", "Materials", "Recipe", "plain"]

Colour = tuple[float, float, float]
Picture = NDArray[np.float64]
Rng = np.random.Generator


@dataclass(frozen=True, slots=True)
class Material:
    """A texture and its size."""

    texture: int
    """Index in ``Scene.textures``."""
    period: tuple[float, float] | None
    """Metres it covers along u and v; None stretches it over each four-cornered face."""
    aligned: bool = False
    """Whether it begins at the corner of each face instead of anywhere."""

    def coordinates(self, solid: Solid, offset: NDArray[np.float64]) -> NDArray[np.float64]:
        """Returns texture coordinates (F, 3, 2) in repeats.

        Args:
            solid: What is covered; with a stretched texture, its faces are pairs of triangles.
            offset: (2,) where a repeating texture begins, so that two boards look different.
        """
        if self.period is not None:
            start = 0.0 if self.aligned else offset
            return solid.uvs / np.asarray(self.period) + start
        extent = np.repeat(solid.uvs.reshape(-1, 6, 2).max(axis=1), 2, axis=0)
        return solid.uvs / extent[:, None, :]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a material is made."""

    paint: Callable[[Rng], Picture]
    """Returns a picture (S, S, 3), sRGB, top row first."""
    period: tuple[float, float] | None


def plain(
    paint: Callable[[Rng, Colour], Picture],
    colours: tuple[Colour, ...],
    period: tuple[float, float] | None,
) -> Callable[[Rng], Recipe]:
    """Returns the recipe of a material that comes in several colours.

    Args:
        paint: Returns a picture in a colour.
        colours: One is chosen, and changed a little.
        period: Size of the picture in metres.
    """

    def recipe(rng: Rng) -> Recipe:
        colour = one_of(rng, colours)
        return Recipe(lambda r: paint(r, colour), period)

    return recipe


class Materials:
    """Finds the material for a role, such as the second wood.

    Args:
        streams: Randomness of the scene.
        catalogue: For each role, a function from a generator to a recipe.
    """

    def __init__(self, streams: Streams, catalogue: Mapping[str, Callable[[Rng], Recipe]]) -> None:
        self._streams = streams
        self._catalogue = catalogue
        self._known: dict[tuple[str, int], Material] = {}
        self._albedos: list[NDArray[np.float32]] = []

    def __call__(self, role: str, variant: int = 0) -> Material:
        """Returns a material: for the same role and variant always the same."""
        key = (role, variant)
        if key not in self._known:
            rng = self._streams("material", role, variant)
            recipe = self._catalogue[role](rng)
            # Row 0 of a texture is at v = 0, the lower edge.
            picture = recipe.paint(rng)[::-1]
            self._albedos.append(to_albedo(band_limited(picture)))
            self._known[key] = Material(len(self._albedos) - 1, recipe.period)
        return self._known[key]

    @property
    def textures(self) -> NDArray[np.float32]:
        """All textures so far, (T, S, S, 3)."""
        return np.stack(self._albedos)
