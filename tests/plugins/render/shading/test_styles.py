"""Every way to draw, of a mesh with a texture, with vertex colours, and with nothing."""

import colorsys

import numpy as np
import pytest
import torch
from matplotlib import colormaps
from pytorch3d.structures import Meshes

from plugins.render.cameras import orbit
from plugins.render.config.scene import STYLES, LightConfig
from plugins.render.meshes import primitive
from plugins.render.shading import COLOUR_MAP, render

from .conftest import DISTANCE, LOOKS, SIZE, Sphere, sphere

pytestmark = pytest.mark.ml

WHITE_LIGHT = LightConfig(ambient=1.0, diffuse=0.0, specular=0.0)
BEHIND = (0.0, 0.4, 0.0)


def draw(mesh, camera, style, **options):
    options = {"image_size": SIZE, "background": BEHIND, **options}
    return render(mesh, camera, style=style, **options)[0].numpy()


def differs(picture, colour):
    return np.abs(picture - np.array(colour)).max(axis=-1) > 0.02


def decoded(picture, near, far):
    """Depth from its colours: the nearest entry of matplotlib's table."""
    table = colormaps[COLOUR_MAP](np.linspace(0, 1, 256))[:, :3]
    index = np.abs(picture[..., None, :] - table).sum(axis=-1).argmin(axis=-1)
    return far - (far - near) * index / 255


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("look", LOOKS)
def test_the_sphere_covers_its_disc_and_the_background_the_rest(camera, exact, style, look):
    picture = draw(sphere(look), camera, style)
    assert picture.shape == (SIZE, SIZE, 3)
    assert 0 <= picture.min() <= picture.max() <= 1
    assert not differs(picture[exact.outside], BEHIND).any()
    covered = differs(picture, BEHIND)
    assert covered[exact.inside].all()
    assert covered.sum() == pytest.approx(exact.area_px, rel=0.02)


@pytest.mark.parametrize("look", LOOKS)
def test_depth_is_that_of_the_sphere(camera, exact, look):
    picture = draw(sphere(look), camera, "depth", depth_range=(2.0, 3.0))
    depth = decoded(picture, 2.0, 3.0)
    error = np.abs(depth - exact.depth)[exact.inside]
    # Half a step of the colours, and the facets, which are at most 0.0005 inside the sphere.
    assert error.max() < 0.5 / 255 + 0.004


@pytest.mark.parametrize("look", LOOKS)
def test_normals_are_those_of_the_sphere(camera, exact, look):
    picture = draw(sphere(look), camera, "normals")
    normals = (picture * 2 - 1)[exact.inside]
    cosine = (normals * exact.normals[exact.inside]).sum(axis=-1)
    degrees = np.degrees(np.arccos(cosine.clip(-1, 1)))
    assert degrees.mean() < 0.5
    assert degrees.max() < 2.0


@pytest.mark.parametrize("look", LOOKS)
def test_a_silhouette_is_of_one_colour_that_stands_out(camera, exact, look):
    black = draw(sphere(look), camera, "silhouette", background=(1, 1, 1))
    white = draw(sphere(look), camera, "silhouette", background=(0, 0, 0))
    assert (black[exact.inside] == 0).all()
    assert (white[exact.inside] == 1).all()


@pytest.mark.parametrize("style", ["phong", "flat"])
def test_vertex_colours_keep_their_hue_under_light(camera, exact, style):
    light = LightConfig(specular=0.0)
    inside = draw(sphere("vertex colours"), camera, style, light=light)[exact.inside]
    assert np.allclose(inside[:, 1] / inside[:, 0], 1 / 9, atol=0.01)
    assert inside[:, 0].max() > 1.3 * inside[:, 0].min()


@pytest.mark.parametrize("style", ["phong", "flat"])
def test_a_plain_mesh_is_grey(camera, exact, style):
    inside = draw(sphere("plain"), camera, style)[exact.inside]
    assert np.ptp(inside, axis=-1).max() < 0.06
    assert inside.min() > 0.2


@pytest.mark.parametrize("style", ["phong", "flat"])
@pytest.mark.parametrize("azimuth", [0, 50, 155, 300])
def test_the_texture_has_the_hue_of_the_place_that_is_seen(style, azimuth):
    """The squares' hues go once round the sphere; the middle pixel sees one from each side."""
    camera = orbit(1, distance=DISTANCE, elevation_deg=10, start_deg=azimuth + 15)
    picture = draw(sphere("textured"), camera, style, light=LightConfig(specular=0.0))
    column = int((azimuth + 15) / 30)
    hue = colorsys.rgb_to_hsv(*picture[SIZE // 2, SIZE // 2])[0]
    assert hue == pytest.approx(column / 12, abs=0.02)


def test_flat_shading_has_one_brightness_a_face_and_phong_many(camera):
    mesh = sphere("plain", resolution=12)
    light = LightConfig(specular=0.0)
    faceted = draw(mesh, camera, "flat", light=light)
    smooth = draw(mesh, camera, "phong", light=light)
    count = [len(np.unique(p.reshape(-1, 3).round(4), axis=0)) for p in (faceted, smooth)]
    assert count[0] <= len(mesh.faces_packed()) + 1
    assert count[1] > 5 * count[0]


@pytest.mark.parametrize("look", LOOKS)
def test_a_wireframe_has_dark_lines_over_a_pale_surface(camera, exact, look):
    mesh = sphere(look, resolution=12)
    lines = draw(mesh, camera, "wireframe", background=(1, 1, 1)).mean(axis=-1)[exact.inside]
    assert 0.05 < (lines < 0.4).mean() < 0.5
    assert (lines > 0.75).mean() > 0.3


def test_lines_of_a_wireframe_are_on_the_edges_and_as_wide_as_they_should_be():
    corners = torch.tensor([[[-0.8, -0.7, 0.0], [0.8, -0.7, 0.0], [0.0, 0.8, 0.0]]])
    triangle = Meshes(verts=corners, faces=torch.tensor([[[0, 1, 2]]]))
    camera = orbit(1, distance=DISTANCE, elevation_deg=0)
    picture = draw(triangle, camera, "wireframe", background=(1, 1, 1)).mean(axis=-1)
    on_screen = camera.transform_points_screen(corners, image_size=((SIZE, SIZE),))[0, :, :2]
    a, b = on_screen.numpy(), np.roll(on_screen.numpy(), -1, axis=0)
    x, y = np.meshgrid(np.arange(SIZE) + 0.5, np.arange(SIZE) + 0.5)
    # Signed distance of a pixel's centre to each side, positive inside.
    along = (b - a) / np.linalg.norm(b - a, axis=1, keepdims=True)
    gap = np.stack([(x - p[0]) * -d[1] + (y - p[1]) * d[0] for p, d in zip(a, along, strict=True)])
    gap = (gap * np.sign(gap[:, SIZE // 2, SIZE // 2])[:, None, None]).min(axis=0)
    inked = picture < 0.5
    assert inked[(gap > 0.05) & (gap < 0.5)].all()
    assert not inked[gap > 1.5].any()
    assert not inked[gap < 0].any()


def test_edges_that_a_nearer_face_hides_are_not_drawn():
    near = [[-1.0, -1, 0.2], [1.1, -1, 0.2], [1.1, 1, 0.2], [-1, 1, 0.2]]
    far = [[-0.2, -0.2, -0.2], [0.2, -0.2, -0.2], [0.0, 0.3, -0.2]]
    vertices, faces = torch.tensor([near + far]), torch.tensor([[[0, 1, 2], [0, 2, 3], [4, 5, 6]]])
    camera = orbit(1, distance=DISTANCE, elevation_deg=0)
    both = draw(Meshes(verts=vertices, faces=faces), camera, "wireframe")
    alone = draw(Meshes(verts=vertices[:, :4], faces=faces[:, :2]), camera, "wireframe")
    assert np.array_equal(both, alone)


def test_a_surface_is_lit_from_both_sides():
    plane = primitive("plane", textured=False)
    light = LightConfig(direction=[0, 0, 1], ambient=0.2, diffuse=0.8, specular=0.0)
    for style in ("phong", "flat", "normals"):
        above, below = (
            draw(plane, orbit(1, distance=DISTANCE, elevation_deg=e), style, light=light)
            for e in (60, -60)
        )
        middle = SIZE // 2
        if style == "normals":
            assert above[middle, middle, 2] > 0.5 < below[middle, middle, 2]
        else:
            assert np.allclose(above[middle, middle], below[middle, middle], atol=0.02)
            assert above[middle, middle].mean() > 0.6


def test_depth_is_measured_along_the_view_axis_and_not_along_the_ray(exact):
    """A wall before the camera has one depth, in its corners too."""
    corners = torch.tensor([[[-9.0, -9, 0], [9, -9, 0], [9, 9, 0], [-9, 9, 0]]])
    wall = Meshes(verts=corners, faces=torch.tensor([[[0, 1, 2], [0, 2, 3]]]))
    camera = orbit(1, distance=DISTANCE, elevation_deg=0)
    picture = draw(wall, camera, "depth", depth_range=(2.0, 4.0))
    assert np.ptp(decoded(picture, 2.0, 4.0)) < 0.01


def test_depth_without_a_range_uses_all_colours(camera, exact):
    picture = draw(sphere("plain"), camera, "depth")
    depth = decoded(picture, 0.0, 1.0)[exact.hit & differs(picture, BEHIND)]
    assert depth.min() == 0
    assert depth.max() == 1


@pytest.mark.parametrize("style", STYLES)
def test_both_rasterizers_give_the_same_picture(camera, style):
    mesh = primitive("torus", resolution=16)
    ours, theirs = (
        draw(mesh, camera, style, image_size=40, backend=backend)
        for backend in ("torch", "pytorch3d")
    )
    differing = np.abs(ours - theirs).max(axis=-1) > 1e-3
    assert differing.mean() < 0.005


def test_nothing_in_sight_is_all_background(camera):
    away = Meshes(
        verts=torch.tensor([[[50.0, 0, 0], [51, 0, 0], [50, 1, 0]]]),
        faces=torch.tensor([[[0, 1, 2]]]),
    )
    for style in STYLES:
        assert not differs(draw(away, camera, style), BEHIND).any()


def test_a_cube_seen_from_the_front_has_no_crack_along_its_diagonals():
    """The centres of the pixels there are on an edge of two faces, to the last bit."""
    camera = orbit(1, distance=DISTANCE, elevation_deg=0)
    picture = draw(primitive("cube"), camera, "silhouette", background=(1, 1, 1))[..., 0]
    rows, columns = np.nonzero(picture == 0)
    assert len(rows) == (np.ptp(rows) + 1) * (np.ptp(columns) + 1)


def test_a_reference_to_the_analytic_sphere_holds_at_another_size():
    """Half as many pixels: a quarter of the area (the oracle itself is no function of the size)."""
    assert Sphere(48).hit.sum() == pytest.approx(Sphere(96).hit.sum() / 4, rel=0.02)
