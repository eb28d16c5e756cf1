"""A rasterizer in torch that is quick on a CPU and gives what PyTorch3D's gives."""

from plugins.render.rasterize.rasterize import rasterize_meshes
from plugins.render.rasterize.rasterizer import Backend, TorchRasterizer, make_rasterizer
from plugins.render.rasterize.silhouette import soft_silhouette

__all__ = [
    "Backend",
    "TorchRasterizer",
    "make_rasterizer",
    "rasterize_meshes",
    "soft_silhouette",
]
