"""Fitting by gradients: a surface to points and silhouettes, a camera, the colours of a mesh."""

from plugins.render.fitting.deform import DeformedSphere, regularity
from plugins.render.fitting.descent import check_loop, cosine_after, progress_of, step_batches
from plugins.render.fitting.guesses import Guesses, measure_poses, rotation_angle_deg
from plugins.render.fitting.paint import Paint, TextureImages, VertexColours, make_paint
from plugins.render.fitting.points import (
    Samples,
    SurfaceError,
    chamfer_distance,
    drawn_from,
    nearest,
    surface_error,
)
from plugins.render.fitting.pose import Poses, cameras_at, offset_poses
from plugins.render.fitting.silhouettes import blur, coverage, iou
from plugins.render.fitting.smooth import Smoothing
from plugins.render.fitting.surface_pixels import SurfacePixels, colours_at
from plugins.render.fitting.views import sphere_views

__all__ = [
    "DeformedSphere",
    "Guesses",
    "Paint",
    "Poses",
    "Samples",
    "Smoothing",
    "SurfaceError",
    "SurfacePixels",
    "TextureImages",
    "VertexColours",
    "blur",
    "cameras_at",
    "chamfer_distance",
    "check_loop",
    "colours_at",
    "cosine_after",
    "coverage",
    "drawn_from",
    "iou",
    "make_paint",
    "measure_poses",
    "nearest",
    "offset_poses",
    "progress_of",
    "regularity",
    "rotation_angle_deg",
    "sphere_views",
    "step_batches",
    "surface_error",
]
