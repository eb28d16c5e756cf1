"""Options of what is shown and how: mesh, camera, light, turntable."""

import math
from dataclasses import dataclass, field

from labcore.errors import nearest, suggestion
from plugins.render.packaged import PACKAGED

__all__ = [
    "PRIMITIVES",
    "STYLES",
    "CameraConfig",
    "LightConfig",
    "MeshConfig",
    "TurntableConfig",
]

PRIMITIVES = ("torus", "knot", "sphere", "cube", "cylinder", "cone", "plane")
"""Shapes that are computed here."""

STYLES = ("phong", "flat", "silhouette", "depth", "normals", "wireframe")
"""Ways to colour what is seen."""

MAX_FPS = 50.0
"""Browsers slow a GIF with a shorter delay than two hundredths of a second down to ten."""


def _choice(name: str, known: tuple[str, ...]) -> str:
    return f"{suggestion(nearest(name, known))} use one of {', '.join(known)}".strip()


@dataclass(kw_only=True, slots=True)
class MeshConfig:
    """What is shown."""

    path: str = ""
    """OBJ, PLY, GLB, glTF, STL or OFF file to show; mesh.name decides when left out."""
    name: str = "duck"
    """What is shown without a path: duck, chair, barrel, building or potion (fetched once), or
    torus, knot, sphere, cube, cylinder, cone or plane (computed)."""
    up: str = "y"
    """Axis that points up in the file: y or z."""
    as_points: int = 0
    """Show so many points drawn from the surface instead of the surface; 0 shows the surface."""

    def __post_init__(self) -> None:
        known = (*PACKAGED, *PRIMITIVES)
        if self.name not in known:
            raise ValueError(
                f"mesh.name is {self.name!r}; {_choice(self.name, known)}; for a file of your own "
                "give mesh.path=FILE"
            )
        if self.up not in {"y", "z"}:
            raise ValueError(f"mesh.up is {self.up!r}; use y or z")
        if not 0 <= self.as_points <= 2_000_000:
            raise ValueError(f"mesh.as_points is {self.as_points}; use 0 to 2,000,000")


@dataclass(kw_only=True, slots=True)
class CameraConfig:
    """Where it is seen from. What is shown fits into a ball of radius 1 round the origin."""

    image_size: int = 256
    """Height of the pictures in pixels, and their width unless camera.width is given."""
    width: int = 0
    """Width of the pictures in pixels; 0 makes them square."""
    distance: float = 3.0
    """Distance from the origin, in radii of what is shown."""
    elevation_deg: float = 20.0
    """Degrees above the horizon from which it is seen (-90 to 90)."""
    azimuth_deg: float = 0.0
    """Degrees round the vertical axis at which a turn begins."""
    fov_deg: float = 40.0
    """Field of view across the shorter side of the picture, in degrees."""

    def __post_init__(self) -> None:
        for name, value in (("image_size", self.image_size), ("width", self.width or 8)):
            if not 8 <= value <= 4096:
                raise ValueError(f"camera.{name} is {value}; use 8 to 4096 pixels")
        if not 1.0 < self.distance <= 1000.0:
            raise ValueError(
                f"camera.distance is {self.distance:g}; use more than 1 (what is shown has radius "
                "1) and at most 1000"
            )
        if not -90 <= self.elevation_deg <= 90:
            raise ValueError(f"camera.elevation_deg is {self.elevation_deg:g}; use -90 to 90")
        if not 1 <= self.fov_deg <= 150:
            raise ValueError(f"camera.fov_deg is {self.fov_deg:g}; use 1 to 150")

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the pictures in pixels."""
        return self.image_size, self.width or self.image_size


@dataclass(kw_only=True, slots=True)
class LightConfig:
    """How it is lit. The light stays with the camera: x to the viewer's right, y up, z to them."""

    direction: list[float] = field(default_factory=lambda: [0.5, 0.8, 1.0])
    """Where the light of a far lamp comes from."""
    location: list[float] = field(default_factory=list)
    """Place of a near lamp, from the origin; the far lamp is off when this is given."""
    ambient: float = 0.5
    """Light from everywhere."""
    diffuse: float = 0.55
    """Light of the lamp."""
    specular: float = 0.12
    """Its highlights."""
    shininess: float = 32.0
    """Exponent of the highlights: the larger, the smaller they are."""

    def __post_init__(self) -> None:
        if len(self.direction) != 3 or not math.hypot(*self.direction) > 0:
            raise ValueError(f"light.direction is {self.direction}; give three numbers, not all 0")
        if len(self.location) not in {0, 3}:
            raise ValueError(f"light.location is {self.location}; give three numbers, or none")
        for name in ("ambient", "diffuse", "specular"):
            if not 0 <= getattr(self, name) <= 10:
                raise ValueError(f"light.{name} is {getattr(self, name):g}; use 0 to 10")
        if not 0 < self.shininess <= 1000:
            raise ValueError(f"light.shininess is {self.shininess:g}; use 1 to 1000")


@dataclass(kw_only=True, slots=True)
class TurntableConfig:
    """The pictures of a turn round it."""

    frames: int = 36
    """Pictures in a full turn."""
    fps: float = 12.0
    """Pictures a second."""
    shading: str = "phong"
    """How it is drawn: phong, flat, silhouette, depth, normals or wireframe."""
    background: list[float] = field(default_factory=lambda: [1.0, 1.0, 1.0])
    """Red, green and blue behind it, 0 to 1."""
    supersampling: int = 2
    """Samples along each side of a pixel: 1 is quick and jagged, 2 or 3 is smooth."""
    point_radius: float = 0.02
    """Radius of a point of a cloud, in radii of the cloud."""

    def __post_init__(self) -> None:
        if not 1 <= self.frames <= 10_000:
            raise ValueError(
                f"turntable.frames is {self.frames}; a turn has at least 1 picture, and at most "
                "10,000"
            )
        if not 0.1 <= self.fps <= MAX_FPS:
            raise ValueError(f"turntable.fps is {self.fps:g}; use 0.1 to {MAX_FPS:g}")
        if self.shading not in STYLES:
            raise ValueError(
                f"turntable.shading is {self.shading!r}; {_choice(self.shading, STYLES)}"
            )
        if len(self.background) != 3 or not all(0 <= c <= 1 for c in self.background):
            raise ValueError(
                f"turntable.background is {self.background}; give red, green and blue, 0 to 1"
            )
        if self.supersampling not in {1, 2, 3}:
            raise ValueError(f"turntable.supersampling is {self.supersampling}; use 1, 2 or 3")
        if not 0 < self.point_radius <= 0.5:
            raise ValueError(f"turntable.point_radius is {self.point_radius:g}; use up to 0.5")
