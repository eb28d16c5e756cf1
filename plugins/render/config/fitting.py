"""Options of the fitting tasks: what is fitted, to what, and how it is measured."""

from dataclasses import dataclass, field

__all__ = [
    "TEXTURE_MODES",
    "FitConfig",
    "FitMeshConfig",
    "FitPoseConfig",
    "FitTextureConfig",
]

TEXTURE_MODES = ("auto", "map", "vertices")


def _check_range(section: str, options: object, limits: dict[str, tuple[float, float]]) -> None:
    for name, (least, most) in limits.items():
        value = getattr(options, name)
        if not least <= value <= most:
            raise ValueError(f"{section}.{name} is {value:g}; use {least:g} to {most:,g}")


def _check_sharpening(section: str, start: float, end: float) -> None:
    if end > start:
        raise ValueError(
            f"{section}.sigma_end is {end:g}, above {section}.sigma_start ({start:g}); outlines "
            "get sharper as the fit goes on"
        )


@dataclass(kw_only=True, slots=True)
class FitMeshConfig:
    """``task=fit_mesh``: a sphere that becomes the target. The target fits a ball of radius 1."""

    subdivisions: int = 4
    """Times that each face of an icosahedron is split in four: 4 makes 2,562 vertices."""
    points: int = 5000
    """Points drawn from each surface at every step, for the chamfer distance."""
    smoothing: float = 10.0
    """How far a vertex takes its neighbours along, lambda of Nicolet et al. (2021); 0 moves each
    vertex alone."""
    chamfer: float = 1.0
    """Weight of the chamfer distance between the points of the two surfaces; 0 leaves it out."""
    silhouette: float = 0.1
    """Weight of 1 - IoU of soft silhouettes; 0 leaves it out."""
    edge: float = 0.2
    """Weight of the mean squared length of the edges."""
    normal: float = 0.01
    """Weight of the bends between neighbouring faces (1 - cosine of their normals)."""
    laplacian: float = 0.02
    """Weight of the distances between vertices and the means of their neighbours."""
    views_a_step: int = 2
    """Views whose silhouettes are compared at every step."""
    sigma_start: float = 3e-4
    """Squared distance over which outlines fade at the first step (half a picture is 1)."""
    sigma_end: float = 1e-5
    """The same at the end: outlines that are sharp from the start fold the mesh, and wide ones
    leave it too small."""
    lr: float = 0.05
    """Learning rate of Adam at the start."""
    held_out_points: int = 50_000
    """Points of each surface that measure the fit; training never sees them."""
    radius: float = 0.02
    """Distance within which the F-score counts a point as met (1 % of the target's diameter)."""

    def __post_init__(self) -> None:
        if not 1 <= self.subdivisions <= 6:
            raise ValueError(
                f"fit.mesh.subdivisions is {self.subdivisions}; use 1 (42 vertices) to 6 (40,962)"
            )
        _check_range(
            "fit.mesh",
            self,
            {
                "points": (10, 1_000_000),
                "held_out_points": (10, 10_000_000),
                "smoothing": (0, 1000),
                "chamfer": (0, 1000),
                "silhouette": (0, 1000),
                "edge": (0, 1000),
                "normal": (0, 1000),
                "laplacian": (0, 1000),
                "views_a_step": (1, 1000),
                "sigma_start": (1e-8, 0.1),
                "sigma_end": (1e-8, 0.1),
                "lr": (1e-6, 10),
                "radius": (1e-4, 1),
            },
        )
        _check_sharpening("fit.mesh", self.sigma_start, self.sigma_end)
        if self.chamfer == self.silhouette == 0:
            raise ValueError(
                "fit.mesh.chamfer and fit.mesh.silhouette are both 0; one of them must tell the "
                "sphere what to become"
            )


@dataclass(kw_only=True, slots=True)
class FitPoseConfig:
    """``task=fit_pose``: the camera of a silhouette. The true one is that of the camera options."""

    offset_deg: float = 45.0
    """Angle between the true rotation and that of each start."""
    offset: float = 0.3
    """Distance between the true place of the object, seen from the camera, and that of each start,
    in radii of the object."""
    starts: int = 4
    """Starts, each turned about another axis and moved another way; the silhouette alone decides
    which one is believed."""
    sigma_start: float = 1e-3
    """Squared distance over which outlines fade at the first step (half a picture is 1)."""
    sigma_end: float = 3e-6
    """The same at the end: wide outlines find the way, sharp ones the place."""
    lr: float = 0.03
    """Learning rate of Adam at the start, in radians and radii."""

    def __post_init__(self) -> None:
        _check_range(
            "fit.pose",
            self,
            {
                "offset_deg": (0, 180),
                "offset": (0, 10),
                "starts": (1, 1000),
                "sigma_start": (1e-8, 0.1),
                "sigma_end": (1e-8, 0.1),
                "lr": (1e-6, 10),
            },
        )
        _check_sharpening("fit.pose", self.sigma_start, self.sigma_end)


@dataclass(kw_only=True, slots=True)
class FitTextureConfig:
    """``task=fit_texture``: the colours of a mesh from pictures of it."""

    mode: str = "auto"
    """What is recovered: map (the texture image), vertices (a colour for each vertex), or auto (the
    map where the mesh has one)."""
    size: int = 256
    """Side of the texture image in texels."""
    pixels: int = 16_384
    """Pixels of the pictures compared at every step, drawn from all views."""
    held_out_views: int = 8
    """Views for validation, and as many others for the test; training sees neither."""
    lr: float = 0.1
    """Learning rate of Adam at the start."""

    def __post_init__(self) -> None:
        if self.mode not in TEXTURE_MODES:
            raise ValueError(
                f"fit.texture.mode is {self.mode!r}; use one of {', '.join(TEXTURE_MODES)}"
            )
        _check_range(
            "fit.texture",
            self,
            {
                "size": (4, 8192),
                "pixels": (1, 100_000_000),
                "held_out_views": (1, 1000),
                "lr": (1e-6, 10),
            },
        )


@dataclass(kw_only=True, slots=True)
class FitConfig:
    """Fitting by gradients. ``camera.`` options give distance and field of view."""

    views: int = 24
    """Cameras all round the object whose pictures are fitted (fit_mesh and fit_texture)."""
    image_size: int = 128
    """Height and width in pixels of the pictures that are fitted; camera.image_size is that of the
    pictures to look at."""
    frames: int = 36
    """Pictures in the film of the fit."""
    fps: float = 12.0
    """Pictures a second of it."""
    mesh: FitMeshConfig = field(default_factory=FitMeshConfig)
    pose: FitPoseConfig = field(default_factory=FitPoseConfig)
    texture: FitTextureConfig = field(default_factory=FitTextureConfig)

    def __post_init__(self) -> None:
        _check_range(
            "fit",
            self,
            {"views": (1, 10_000), "image_size": (8, 4096), "frames": (2, 1000), "fps": (0.1, 50)},
        )
