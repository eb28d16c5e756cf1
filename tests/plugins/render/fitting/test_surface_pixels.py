"""What pixels see of a surface, against PyTorch3D's rasterizer and textures."""

import pytest
import torch
from pytorch3d.renderer import MeshRasterizer, RasterizationSettings

from plugins.render.cameras import orbit
from plugins.render.fitting import SurfacePixels, colours_at
from plugins.render.meshes import primitive

pytestmark = pytest.mark.ml

SIZE = 24


@pytest.mark.parametrize("name", ["torus", "cube"])
def test_pictures_are_those_that_pytorch3d_draws(name):
    mesh = primitive(name, resolution=12)
    views = orbit(3, distance=3.0)
    pixels = SurfacePixels.of(mesh, views, SIZE)
    colours = colours_at(mesh.textures, mesh.faces_packed(), pixels.face, pixels.barycentrics)
    pictures = pixels.pictures(colours)
    settings = RasterizationSettings(image_size=SIZE, faces_per_pixel=1)
    for index in range(3):
        fragments = MeshRasterizer(views[index], settings)(mesh)
        hit = fragments.pix_to_face[0, ..., 0] >= 0
        expected = torch.ones(SIZE, SIZE, 3)
        expected[hit] = mesh.sample_textures(fragments)[0, ..., 0, :3][hit]
        # A pixel on an edge may belong to either triangle, and squares have sharp borders.
        differs = (pictures[index] - expected).abs().amax(-1) > 0.01
        assert float(differs.float().mean()) < 0.005


def test_only_pixels_that_see_the_mesh_are_kept():
    mesh = primitive("sphere", resolution=16)
    pixels = SurfacePixels.of(mesh, orbit(2, distance=4.0), SIZE)
    assert len(pixels.face) == len(pixels.barycentrics) == len(pixels.pixel.unique())
    assert 0 < len(pixels.face) < 2 * SIZE**2
    assert int(pixels.face.max()) < len(mesh.faces_packed())
    torch.testing.assert_close(pixels.barycentrics.sum(1), torch.ones(len(pixels.face)))


def test_the_background_is_where_nothing_is_seen():
    pixels = SurfacePixels.of(primitive("sphere", resolution=16), orbit(1, distance=4.0), SIZE)
    pictures = pixels.pictures(torch.zeros(len(pixels.face), 3), background=0.5)
    assert pictures.shape == (1, SIZE, SIZE, 3)
    assert float(pictures[0, 0, 0, 0]) == 0.5
    assert float(pictures[0, SIZE // 2, SIZE // 2, 0]) == 0
