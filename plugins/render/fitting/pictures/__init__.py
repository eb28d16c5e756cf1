"""What the fitting tasks show: shapes, silhouettes and colours, before and after."""

from plugins.render.fitting.pictures.colours import ColourPictures
from plugins.render.fitting.pictures.film import Film, film_steps
from plugins.render.fitting.pictures.outlines import OutlinePictures, overlay
from plugins.render.fitting.pictures.shapes import ShapePictures

__all__ = ["ColourPictures", "Film", "OutlinePictures", "ShapePictures", "film_steps", "overlay"]
