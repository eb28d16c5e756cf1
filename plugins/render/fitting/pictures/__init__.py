"""What the fitting tasks show: shapes, silhouettes and colours, before and after."""

from plugins.render.fitting.pictures.colours import ColourPictures
from plugins.render.fitting.pictures.film import Film, film_steps
from plugins.render.fitting.pictures.outlines import OutlinePictures
from plugins.render.fitting.pictures.panels import beside, overlay, stacked
from plugins.render.fitting.pictures.shapes import ShapePictures

__all__ = [
    "ColourPictures",
    "Film",
    "OutlinePictures",
    "ShapePictures",
    "beside",
    "film_steps",
    "overlay",
    "stacked",
]
