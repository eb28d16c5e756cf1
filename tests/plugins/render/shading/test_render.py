"""Pictures as wholes: sizes, batches, smooth edges, bytes."""

import numpy as np
import pytest
import torch
from pytorch3d.structures import join_meshes_as_batch

from plugins.render.cameras import orbit
from plugins.render.meshes import primitive
from plugins.render.shading import as_bytes, render

from .conftest import DISTANCE, FOCAL_PX, SIZE

pytestmark = pytest.mark.ml


@pytest.fixture
def torus():
    return primitive("torus", resolution=16)


def test_one_mesh_before_many_cameras_gives_a_picture_each(torus):
    cameras = orbit(3, distance=DISTANCE)
    together = render(torus, cameras, image_size=32)
    assert together.shape == (3, 32, 32, 3)
    for index in range(3):
        alone = render(torus, cameras[index], image_size=32)[0]
        assert torch.equal(together[index], alone)


def test_many_meshes_before_one_camera_give_a_picture_each(camera):
    shapes = [primitive(name, resolution=12) for name in ("cube", "sphere")]
    together = render(join_meshes_as_batch(shapes), camera, image_size=32)
    for picture, shape in zip(together, shapes, strict=True):
        assert torch.allclose(picture, render(shape, camera, image_size=32)[0], atol=1e-5)


def test_two_meshes_before_three_cameras_are_refused(torus):
    two = join_meshes_as_batch([torus, torus])
    with pytest.raises(ValueError, match="2 things for 3 cameras"):
        render(two, orbit(3, distance=DISTANCE), image_size=16)


def test_an_unknown_style_is_refused(torus, camera):
    with pytest.raises(ValueError, match="use one of phong, flat"):
        render(torus, camera, image_size=16, style="toon")


@pytest.mark.parametrize("size", [(40, 80), (80, 40)])
def test_the_shorter_side_has_the_field_of_view(size):
    camera = orbit(1, distance=DISTANCE, elevation_deg=0)
    sphere = primitive("sphere", textured=False)
    picture = render(sphere, camera, image_size=size, style="silhouette")[0, ..., 0].numpy()
    rows, columns = np.nonzero(picture == 0)
    radius = FOCAL_PX * 40 / SIZE / np.sqrt(DISTANCE**2 - 1)
    assert np.ptp(rows) + 1 == pytest.approx(2 * radius, abs=1.5)
    assert np.ptp(columns) + 1 == pytest.approx(2 * radius, abs=1.5)
    assert rows.mean() == pytest.approx(size[0] / 2 - 0.5, abs=0.5)
    assert columns.mean() == pytest.approx(size[1] / 2 - 0.5, abs=0.5)


@pytest.mark.parametrize("samples", [2, 3])
def test_supersampling_is_the_mean_of_a_larger_picture(torus, camera, samples):
    smooth = render(torus, camera, image_size=24, supersampling=samples)[0].numpy()
    large = render(torus, camera, image_size=24 * samples)[0].numpy()
    mean = large.reshape(24, samples, 24, samples, 3).mean(axis=(1, 3))
    assert np.allclose(smooth, mean, atol=1e-5)


def test_supersampling_smooths_the_outline_and_leaves_the_rest(camera):
    sphere = primitive("sphere", textured=False)
    jagged, smooth = (
        render(sphere, camera, image_size=48, style="silhouette", supersampling=n)[0, ..., 0]
        for n in (1, 3)
    )
    assert set(jagged.unique().tolist()) == {0.0, 1.0}
    between = (smooth > 0.01) & (smooth < 0.99)
    assert 20 < int(between.sum()) < 400
    assert torch.equal(smooth[~between].round(), jagged[~between])


def test_lines_of_a_wireframe_keep_their_width_when_supersampled(torus, camera):
    one, three = (
        float((1 - render(torus, camera, image_size=64, style="wireframe", supersampling=n)).sum())
        for n in (1, 3)
    )
    assert three == pytest.approx(one, rel=0.15)


def test_bytes_are_rounded_and_kept_in_range():
    pictures = torch.tensor([[-0.5, 0.0, 0.5, 1.0, 2.0]])
    assert as_bytes(pictures).tolist() == [[0, 0, 128, 255, 255]]
    assert as_bytes(pictures).dtype == np.uint8


def test_pictures_carry_no_gradients(torus, camera):
    assert not render(torus, camera, image_size=16).requires_grad
