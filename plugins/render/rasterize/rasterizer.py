"""The rasterizer as a module in the place of PyTorch3D's, and the choice between the two."""

from typing import Any, Literal, get_args

import torch
from pytorch3d.renderer import MeshRasterizer, RasterizationSettings
from pytorch3d.renderer.cameras import CamerasBase, try_get_projection_transform
from pytorch3d.renderer.mesh.rasterizer import Fragments
from pytorch3d.structures import Meshes
from torch import Tensor, nn

from plugins.render.rasterize.rasterize import rasterize_meshes, visible_faces

__all__ = ["Backend", "TorchRasterizer", "make_rasterizer"]

Backend = Literal["auto", "torch", "pytorch3d"]
TINY_DEPTH = 1e-9


class TorchRasterizer(nn.Module):
    """Rasterizes a batch of meshes, each seen by its camera or all by one.

    Takes the arguments of :class:`pytorch3d.renderer.MeshRasterizer`, when made and when called,
    and gives the same fragments.

    Args:
        cameras: One camera, or one for each mesh.
        raster_settings: Size of the pictures and what is kept of them.
    """

    def __init__(
        self,
        cameras: CamerasBase | None = None,
        raster_settings: RasterizationSettings | None = None,
    ) -> None:
        super().__init__()
        self.cameras = cameras
        self.raster_settings = raster_settings or RasterizationSettings()

    def to(self, device: torch.device | str) -> "TorchRasterizer":  # type: ignore[override]
        """Moves the cameras, which are no part of the module's state."""
        if self.cameras is not None:
            self.cameras = self.cameras.to(device)
        return self

    def transform(self, meshes_world: Meshes, **kwargs: Any) -> Meshes:
        """Projects meshes: x, y in NDC and the depth from the camera.

        Args:
            meshes_world: Vertices in the world.
            **kwargs: What the cameras take, and ``cameras`` in place of the module's.
        """
        cameras = self._cameras(kwargs)
        if len(cameras) not in (1, len(meshes_world)):
            raise ValueError(
                f"{len(cameras)} cameras for {len(meshes_world)} meshes; give one camera, or one "
                "for each mesh"
            )
        world = meshes_world.verts_padded()
        eps = kwargs.get("eps")
        view = cameras.get_world_to_view_transform(**kwargs).transform_points(world, eps=eps)
        depth = view[..., 2]
        to_ndc = cameras.get_ndc_camera_transform(**kwargs)
        projection = try_get_projection_transform(cameras, kwargs)
        if projection is None:
            ndc = to_ndc.transform_points(cameras.transform_points(world, eps=eps), eps=eps)
        else:
            if cameras.is_perspective():
                # A vertex in the plane of the camera would be at infinity, and its face lost.
                depth = depth.masked_fill(depth.abs() < TINY_DEPTH, TINY_DEPTH)
                view = torch.cat([view[..., :2], depth[..., None]], -1)
            ndc = projection.compose(to_ndc).transform_points(view, eps=eps)
        return meshes_world.update_padded(torch.cat([ndc[..., :2], depth[..., None]], -1))

    def forward(self, meshes_world: Meshes, **kwargs: Any) -> Fragments:
        """Returns the fragments of meshes; ``cameras`` and ``raster_settings`` can be given anew.

        Args:
            meshes_world: Vertices in the world.
            **kwargs: As :meth:`transform` takes them.
        """
        settings = kwargs.get("raster_settings", self.raster_settings)
        perspective, near = self.projection(settings, self._cameras(kwargs))
        clip = settings.clip_barycentric_coords
        pix_to_face, zbuf, bary_coords, dists = rasterize_meshes(
            self.transform(meshes_world, **kwargs),
            image_size=settings.image_size,
            blur_radius=settings.blur_radius,
            faces_per_pixel=settings.faces_per_pixel,
            perspective_correct=perspective,
            clip_barycentric_coords=settings.blur_radius > 0 if clip is None else clip,
            cull_backfaces=settings.cull_backfaces,
            z_clip_value=near,
        )
        return Fragments(pix_to_face=pix_to_face, zbuf=zbuf, bary_coords=bary_coords, dists=dists)

    def visible_faces(self, meshes_world: Meshes, **kwargs: Any) -> Tensor:
        """Returns only the ``pix_to_face`` of fragments, in half the time; blur has no part in it.

        Args:
            meshes_world: Vertices in the world.
            **kwargs: As :meth:`forward` takes them.
        """
        settings = kwargs.get("raster_settings", self.raster_settings)
        perspective, near = self.projection(settings, self._cameras(kwargs))
        with torch.no_grad():
            return visible_faces(
                self.transform(meshes_world, **kwargs),
                settings.image_size,
                faces_per_pixel=settings.faces_per_pixel,
                perspective_correct=perspective,
                cull_backfaces=settings.cull_backfaces,
                z_clip_value=near,
            )

    def _cameras(self, kwargs: dict[str, Any]) -> CamerasBase:
        cameras = kwargs.get("cameras", self.cameras)
        if cameras is None:
            raise ValueError("there are no cameras; give them to the rasterizer or to the call")
        return cameras

    @staticmethod
    def projection(
        settings: RasterizationSettings, cameras: CamerasBase
    ) -> tuple[bool, float | None]:
        """Returns whether to correct for perspective, and the depth of the near plane."""
        perspective = settings.perspective_correct
        if perspective is None:
            perspective = bool(cameras.is_perspective())
        if settings.z_clip_value is not None:
            return perspective, settings.z_clip_value
        near = cameras.get_znear()
        if isinstance(near, Tensor):
            near = near.min().item()
        return perspective, None if near is None or not perspective else near / 2


def make_rasterizer(
    backend: Backend = "auto",
    *,
    cameras: CamerasBase | None = None,
    raster_settings: RasterizationSettings | None = None,
    device: torch.device | str = "cpu",
) -> nn.Module:
    """Makes a rasterizer with PyTorch3D's interface.

    Args:
        backend: ``torch``: ours. ``pytorch3d``: its own, which on a CPU tests every triangle
            against every pixel. ``auto``: ours on a CPU, PyTorch3D's on CUDA.
        cameras: One camera, or one for each mesh.
        raster_settings: Size of the pictures and what is kept of them.
        device: Where the meshes are.
    """
    if backend not in get_args(Backend):
        raise ValueError(f"backend is {backend!r}; use one of {', '.join(get_args(Backend))}")
    device = torch.device(device)
    if cameras is not None:
        cameras = cameras.to(device)
    if backend == "pytorch3d" or (backend == "auto" and device.type == "cuda"):
        return MeshRasterizer(cameras=cameras, raster_settings=raster_settings)
    return TorchRasterizer(cameras=cameras, raster_settings=raster_settings)
