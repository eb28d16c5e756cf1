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
