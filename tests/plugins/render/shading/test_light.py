"""Light: PyTorch3D's own shader as the reference, and what a viewer expects of a lamp."""

import numpy as np
import pytest
import torch
from pytorch3d.renderer import (
    BlendParams,
    DirectionalLights,
    HardFlatShader,
    HardPhongShader,
    Materials,
    MeshRasterizer,
    MeshRenderer,
    RasterizationSettings,
)

from plugins.render.cameras import orbit
from plugins.render.config.scene import LightConfig
from plugins.render.meshes import primitive
from plugins.render.shading import render

from .conftest import DISTANCE, LOOKS, SIZE, sphere

pytestmark = pytest.mark.ml


@pytest.fixture
def front():
    return orbit(1, distance=DISTANCE, elevation_deg=0)


def lit(camera, mesh=None, style="phong", **options):
    mesh = sphere("plain") if mesh is None else mesh
    picture = render(
        mesh,
        camera,
        image_size=SIZE,
        style=style,
        light=LightConfig(**options),
        background=(0,) * 3,
    )
    return picture[0].numpy()


def brightest(picture):
    """Right and up of the middle, in pixels."""
    row, column = np.unravel_index(picture.sum(axis=-1).argmax(), picture.shape[:2])
    return column - SIZE / 2, SIZE / 2 - row


@pytest.mark.parametrize("look", LOOKS[:2])
@pytest.mark.parametrize(
    ("style", "shader"), [("phong", HardPhongShader), ("flat", HardFlatShader)]
)
def test_it_is_what_pytorch3ds_shader_gives(camera, look, style, shader):
    mesh = sphere(look, resolution=24)
    options = {"ambient": 0.3, "diffuse": 0.5, "specular": 0.2, "shininess": 20.0}
    ours = lit(camera, mesh, style, direction=[1.0, 2.0, 3.0], **options)
    # The lamp in the world, by hand: right, up and towards the viewer are the camera's axes.
    centre = camera.get_camera_center()[0]
    towards = centre / centre.norm()
    right = torch.linalg.cross(torch.tensor([0.0, 1, 0]), towards)
    right = right / right.norm()
    up = torch.linalg.cross(towards, right)
    reference = MeshRenderer(
        MeshRasterizer(cameras=camera, raster_settings=RasterizationSettings(image_size=SIZE)),
        shader(
            cameras=camera,
            materials=Materials(shininess=options["shininess"]),
            blend_params=BlendParams(background_color=(0.0, 0.0, 0.0)),
            lights=DirectionalLights(
                direction=(right + 2 * up + 3 * towards)[None],
                ambient_color=((options["ambient"],) * 3,),
                diffuse_color=((options["diffuse"],) * 3,),
                specular_color=((options["specular"],) * 3,),
            ),
        ),
    )
    theirs = reference(mesh)[0, ..., :3].numpy().clip(0, 1)
    # Phong normals that look away from the viewer near the outline are drawn otherwise by none.
    assert (np.abs(ours - theirs).max(axis=-1) > 2e-3).mean() < 0.01


def test_light_from_the_right_brightens_the_right_side_and_the_upper_light_the_top(front):
    x, y = brightest(lit(front, direction=[1, 0, 0.2], specular=0.0))
    assert x > SIZE / 8
    assert abs(y) < 4
    x, y = brightest(lit(front, direction=[0, 1, 0.2], specular=0.0))
    assert y > SIZE / 8
    assert abs(x) < 4


def test_the_lamp_stays_with_the_camera():
    """A plain sphere looks the same from everywhere."""
    pictures = [
        lit(orbit(1, distance=DISTANCE, elevation_deg=e, start_deg=a), direction=[1, 1, 1])
        for e, a in ((0, 0), (35, 120), (-50, 250))
    ]
    for picture in pictures[1:]:
        assert np.abs(picture - pictures[0]).max(axis=-1).mean() < 0.01


def test_a_near_lamp_lights_what_is_before_it(front):
    x, y = brightest(lit(front, location=[1.5, 1.5, 1.0], specular=0.0))
    assert x > 5
    assert y > 5
    facing = lit(front, location=[0, 0, 2.0], ambient=0.0, diffuse=1.0, specular=0.0)
    behind = lit(front, location=[0, 0, -2.0], ambient=0.0, diffuse=1.0, specular=0.0)
    assert facing[SIZE // 2, SIZE // 2].mean() > 0.6
    assert behind.max() < 1e-6


def test_ambient_light_alone_has_no_shade(front):
    inside = lit(front, ambient=0.5, diffuse=0.0, specular=0.0)
    shown = inside[inside.sum(axis=-1) > 0]
    assert np.ptp(shown, axis=0).max() < 1e-6


def test_the_highlight_is_where_a_mirror_would_show_the_lamp(front):
    """From a far lamp at 60 degrees to the viewer's right: at 30 degrees on the sphere."""
    direction = [np.sin(np.radians(60)), 0.0, np.cos(np.radians(60))]
    picture = lit(
        front, direction=direction, ambient=0.0, diffuse=0.0, specular=1.0, shininess=200.0
    )
    x, y = brightest(picture)
    # Seen at a distance of 3 a place at 30 degrees is this far out; the ray to it is slanted, so
    # the mirror's place is a little nearer to the middle.
    focal = SIZE / 2 / np.tan(np.radians(20))
    at_30 = focal * np.sin(np.radians(30)) / (DISTANCE - np.cos(np.radians(30)))
    assert 0.7 * at_30 < x < at_30
    assert abs(y) <= 1


def test_brighter_than_white_is_white(front):
    assert lit(front, ambient=5.0).max() == 1.0


def test_shiny_things_have_smaller_highlights(front):
    def spot(shininess):
        picture = lit(front, ambient=0.0, diffuse=0.0, specular=1.0, shininess=shininess)
        return (picture.mean(axis=-1) > 0.5).sum()

    assert 0 < spot(100.0) < 0.5 * spot(10.0)


def test_the_default_light_neither_burns_out_nor_hides(front):
    picture = lit(front, primitive("sphere"))
    shown = picture[picture.sum(axis=-1) > 0]
    assert (shown.min(axis=-1) > 0.99).mean() < 0.02
    assert (shown.max(axis=-1) < 0.1).mean() < 0.02
