"""OBJ files: materials, textures, normals, and what happens when something of them is missing."""

import resource

import numpy as np
import pytest
import torch
from PIL import Image

from labcore.errors import UsageError
from plugins.render.meshes import load_mesh
from plugins.render.meshes.load import load_patches

pytestmark = pytest.mark.ml

QUAD = """mtllib quad.mtl
v -1 -1 0
v 1 -1 0
v 1 1 0
v -1 1 0
vt 0 0
vt 1 0
vt 1 1
vt 0 1
usemtl paper
f 1/1 2/2 3/3 4/4
"""

RED, GREEN, BLUE, WHITE = (1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 1)


@pytest.fixture
def folder(tmp_path, quadrants):
    (tmp_path / "quad.obj").write_text(QUAD)
    (tmp_path / "quad.mtl").write_text("newmtl paper\nKd 1 1 1\nmap_Kd quad.png\n")
    Image.fromarray(quadrants).save(tmp_path / "quad.png")
    return tmp_path


@pytest.fixture
def told():
    return []


def corner_colours(picture):
    """Colours in the middle of the four quarters, in reading order."""
    quarter = picture.shape[0] // 3
    return [
        tuple(picture[y, x].round(1).tolist())
        for y in (quarter, -quarter)
        for x in (quarter, -quarter)
    ]


def test_the_texture_is_the_right_way_up(folder, seen, told):
    mesh = load_mesh(folder / "quad.obj", unit=True, warn=told.append)
    assert corner_colours(seen(mesh)) == [RED, GREEN, BLUE, WHITE]
    assert told == []


def test_without_its_material_file_it_is_shown_plain_with_a_warning(folder, seen, told):
    (folder / "quad.mtl").unlink()
    mesh = load_mesh(folder / "quad.obj", unit=True, warn=told.append)
    (colour,) = set(corner_colours(seen(mesh)))
    assert max(colour) - min(colour) < 0.15  # grey
    assert len(told) == 1
    assert "quad.mtl" in told[0]
    assert "missing" in told[0]


def test_without_its_texture_it_is_shown_plain_with_a_warning(folder, seen, told):
    (folder / "quad.png").unlink()
    (folder / "quad.mtl").write_text("newmtl paper\nKd 0 0 1\nmap_Kd quad.png\n")
    mesh = load_mesh(folder / "quad.obj", unit=True, warn=told.append)
    assert set(corner_colours(seen(mesh))) == {BLUE}  # the material's own colour
    assert len(told) == 1
    assert "quad.png" in told[0]


def test_materials_that_no_file_describes_are_told(folder, told):
    text = QUAD.replace("mtllib quad.mtl\n", "")
    (folder / "quad.obj").write_text(text)
    load_mesh(folder / "quad.obj", warn=told.append)
    assert told == ["quad.obj uses materials (paper) and names no file of them (mtllib)"]


def test_a_plain_file_gives_no_warning(folder, told):
    (folder / "plain.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    load_mesh(folder / "plain.obj", warn=told.append)
    assert told == []


def test_every_material_has_its_colour(folder, seen):
    (folder / "two.mtl").write_text("newmtl left\nKd 1 0 0\nnewmtl right\nKd 0 0 1\n")
    (folder / "two.obj").write_text(
        "mtllib two.mtl\n"
        "v -1 -1 0\nv 0 -1 0\nv 1 -1 0\nv 1 1 0\nv 0 1 0\nv -1 1 0\n"
        "usemtl left\nf 1 2 5 6\nusemtl right\nf 2 3 4 5\n"
    )
    picture = seen(load_mesh(folder / "two.obj", unit=True))
    assert corner_colours(picture) == [RED, BLUE, RED, BLUE]


def test_every_material_has_its_texture_and_a_plain_one_its_colour(folder, seen):
    Image.new("RGB", (3, 5), (0, 255, 0)).save(folder / "green.png")
    Image.new("RGB", (16, 2), (0, 0, 255)).save(folder / "blue.png")
    (folder / "three.mtl").write_text(
        "newmtl a\nmap_Kd green.png\nnewmtl b\nmap_Kd blue.png\nnewmtl c\nKd 1 0 0\n"
    )
    (folder / "three.obj").write_text(
        "mtllib three.mtl\n"
        "v -1 -1 0\nv 0 -1 0\nv 0 0 0\nv -1 0 0\nv 1 -1 0\nv 1 0 0\nv 1 1 0\nv -1 1 0\n"
        "vt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\n"
        "usemtl a\nf 1/1 2/2 3/3 4/4\nusemtl b\nf 2/1 5/2 6/3 3/4\nusemtl c\nf 4 6 7 8\n"
    )
    picture = seen(load_mesh(folder / "three.obj", unit=True))
    assert corner_colours(picture) == [RED, RED, GREEN, BLUE]


def test_a_texture_repeats_where_its_coordinates_leave_the_unit_square(folder, seen):
    tiled = QUAD.replace("vt 1 0", "vt 2 0").replace("vt 1 1", "vt 2 1")
    (folder / "quad.obj").write_text(tiled)
    picture = seen(load_mesh(folder / "quad.obj", unit=True), size=80)
    row = picture[30, 15:65]
    reds = np.flatnonzero(row[:, 0] > 0.9)
    assert (np.diff(reds) > 1).sum() == 1  # red, green, red, green


def test_a_single_material_needs_no_usemtl(folder, seen):
    (folder / "quad.obj").write_text(QUAD.replace("usemtl paper\n", ""))
    assert corner_colours(seen(load_mesh(folder / "quad.obj", unit=True)))[0] == RED


def test_normals_of_the_file_keep_hard_edges_hard(folder):
    """Two sides of a roof share an edge; with the file's normals they do not share its shading."""
    roof = "v -1 0 0\nv 0 1 0\nv 1 0 0\nv -1 0 1\nv 0 1 1\nv 1 0 1\n"
    normals = "vn -1 1 0\nvn 1 1 0\n"
    (folder / "hard.obj").write_text(
        roof + normals + "f 1//1 4//1 5//1 2//1\nf 2//2 5//2 6//2 3//2\n"
    )
    low = roof.replace("v 0 1", "v 0 0.3")
    (folder / "soft.obj").write_text(low + "f 1 4 5 2\nf 2 5 6 3\n")
    hard, soft = load_mesh(folder / "hard.obj"), load_mesh(folder / "soft.obj")
    ridge = torch.tensor([0.0, 1.0, 0.0])
    on_ridge = (hard.verts_packed() == ridge).all(dim=1)
    half = 0.5**0.5
    assert sorted(hard.verts_normals_packed()[on_ridge][:, 0].tolist()) == pytest.approx(
        [-half, half]
    )
    on_ridge = torch.isclose(soft.verts_packed(), 0.3 * ridge).all(dim=1)
    assert soft.verts_normals_packed()[on_ridge].tolist() == [pytest.approx([0, 1, 0], abs=1e-6)]


def test_a_seam_of_the_texture_is_no_seam_of_the_surface(folder):
    """A vertex with two texture places is still one vertex with one normal."""
    (folder / "seam.obj").write_text(
        "mtllib quad.mtl\nusemtl paper\nv -1 0 0\nv 0 1 0\nv 1 0 0\nv 0 0 0.2\n"
        "vt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\nf 1/1 4/2 2/3\nf 4/1 3/2 2/4\n"
    )
    assert len(load_mesh(folder / "seam.obj").verts_packed()) == 4


def test_faces_with_many_corners_and_counted_from_the_end_are_read(folder):
    (folder / "penta.obj").write_text(
        "v 0 0 0\nv 2 0 0\nv 3 1 0\nv 1 2 0\nv -1 1 0\nf -5 -4 -3 -2 -1\n"
    )
    mesh = load_mesh(folder / "penta.obj")
    assert mesh.faces_packed().shape == (3, 3)
    assert float(mesh.faces_areas_packed().sum()) == pytest.approx(5.0)


def test_a_texture_that_is_no_picture_is_told_with_its_name(folder):
    from labcore.errors import UsageError

    (folder / "quad.png").write_bytes(b"not a picture")
    with pytest.raises(UsageError, match=r"quad\.png"):
        load_patches(folder / "quad.obj")


def test_sharp_edges_are_hard_without_normals(folder):
    roof = "v -1 0 0\nv 0 1 0\nv 1 0 0\nv -1 0 1\nv 0 1 1\nv 1 0 1\n"
    (folder / "a.obj").write_text(roof + "f 1 4 5 2\nf 2 5 6 3\n")
    mesh = load_mesh(folder / "a.obj")
    half = 0.5**0.5
    assert sorted(mesh.verts_normals_packed()[:, 0].tolist()) == pytest.approx(
        4 * [-half] + 4 * [half]
    )


def test_index_zero_is_refused_with_its_line(folder):
    (folder / "a.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 0 1 2\n")
    with pytest.raises(UsageError, match="line 4: a face names index 0; OBJ files count from 1"):
        load_mesh(folder / "a.obj")


@pytest.mark.parametrize("face", ["f 1/0/1 2/1/1 3/1/1", "f 1 2 3/0", "f 1 2 0"])
def test_index_zero_is_found_wherever_it_is(folder, face):
    (folder / "a.obj").write_text(f"v 0 0 0\nv 1 0 0\nv 0 1 0\nvt 0 0\nvn 0 0 1\n{face}\n")
    with pytest.raises(UsageError, match="index 0"):
        load_mesh(folder / "a.obj")


TRIANGLE = "v 0 0 0\nv 1 0 0\nv 0 1 0\nvt 0 0\nf 1/1 2/1 3/1\n"


def told_by(path):
    told = []
    load_mesh(path, warn=told.append)
    return " ".join(told)


def test_a_device_as_file_of_materials_is_not_read(folder):
    (folder / "a.obj").write_text("mtllib /dev/zero\nusemtl x\n" + TRIANGLE)
    told = told_by(folder / "a.obj")
    assert "/dev/zero is no regular file; it is shown plain" in told
    assert "names a file outside its folder" in told


def test_a_huge_file_of_materials_is_not_read(folder):
    with (folder / "a.mtl").open("wb") as stream:
        stream.truncate(5_000_000)
    (folder / "a.obj").write_text("mtllib a.mtl\nusemtl x\n" + TRIANGLE)
    assert "too large for a file of materials" in told_by(folder / "a.obj")


def test_a_file_outside_the_folder_is_read_with_a_warning(folder):
    inside = folder / "inside"
    inside.mkdir()
    (folder / "a.mtl").write_text("newmtl x\nKd 1 0 0\n")
    (inside / "a.obj").write_text("mtllib ../a.mtl\nusemtl x\n" + TRIANGLE)
    mesh_told = told_by(inside / "a.obj")
    assert "names a file outside its folder: ../a.mtl" in mesh_told
    assert load_mesh(inside / "a.obj").textures.verts_features_packed()[0].tolist() == [1, 0, 0]


def test_a_picture_bomb_is_known_by_its_header(folder):
    Image.new("1", (9000, 9000)).save(folder / "bomb.png")
    (folder / "a.mtl").write_text("newmtl x\nmap_Kd bomb.png\n")
    (folder / "a.obj").write_text("mtllib a.mtl\nusemtl x\n" + TRIANGLE)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert "bomb.png has 9,000 x 9,000 pixels" in told_by(folder / "a.obj")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # KiB
