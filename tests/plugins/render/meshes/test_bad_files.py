"""Files that cannot be shown: one message that says what is wrong with which file."""

import pytest

from labcore.errors import UsageError
from plugins.render.meshes import load_mesh

pytestmark = pytest.mark.ml

TRIANGLE = "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n"
PLY = """ply
format ascii 1.0
element vertex 3
property float x
property float y
property float z
element face 1
property list uchar int vertex_indices
end_header
0 0 0
1 0 0
{last}
3 0 1 {index}
"""


def problem(path):
    with pytest.raises(UsageError) as caught:
        load_mesh(path)
    assert path.name in str(caught.value)
    assert caught.value.exit_code == 2
    assert caught.value.fix
    return str(caught.value)


def test_a_missing_file_gets_the_nearest_name_in_its_folder(tmp_path):
    (tmp_path / "teapot.obj").write_text(TRIANGLE)
    assert "did you mean teapot.obj?" in problem(tmp_path / "teapto.obj")


def test_a_missing_folder_is_told_too(tmp_path):
    assert "there is no file" in problem(tmp_path / "no" / "a.obj")


def test_a_folder_is_told_with_the_meshes_in_it(tmp_path):
    (tmp_path / "teapot.obj").write_text(TRIANGLE)
    assert "is a folder; it holds teapot.obj" in problem(tmp_path)


def test_another_kind_of_file_gets_the_nearest_suffix(tmp_path):
    (tmp_path / "a.objj").write_text(TRIANGLE)
    told = problem(tmp_path / "a.objj")
    assert "did you mean .obj?" in told
    assert "OBJ, PLY, GLB" in told


def test_a_file_without_suffix_is_told(tmp_path):
    (tmp_path / "mesh").write_text(TRIANGLE)
    assert "a file without suffix" in problem(tmp_path / "mesh")


@pytest.mark.parametrize("suffix", ["obj", "ply", "glb", "stl"])
def test_an_empty_file_is_told(tmp_path, suffix):
    (tmp_path / f"a.{suffix}").touch()
    assert "is empty" in problem(tmp_path / f"a.{suffix}")


@pytest.mark.parametrize("suffix", ["ply", "glb", "gltf", "off"])
def test_a_file_of_rubbish_is_told(tmp_path, suffix):
    (tmp_path / f"a.{suffix}").write_bytes(b"\x89rubbish\n" * 40)
    assert f"cannot be read as {suffix.upper()}" in problem(tmp_path / f"a.{suffix}")


def test_an_obj_with_a_broken_line_is_told(tmp_path):
    (tmp_path / "a.obj").write_text("v 0 zero 0\n" + TRIANGLE)
    assert "cannot be read as OBJ" in problem(tmp_path / "a.obj")


def test_an_obj_with_nothing_in_it_is_told(tmp_path):
    (tmp_path / "a.obj").write_text("# nothing\n")
    assert "has no vertices" in problem(tmp_path / "a.obj")


def test_an_obj_without_faces_is_told(tmp_path):
    (tmp_path / "a.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\n")
    assert "has 3 vertices and no faces" in problem(tmp_path / "a.obj")


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
def test_an_obj_with_a_vertex_that_is_no_number_is_told(tmp_path, value):
    (tmp_path / "a.obj").write_text(TRIANGLE.replace("v 1 0 0", f"v {value} 0 0"))
    assert "1 of 3 vertices are not finite numbers" in problem(tmp_path / "a.obj")


def test_a_ply_with_a_vertex_that_is_no_number_is_told(tmp_path):
    (tmp_path / "a.ply").write_text(PLY.format(last="0 nan 0", index=2))
    assert "1 of 3 vertices are not finite numbers" in problem(tmp_path / "a.ply")


def test_an_obj_whose_face_names_no_vertex_is_told(tmp_path):
    (tmp_path / "a.obj").write_text(TRIANGLE.replace("f 1 2 3", "f 1 2 9"))
    assert "vertex" in problem(tmp_path / "a.obj")


def test_a_ply_whose_face_names_no_vertex_is_told(tmp_path):
    (tmp_path / "a.ply").write_text(PLY.format(last="0 1 0", index=7))
    assert "a face names a vertex that the file does not have" in problem(tmp_path / "a.ply")


def test_a_mesh_of_one_place_is_told(tmp_path):
    (tmp_path / "a.obj").write_text("v 1 2 3\nv 1 2 3\nv 1 2 3\nf 1 2 3\n")
    assert "all its vertices are in one place" in problem(tmp_path / "a.obj")
