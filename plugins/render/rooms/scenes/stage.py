"""A scene while it is built: things are tried, placed and counted."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from plugins.render.rooms.scenes.labels import label_index
from plugins.render.rooms.scenes.materials import Material, Materials, Recipe
from plugins.render.rooms.scenes.rotation import yaw_matrix
from plugins.render.rooms.scenes.scene import Part
from plugins.render.rooms.scenes.solids import Solid, merge
from plugins.render.rooms.scenes.space import Boxes, Place, Space
from plugins.render.rooms.scenes.streams import Streams

__all__ = ["MAX_FACES", "Stage", "Surface", "Thing"]

Float64 = NDArray[np.float64]

MAX_FACES = 3000
"""Faces in a scene at most: what keeps it quick to render on a CPU."""
_FOR_MOVERS = 480
"""Faces kept back for what moves, whether anything does or not: the rest stays the same."""


@dataclass(frozen=True, slots=True)
class Surface:
    """A level area of a thing on which smaller ones stand, in its frame."""

    x: float
    y: float
    z: float
    width: float
    depth: float


@dataclass(slots=True)
class Thing:
    """Something made of solids, in its own frame: origin on the floor, front towards +z."""

    name: str
    label: str
    pieces: list[tuple[Material, str, list[Solid]]] = field(default_factory=list)
    surfaces: list[Surface] = field(default_factory=list)

    def add(self, material: Material, *solids: Solid, label: str = "") -> "Thing":
        """Adds solids of one material, with another label than the thing's if one is given."""
        self.pieces.append((material, label or self.label, list(solids)))
        return self

    @property
    def num_faces(self) -> int:
        """Faces of all its solids."""
        return sum(len(solid.faces) for *_, solids in self.pieces for solid in solids)

    @property
    def bounds(self) -> Float64:
        """Lowest and highest corner, (2, 3)."""
        bounds = [solid.bounds for *_, solids in self.pieces for solid in solids]
        return np.stack([np.min([b[0] for b in bounds], 0), np.max([b[1] for b in bounds], 0)])

    def boxes(self, place: Place) -> Boxes:
        """Returns a box for each of its solids, at a place."""
        bounds = np.stack([solid.bounds for *_, solids in self.pieces for solid in solids])
        return Boxes.at(bounds, place)

    def hull(self, translations: Float64, yaws: Float64) -> Boxes:
        """Returns one box about all of it, for each of N poses on the plan."""
        low, high = self.bounds
        centre = (low + high) / 2
        return Boxes(
            yaw_matrix(yaws) @ centre + translations,
            np.broadcast_to((high - low) / 2, (len(yaws), 3)),
            yaws,
        )


class Stage:
    """Collects the parts of a scene and keeps account of the space.

    Args:
        streams: Randomness of the scene.
        catalogue: Recipes of its materials.
        eyes: (N, 3) where the camera will be; things keep away from there.
        keep_off: Metres between the camera and anything.
    """

    def __init__(
        self,
        streams: Streams,
        catalogue: Mapping[str, Callable[[np.random.Generator], Recipe]],
        eyes: Float64,
        *,
        keep_off: float,
    ) -> None:
        self.streams = streams
        self.materials = Materials(streams, catalogue)
        self.space = Space()
        self.eyes = eyes
        self.keep_off = keep_off
        self.parts: list[Part] = []
        self.num_faces = 0
        self._num_instances = 0
        self._count: Counter[str] = Counter()

    def fits(self, thing: Thing, place: Place, *, margin: float = 0.0) -> bool:
        """Returns whether a thing can stand there: within the budget, off all else."""
        if self.num_faces + thing.num_faces > MAX_FACES - _FOR_MOVERS:
            return False
        boxes = thing.boxes(place)
        if (boxes.distance(self.eyes) < self.keep_off).any():
            return False
        return not self.space.meets(boxes, margin=margin)

    def put(self, thing: Thing, place: Place, *, solid: bool = True) -> int:
        """Places a thing for good.

        Args:
            thing: What.
            place: Where.
            solid: Whether it takes space; a rug does not.

        Returns:
            The number of its instance.
        """
        if solid:
            self.space.take(thing.boxes(place))
        translation = np.array([[place.x, place.y, place.z]])
        return self.add(thing, yaw_matrix(place.yaw)[None], translation)

    def animate(self, instance: int, rotations: Float64, translations: Float64) -> None:
        """Gives what has been placed a pose for each frame instead of the one it has."""
        self.parts = [
            part if part.instance != instance else _posed(part, rotations, translations)
            for part in self.parts
        ]

    def add(self, thing: Thing, rotations: Float64, translations: Float64) -> int:
        """Makes a thing's parts, with one pose or with one for each frame; returns its instance."""
        self._num_instances += 1
        self.num_faces += thing.num_faces
        self._count[thing.name] += 1
        rng = self.streams("offset", thing.name, self._count[thing.name])
        for material, label, solids in thing.pieces:
            whole = merge(solids)
            offsets = [rng.random(2) for _ in solids]
            uvs = [
                material.coordinates(solid, offset)
                for solid, offset in zip(solids, offsets, strict=True)
            ]
            self.parts.append(
                Part(
                    name=thing.name,
                    label=label_index(label),
                    instance=self._num_instances,
                    # Micrometres: the last bits of a sine differ between processors.
                    vertices=np.round(whole.vertices, 6).astype(np.float32),
                    faces=whole.faces,
                    uvs=np.round(np.concatenate(uvs), 6).astype(np.float32),
                    texture=material.texture,
                    rotations=np.round(rotations, 9),
                    translations=np.round(translations, 6),
                )
            )
        return self._num_instances


def _posed(part: Part, rotations: Float64, translations: Float64) -> Part:
    return replace(part, rotations=np.round(rotations, 9), translations=np.round(translations, 6))
