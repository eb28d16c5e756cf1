"""``task=fit_texture``: colours that follow a formula are recovered from views."""

import numpy as np
import pytest
import torch
from PIL import Image
from pytorch3d.io import IO, save_obj
from pytorch3d.renderer import TexturesVertex
from pytorch3d.structures import Meshes
from pytorch3d.utils import ico_sphere

from plugins.render.meshes import load_mesh, primitive

pytestmark = [pytest.mark.ml, pytest.mark.e2e]


def wave(size):
    """A smooth picture ``[size, size, 3]``; periodic across, for the seam."""
    row, column = np.meshgrid(np.arange(size) / size, np.arange(size) / size, indexing="ij")
    channels = (np.sin(2 * np.pi * column), np.cos(2 * np.pi * column), np.cos(np.pi * row))
    return 0.5 + 0.4 * np.stack(channels, axis=-1)


@pytest.fixture(scope="module")
def textured(fits):
    mesh = primitive("sphere", resolution=24)
    path = fits.folder / "textured.obj"
    textures = mesh.textures
    save_obj(
        path,
        mesh.verts_packed(),
        mesh.faces_packed(),
        verts_uvs=textures.verts_uvs_padded()[0],
        faces_uvs=textures.faces_uvs_padded()[0],
        texture_map=torch.from_numpy(wave(64)).float(),
    )
    return f"mesh.path={path}"


@pytest.fixture(scope="module")
def coloured(fits):
    """A sphere with the colour of its place, as vertex colours."""
    sphere = ico_sphere(3)
    place = (sphere.verts_packed() + 1) / 2
    path = fits.folder / "coloured.ply"
    mesh = Meshes(sphere.verts_list(), sphere.faces_list(), TexturesVertex([place]))
    IO().save_mesh(mesh, path, binary=True, colors_as_uint8=True)
    return f"mesh.path={path}"


@pytest.fixture(scope="module")
def fitted(fits, textured):
    return fits.finish(
        "fit_texture", "map", textured, "train.max_steps=100", "train.validate_every=50",
        "fit.texture.size=64", "fit.image_size=48", "fit.views=12",
    )  # fmt: skip


def test_a_texture_is_recovered_in_views_that_training_has_not_seen(fits, fitted):
    figures = fits.figures(fitted)
    assert figures["result/psnr_start"] < 15
    assert figures["result/psnr"] > 35
    assert figures["result/psnr"] == pytest.approx(-10 * np.log10(figures["result/mse"]), abs=0.01)


def test_the_texture_that_is_left_is_the_one_that_was_painted(fitted):
    with Image.open(fitted / "artifacts/result.png") as picture:
        image = np.asarray(picture) / 255
    # At the poles a row of texels is a point, which is hardly seen.
    error = np.abs(image - wave(64))[8:-8]
    assert error.mean() < 0.02
    assert np.quantile(error, 0.99) < 0.1


def test_it_leaves_a_film_a_sheet_the_texture_and_the_mesh(fits, fitted):
    assert fits.artifacts(fitted) == {
        "model.safetensors": "model",
        "fit.gif": "image",
        "held-out-views.png": "image",
        "result.png": "image",
        "result.obj": "file",
    }
    with Image.open(fitted / "artifacts/held-out-views.png") as sheet:
        assert sheet.size == (2 * 64, 3 * 64)


def test_colours_of_vertices_are_recovered_and_left_on_the_mesh(fits, coloured):
    run = fits.finish(
        "fit_texture", "vertices", coloured, "train.max_steps=100", "fit.image_size=48",
        "fit.views=12",
    )  # fmt: skip
    assert fits.figures(run)["result/psnr"] > 35
    mesh = load_mesh(run / "artifacts/result.ply")
    expected = (mesh.verts_packed() + 1) / 2
    error = (mesh.textures.verts_features_packed() - expected).abs()
    assert float(error.mean()) < 0.02


def test_a_map_for_a_mesh_without_texture_coordinates_gets_one_message(fits, coloured):
    done = fits.run("fit_texture", "refused", coloured, "fit.texture.mode=map")
    assert "fix: give it colours at its vertices: fit.texture.mode=vertices" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.returncode == 2
