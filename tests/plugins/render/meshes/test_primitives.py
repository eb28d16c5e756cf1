"""The computed shapes, against formulas and against trimesh's idea of a solid."""

import math

import numpy as np
import pytest
import torch
import trimesh

from plugins.render.config.scene import PRIMITIVES
from plugins.render.meshes import primitive

pytestmark = pytest.mark.ml

# Volume and area in the ball of radius 1 that each fits into.
_HALF = 1 / math.sqrt(3)
_ROUND = 1 / math.sqrt(2)  # of a cylinder or cone as high as it is wide, the radius
_RING = 1 / 1.42  # of the torus, from its middle to the middle of its tube
EXACT = {
    "sphere": (4 / 3 * math.pi, 4 * math.pi),
    "cube": ((2 * _HALF) ** 3, 6 * (2 * _HALF) ** 2),
    "cylinder": (2 * math.pi * _ROUND**3, 6 * math.pi * _ROUND**2),
    "cone": (2 / 3 * math.pi * _ROUND**3, (1 + math.sqrt(5)) * math.pi * _ROUND**2),
    "torus": (
        2 * math.pi**2 * _RING * (0.42 * _RING) ** 2,
        4 * math.pi**2 * _RING * 0.42 * _RING,
    ),
}


def solid(mesh):
    """The same shape for trimesh, vertices in one place joined to one."""
    found = trimesh.Trimesh(
        mesh.verts_packed().double().numpy(), mesh.faces_packed().numpy(), process=False
    )
    found.merge_vertices(merge_tex=True, merge_norm=True, digits_vertex=5)
    return found


@pytest.mark.parametrize("name", PRIMITIVES)
def test_it_fits_the_ball_of_radius_one_and_fills_it(name):
    vertices = primitive(name).verts_packed()
    assert float(vertices.norm(dim=1).max()) == pytest.approx(1, abs=1e-5)
    middle = (vertices.max(dim=0).values + vertices.min(dim=0).values) / 2
    assert torch.allclose(middle, torch.zeros(3), atol=1e-5)


@pytest.mark.parametrize("name", sorted(EXACT))
def test_volume_and_area_are_those_of_the_formula(name):
    found = solid(primitive(name, resolution=160))
    volume, area = EXACT[name]
    assert found.volume == pytest.approx(volume, rel=3e-3)
    assert found.area == pytest.approx(area, rel=3e-3)


@pytest.mark.parametrize("name", [name for name in PRIMITIVES if name != "plane"])
def test_it_is_closed_and_its_faces_look_outwards(name):
    found = solid(primitive(name))
    assert found.is_watertight
    assert found.is_winding_consistent
    assert found.volume > 0


def test_the_plane_looks_up():
    normals = primitive("plane").faces_normals_packed()
    assert torch.allclose(normals, torch.tensor([0.0, 1, 0]).expand_as(normals))


@pytest.mark.parametrize("name", PRIMITIVES)
def test_a_texture_stays_in_its_picture_and_is_not_stretched_over_a_seam(name):
    textures = primitive(name).textures
    uvs = textures.verts_uvs_padded()[0]
    assert 0 <= float(uvs.min()) <= float(uvs.max()) <= 1
    corners = uvs[textures.faces_uvs_padded()[0]]
    # No triangle spans more than a square of the pattern.
    assert float((corners.amax(dim=1) - corners.amin(dim=1)).max()) < 0.26


def test_it_can_be_plain(seen):
    picture = seen(primitive("sphere", textured=False))
    shown = picture[picture.sum(axis=-1) > 0]
    assert np.ptp(shown, axis=0).max() < 1e-5


def test_textured_it_is_seen_to_turn(seen):
    shown = seen(primitive("sphere"))
    colourful = np.ptp(shown, axis=-1) > 0.3
    assert colourful.mean() > 0.1


@pytest.mark.parametrize(("name", "resolution"), [("ball", 48), ("sphere", 3)])
def test_what_there_is_not_is_refused(name, resolution):
    with pytest.raises(ValueError, match="use"):
        primitive(name, resolution=resolution)
