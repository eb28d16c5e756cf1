"""Solids against closed forms, and by what a closed mesh must be."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugins.render.rooms.scenes.panels import ground, panel
from plugins.render.rooms.scenes.solids import (
    Solid,
    box,
    extruded,
    frustum,
    merge,
    prism,
    sphere,
)

LENGTHS = st.floats(0.05, 20)


def volume(solid: Solid) -> float:
    """By Gauss's theorem: positive when normals point outwards."""
    a, b, c = np.moveaxis(solid.vertices[solid.faces], 1, 0)
    return float(np.einsum("fi,fi->", a, np.cross(b, c)) / 6)


def normals(solid: Solid) -> np.ndarray:
    a, b, c = np.moveaxis(solid.vertices[solid.faces], 1, 0)
    cross = np.cross(b - a, c - a)
    return cross / np.linalg.norm(cross, axis=1, keepdims=True)


def is_closed(solid: Solid) -> bool:
    """Each edge is run through once in each direction."""
    edges = np.concatenate([solid.faces[:, [0, 1]], solid.faces[:, [1, 2]], solid.faces[:, [2, 0]]])
    there = {tuple(edge) for edge in edges.tolist()}
    return len(there) == len(edges) and all((b, a) in there for a, b in there)


SOLIDS = {
    "box": box((1, 2, 3)),
    "frustum": frustum((1, 2), (0.5, 0.7), 1.5, shift=(0.1, -0.2)),
    "prism": prism(1, 2, 7),
    "truncated cone": prism(1, 2, 8, top_radius=0.3),
    "cone": prism(1, 2, 5, top_radius=0),
    "outline": extruded([(1, 0), (1, 1), (-1, 1.5), (-2, 0)], 3),
    "outline the other way": extruded([(-2, 0), (-1, 1.5), (1, 1), (1, 0)], 3),
    "icosahedron": sphere(1, subdivisions=0),
    "sphere": sphere(1, subdivisions=2),
}


@pytest.mark.parametrize("solid", SOLIDS.values(), ids=SOLIDS)
def test_a_solid_is_closed_and_its_normals_point_outwards(solid):
    middle = solid.vertices.mean(axis=0)
    outward = (normals(solid) * (solid.vertices[solid.faces].mean(axis=1) - middle)).sum(axis=1)

    assert is_closed(solid)
    assert (outward > 0).all()
    assert volume(solid) > 0


@settings(deadline=None)
@given(size=st.tuples(LENGTHS, LENGTHS, LENGTHS), at=st.tuples(*[st.floats(-50, 50)] * 3))
def test_a_box_has_its_volume_and_stands_on_its_place(size, at):
    solid = box(size, at=at)

    assert volume(solid) == pytest.approx(math.prod(size), rel=1e-6, abs=1e-6)
    assert solid.bounds[0] == pytest.approx([at[0] - size[0] / 2, at[1], at[2] - size[2] / 2])
    assert solid.bounds[1, 1] == pytest.approx(at[1] + size[1])


@settings(deadline=None)
@given(radius=LENGTHS, top=st.floats(0, 20), height=LENGTHS, sides=st.integers(3, 12))
def test_a_truncated_cone_has_its_volume(radius, top, height, sides):
    polygon = sides / 2 * math.sin(2 * math.pi / sides)
    expected = polygon * height / 3 * (radius**2 + radius * top + top**2)

    assert volume(prism(radius, height, sides, top_radius=top)) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("subdivisions", [0, 1, 2, 3])
def test_a_sphere_has_all_corners_at_its_radius_and_four_times_the_faces_a_step(subdivisions):
    solid = sphere(2.5, at=(1, 2, 3), subdivisions=subdivisions)

    assert np.linalg.norm(solid.vertices - (1, 2, 3), axis=1) == pytest.approx(2.5)
    assert len(solid.faces) == 20 * 4**subdivisions


def test_an_outline_drawn_out_has_its_area_times_the_width():
    area = 0.5 * abs(1 * 1 - 1 * 0 + 1 * 1.5 + 1 * 1 + 2 * 1.5)  # shoelace, by hand

    assert volume(SOLIDS["outline"]) == pytest.approx(3 * area)
    assert volume(SOLIDS["outline the other way"]) == pytest.approx(3 * area)


@pytest.mark.parametrize("name", ["box", "frustum", "prism", "outline"])
def test_texture_coordinates_are_in_metres_on_flat_sides(name):
    """A triangle's area in the texture is its area in space, unless the side tapers."""
    solid = SOLIDS[name]
    a, b, c = np.moveaxis(solid.vertices[solid.faces], 1, 0)
    in_space = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    u, v = (solid.uvs[:, 1:] - solid.uvs[:, :1]).transpose(1, 0, 2)
    in_texture = np.abs(u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0])

    ratio = in_texture / in_space
    assert (ratio > 0.99).all()
    assert (ratio < (4 if name == "frustum" else 1.16 if name == "prism" else 1.01)).all()


@pytest.mark.parametrize("side", ["front", "back", "left", "right"])
def test_a_picture_on_an_upright_side_is_neither_mirrored_nor_upside_down(side):
    """Seen from outside, u grows to the right of an upright viewer and v upwards."""
    solid = box((1, 2, 3))
    facing = {"front": (0, 0, 1), "back": (0, 0, -1), "left": (-1, 0, 0), "right": (1, 0, 0)}[side]
    right = np.cross((0, 1, 0), facing)
    (face, *_) = np.flatnonzero(normals(solid) @ facing > 0.99)
    corners, uvs = solid.vertices[solid.faces[face]], solid.uvs[face]

    assert uvs[:, 0] - uvs[0, 0] == pytest.approx((corners - corners[0]) @ right)
    assert uvs[:, 1] - uvs[0, 1] == pytest.approx(corners[:, 1] - corners[0, 1])


def test_a_map_goes_once_round_a_sphere_without_a_jump():
    solid = sphere(1.0, subdivisions=2)

    assert np.ptp(solid.uvs[..., 0], axis=1).max() <= 2 * math.pi / 5 + 1e-9
    assert solid.uvs[..., 1].min() == pytest.approx(0, abs=1e-9)
    assert solid.uvs[..., 1].max() == pytest.approx(math.pi)


def test_a_panel_leaves_its_holes_out_and_faces_forward():
    solid = panel((-3, 3), (0, 2.5), [(-2, -1, 0.8, 2.0), (0.5, 1.4, 0, 2.1)])
    a, b, c = np.moveaxis(solid.vertices[solid.faces], 1, 0)
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2
    middles = solid.vertices[solid.faces].mean(axis=1)

    assert area == pytest.approx(6 * 2.5 - 1 * 1.2 - 0.9 * 2.1)
    assert normals(solid) == pytest.approx(np.tile([0, 0, 1.0], (len(solid.faces), 1)))
    assert not ((abs(middles[:, 0] + 1.5) < 0.5) & (abs(middles[:, 1] - 1.4) < 0.6)).any()


def test_ground_faces_up_where_it_is_asked_for():
    solid = ground((-1, 4), (2, 9))

    assert normals(solid)[:, 1] == pytest.approx(1)
    assert solid.bounds == pytest.approx(np.array([(-1, 0, 2), (4, 0, 9)]))


def test_merged_solids_keep_their_faces_and_texture():
    first, second = box((1, 1, 1)), prism(1, 1, 5, at=(4, 0, 0))
    whole = merge([first, second])

    assert volume(whole) == pytest.approx(volume(first) + volume(second))
    assert (whole.uvs[len(first.faces) :] == second.uvs).all()


def test_sides_left_out_leave_a_hole():
    assert len(box((1, 1, 1), open_sides=("-y", "+x")).faces) == 8
    assert not is_closed(box((1, 1, 1), open_sides=("-y",)))
