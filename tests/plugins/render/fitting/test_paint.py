"""Colours that are fitted: where they start, what they are drawn with, what is left on disk."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from pytorch3d.renderer import TexturesVertex
from pytorch3d.structures import Meshes

from labcore.errors import UsageError
from plugins.render.cameras import orbit
from plugins.render.fitting import (
    SurfacePixels,
    TextureImages,
    VertexColours,
    colours_at,
    make_paint,
)
from plugins.render.meshes import load_mesh, primitive

pytestmark = pytest.mark.ml


@pytest.fixture(scope="module")
def textured():
    return primitive("sphere", resolution=16)


@pytest.fixture(scope="module")
def coloured():
    mesh = primitive("sphere", resolution=16, textured=False)
    height = (mesh.verts_packed()[:, 1:2] + 1) / 2
    return Meshes(mesh.verts_list(), mesh.faces_list(), TexturesVertex([height.expand(-1, 3)]))


@pytest.fixture(scope="module")
def pixels(textured):
    return SurfacePixels.of(textured, orbit(4, distance=3.0), 32)


def seen(textures, mesh, pixels):
    return colours_at(textures, mesh.faces_packed(), pixels.face, pixels.barycentrics)


def test_auto_takes_the_map_where_there_is_one(textured, coloured):
    assert isinstance(make_paint(textured, "auto", 16), TextureImages)
    assert isinstance(make_paint(coloured, "auto", 16), VertexColours)
    assert isinstance(make_paint(textured, "vertices", 16), VertexColours)


def test_a_map_for_a_mesh_without_texture_coordinates_is_refused(coloured):
    with pytest.raises(UsageError, match=r"(?s)none.*fit\.texture\.mode=vertices"):
        make_paint(coloured, "map", 16)


@pytest.mark.parametrize("mode", ["map", "vertices"])
def test_everything_starts_grey(textured, pixels, mode):
    paint = make_paint(textured, mode, 16)
    colours = seen(paint.textures(paint()), textured, pixels)
    torch.testing.assert_close(colours, torch.full_like(colours, 0.5))


def test_images_lie_on_the_mesh_as_its_own_do(textured, pixels):
    """With the mesh's own image in place of the fitted one, it looks as it does."""
    own = textured.textures.maps_padded()
    paint = TextureImages(textured.textures, own.shape[1])
    images = own if own.ndim == 4 else own[0]
    torch.testing.assert_close(
        seen(paint.textures(images), textured, pixels), seen(textured.textures, textured, pixels)
    )


@pytest.mark.parametrize("size", [4, 16, 50])
def test_images_have_the_size_that_is_asked_for(textured, size):
    assert make_paint(textured, "map", size)().shape == (1, size, size, 3)


def test_texels_that_no_picture_shows_take_the_colour_nearby(textured):
    """Only the left half is told to be red; the column beside it follows, though nobody says so."""
    paint = TextureImages(textured.textures, 32)
    optimizer = torch.optim.Adam(paint.parameters(), lr=0.1)
    red = torch.tensor([0.9, 0.1, 0.1])
    for _ in range(100):
        loss = (paint()[0, :, :16] - red).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    image = paint().detach()[0]
    torch.testing.assert_close(image[:, :16].mean((0, 1)), red, atol=0.02, rtol=0)
    beside = image[:, 17].mean(0)
    assert float((beside - red).abs().max()) < 0.25
    assert float((image[:, 31].mean(0) - 0.5).abs().max()) < 0.25


def test_a_saved_map_is_the_image_and_the_mesh_that_wears_it(textured, pixels, tmp_path):
    paint = make_paint(textured, "map", 16)
    images = torch.rand(1, 16, 16, 3, generator=torch.Generator().manual_seed(0))
    paths = paint.save(images, textured, tmp_path / "result")
    assert [path.name for path in paths] == ["result.png", "result.obj"]
    with Image.open(paths[0]) as picture:
        np.testing.assert_allclose(np.asarray(picture) / 255, images[0], atol=0.51 / 255 + 1e-6)
    loaded = load_mesh(paths[1])
    torch.testing.assert_close(
        seen(loaded.textures, loaded, pixels),
        seen(paint.textures(images), textured, pixels),
        atol=0.01,
        rtol=0,
    )


def test_saved_colours_of_vertices_are_read_back(coloured, tmp_path):
    paint = make_paint(coloured, "vertices", 16)
    colours = torch.rand(
        len(coloured.verts_packed()), 3, generator=torch.Generator().manual_seed(0)
    )
    (path,) = paint.save(colours, coloured, tmp_path / "result")
    assert path == Path(tmp_path / "result.ply")
    loaded = load_mesh(path)
    torch.testing.assert_close(loaded.verts_packed(), coloured.verts_packed())
    torch.testing.assert_close(
        loaded.textures.verts_features_packed(), colours, atol=0.51 / 255 + 1e-6, rtol=0
    )
