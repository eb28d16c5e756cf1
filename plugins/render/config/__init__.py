"""Options of the render plugin, a module for each part. Importing them imports no framework."""

from dataclasses import dataclass, field

from labcore.training.config import LoopConfig
from plugins.render.config.fitting import FitConfig
from plugins.render.config.rooms import RgbdConfig
from plugins.render.config.scene import CameraConfig, LightConfig, MeshConfig, TurntableConfig

__all__ = [
    "BACKENDS",
    "CameraConfig",
    "FitConfig",
    "LightConfig",
    "MeshConfig",
    "RenderConfig",
    "RgbdConfig",
    "TurntableConfig",
]

BACKENDS = ("auto", "torch", "pytorch3d")

MAX_SAMPLES = 1 << 24
"""Samples of a picture, drawn all at once: 4096 x 4096 pixels, or 2048 x 2048 with 2 x 2 each."""


@dataclass(kw_only=True, slots=True)
class RenderConfig:
    """Everything that ``plugin=render`` understands beside the core's options."""

    backend: str = "auto"
    """Rasterizer: torch (vectorised, quick on a CPU), pytorch3d, or auto (torch on a CPU, pytorch3d
    on a GPU)."""
    mesh: MeshConfig = field(default_factory=MeshConfig)
    camera: CameraConfig = field(default_factory=CameraConfig)
    light: LightConfig = field(default_factory=LightConfig)
    turntable: TurntableConfig = field(default_factory=TurntableConfig)
    fit: FitConfig = field(default_factory=FitConfig)
    rgbd: RgbdConfig = field(default_factory=RgbdConfig)
    train: LoopConfig = field(default_factory=LoopConfig)

    def __post_init__(self) -> None:
        if self.backend not in BACKENDS:
            raise ValueError(f"backend is {self.backend!r}; use one of {', '.join(BACKENDS)}")
        height, width = self.camera.size
        samples = height * width * self.turntable.supersampling**2
        if samples > MAX_SAMPLES:
            raise ValueError(
                f"camera.image_size={height} and turntable.supersampling="
                f"{self.turntable.supersampling} make {samples:,} samples a picture, over "
                f"{MAX_SAMPLES:,}, and each takes about 100 bytes; use a smaller picture or "
                "turntable.supersampling=1"
            )
