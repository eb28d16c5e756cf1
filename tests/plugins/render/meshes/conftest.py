"""Files with meshes, written by hand, and a look at them."""

import numpy as np
import pytest

from plugins.render.cameras import orbit
from plugins.render.config.scene import LightConfig
from plugins.render.shading import render


@pytest.fixture
def seen():
    """Draws a mesh from +z without light: what its colours are, ``[H, W, 3]`` in [0, 1]."""

    def look(mesh, size=40):
        picture = render(
            mesh,
            orbit(1, distance=3.0, elevation_deg=0),
            image_size=size,
            light=LightConfig(ambient=1.0, diffuse=0.0, specular=0.0),
            background=(0.0, 0.0, 0.0),
        )
        return picture[0].numpy()

    return look


@pytest.fixture
def quadrants():
    """A texture with red top left, green top right, blue bottom left, white bottom right."""
    picture = np.zeros((8, 8, 3), dtype=np.uint8)
    picture[:4, :4] = (255, 0, 0)
    picture[:4, 4:] = (0, 255, 0)
    picture[4:, :4] = (0, 0, 255)
    picture[4:, 4:] = (255, 255, 255)
    return picture
