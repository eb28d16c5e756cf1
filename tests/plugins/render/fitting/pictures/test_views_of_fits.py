"""What the three tasks show, small: sizes, and that the right thing is where it should be."""

import numpy as np
import pytest
import torch

from plugins.render.cameras import orbit
from plugins.render.config import CameraConfig, RenderConfig
from plugins.render.fitting import make_paint, offset_poses, sphere_views
from plugins.render.fitting.guesses import measure_poses
from plugins.render.fitting.pictures import ColourPictures, OutlinePictures, ShapePictures
from plugins.render.fitting.silhouettes import coverage
from plugins.render.meshes import primitive

pytestmark = pytest.mark.ml

SIZE = 40


@pytest.fixture(scope="module")
def config():
    return RenderConfig(camera=CameraConfig(image_size=SIZE))


def test_a_shape_stands_beside_its_target_seen_from_the_same_place(config):
    target, other = primitive("cube", resolution=8), primitive("torus", resolution=12)
    pictures = ShapePictures(config, target)
    frame = pictures.frame(target, 0.3, "")
    assert frame.shape == (SIZE, 2 * SIZE, 3)
    # Below the words, the two halves show the same.
    np.testing.assert_array_equal(frame[15:, :SIZE], frame[15:, SIZE:])
    assert (pictures.frame(other, 0.3, "")[15:, :SIZE] == frame[15:, :SIZE]).all()
    assert not (pictures.frame(target, 0.4, "")[15:] == frame[15:]).all()
    assert pictures.sheet({"result": other}).shape == (2 * SIZE, 4 * SIZE, 3)


def test_the_true_pose_leaves_no_colour_in_an_overlay(config):
    mesh, truth = primitive("cone", resolution=12), orbit(1, distance=3.0)
    pictures = OutlinePictures(config, mesh, truth)
    target = coverage(mesh, truth, SIZE)[0]

    def measured(angle_deg):
        poses = offset_poses(truth, 6, angle_deg=angle_deg, distance=0.0, seed=0)
        return measure_poses(poses, mesh, truth, target)

    def colour(frame):
        spread = frame[15:].max(axis=2).astype(int) - frame[15:].min(axis=2)
        return int((spread > 60).sum())

    true, off = measured(0.0).cameras(truth), measured(60.0).cameras(truth)
    frame = pictures.frame(true, "")
    assert frame.shape == (SIZE, 4 * SIZE, 3)
    assert colour(frame) == 0
    assert colour(pictures.frame(off, "")) > 100
    assert pictures.sheet(off[[0]], true[[0]]).shape == (2 * SIZE, 3 * SIZE, 3)


def test_fitted_colours_stand_beside_the_meshs_own(config):
    mesh = primitive("torus", resolution=12)
    pictures = ColourPictures(config, mesh, sphere_views(5, config.camera, turn=0.4))
    own = pictures.frame(mesh.textures, "")
    np.testing.assert_array_equal(own[15:, :SIZE], own[15:, SIZE:])
    paint = make_paint(mesh, "map", 8)
    with torch.no_grad():
        grey = pictures.frame(paint.textures(paint()), "")
    right = grey[15:, SIZE:].astype(int)
    assert (right.max(axis=2) - right.min(axis=2)).max() <= 1
    sheet = pictures.sheet(mesh.textures)
    assert sheet.shape == (3 * SIZE, 4 * SIZE, 3)
    # No difference between the mesh and itself, below the words.
    assert (sheet[2 * SIZE + 15 :] == 255).all()
