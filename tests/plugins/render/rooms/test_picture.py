"""Light and colour, a number at a time."""

import math

import numpy as np
import pytest
import torch

from plugins.render.rooms.frames import camera_of
from plugins.render.rooms.picture import illuminate, paint, srgb
from plugins.render.rooms.texture import TextureSet
from plugins.render.rooms.view import Eye

pytestmark = pytest.mark.ml


@pytest.fixture(scope="module")
def view(made, helpers):
    return Eye(samples=1).look(made.mesh(0), camera_of(made, 0, helpers.HEIGHT, helpers.WIDTH))


def light_by_hand(point, normal, lights):
    """The sum in the docstring of Lights, in the world."""
    total = []
    for c in range(3):
        light = lights.ambient[c] * (0.75 + 0.25 * normal[1])
        light += lights.sun_colour[c] * max(0, float(normal @ lights.sun_direction))
        for position, colour in zip(lights.lamp_positions, lights.lamp_colours, strict=True):
            d = position - point
            distance = math.sqrt(float(d @ d))
            light += colour[c] * max(0, float(normal @ d) / distance) / (1 + distance**2)
        total.append(light)
    return total


def test_light_is_the_stated_sum(view, made):
    rng = np.random.default_rng(0)
    points = rng.uniform((-1, -1, 1), (1, 1, 3), (50, 3))
    normals = rng.normal(size=(50, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    expected = [light_by_hand(p, n, made.lights) for p, n in zip(points, normals, strict=True)]
    camera = view.camera
    found = illuminate(
        torch.tensor(camera.to_camera(points), dtype=torch.float32),
        torch.tensor(normals @ camera.R.T, dtype=torch.float32),
        view,
        made.lights,
    )
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-5)


def test_srgb_is_the_curve_of_the_standard():
    def encode(value):
        return 12.92 * value if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055

    values = np.linspace(0, 1, 1001)
    expected = [round(255 * encode(value)) for value in values]
    found = srgb(torch.tensor(values, dtype=torch.float32)).numpy().astype(int)
    assert np.abs(found - expected).max() <= 1
    assert (found == expected).mean() > 0.99
    assert srgb(torch.tensor([-1.0, 2.0])).tolist() == [0, 255]


def test_a_pixel_is_its_texture_times_its_light(view, made):
    picture = paint(view, TextureSet.build(made.textures), made.lights, made.sky).numpy()
    table, face, camera = view.table, view.face.numpy(), view.camera
    for row, column in ((5, 5), (30, 12), (24, 50), (40, 32)):
        index = int(face[row, column])
        ray = camera.rays()[row, column]
        z = table.meet(torch.tensor([index]), torch.tensor(ray[None])).z.item()
        point = camera.R.T @ (ray * z - camera.t)
        corners = view.mesh.vertices[view.mesh.faces[index]].astype(float)
        normal = np.cross(corners[1] - corners[0], corners[2] - corners[0])
        normal /= np.linalg.norm(normal)
        if normal @ (point - camera.centre) > 0:
            normal = -normal
        weights = np.linalg.lstsq(
            np.vstack([corners.T, np.ones(3)]), np.append(point, 1), rcond=None
        )[0]
        u, v = weights @ view.mesh.uvs[index]
        size = made.textures.shape[1]
        texel = made.textures[
            view.mesh.textures[index], int(v % 1 * size), int(u % 1 * size)
        ].astype(float)
        light = texel * light_by_hand(point, normal, made.lights)
        curve = 1.055 * np.clip(light, 0.0031308, 1) ** (1 / 2.4) - 0.055
        # Neighbouring texels of the smooth texture differ by up to 0.02.
        np.testing.assert_allclose(picture[row, column] / 255, curve, atol=0.03)


def test_more_samples_smooth_the_edges_of_things(made, helpers):
    def look(samples):
        camera = camera_of(made, 0, helpers.HEIGHT, helpers.WIDTH)
        view = Eye(samples=samples).look(made.mesh(0), camera)
        return paint(view, TextureSet.build(made.textures), made.lights, made.sky).numpy() / 255

    truth = look(8)
    errors = [np.abs(look(samples) - truth).mean() for samples in (1, 2, 4)]
    assert errors[1] < 0.7 * errors[0]
    assert errors[2] < 0.7 * errors[1]
