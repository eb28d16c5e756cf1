"""PLY, glTF, STL and OFF files."""

import json
import os

import numpy as np
import pytest
import torch
import trimesh
from PIL import Image

from labcore.errors import UsageError
from plugins.render.meshes import load_mesh
from plugins.render.meshes.load import load_patches

pytestmark = pytest.mark.ml

CORNERS = np.array([[-1.0, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]])
FACES = np.array([[0, 1, 2], [0, 2, 3]])
UVS = np.array([[0.0, 0], [1, 0], [1, 1], [0, 1]])

PLY = """ply
format ascii 1.0
{comment}element vertex 4
property float x
property float y
property float z
{extra}element face 2
property list uchar int vertex_indices
end_header
{rows}
3 0 1 2
3 0 2 3
"""


def ply(path, extra="", values=("", "", "", ""), comment=""):
    rows = [f"{x} {y} {z} {value}" for (x, y, z), value in zip(CORNERS, values, strict=True)]
    path.write_text(PLY.format(comment=comment, extra=extra, rows="\n".join(rows)))
    return path


def textured(picture):
    material = trimesh.visual.material.PBRMaterial(baseColorTexture=Image.fromarray(picture))
    visual = trimesh.visual.TextureVisuals(uv=UVS, material=material)
    return trimesh.Trimesh(CORNERS, FACES, visual=visual, process=False)


def test_vertex_colours_of_a_ply_are_shown(tmp_path, seen):
    extra = "property uchar red\nproperty uchar green\nproperty uchar blue\n"
    path = ply(tmp_path / "a.ply", extra, ("255 0 0", "255 0 0", "0 0 255", "0 0 255"))
    picture = seen(load_mesh(path, unit=True))
    assert picture[30, 20, 0] > 0.7 > 0.3 > picture[30, 20, 2]  # red below
    assert picture[10, 20, 2] > 0.7 > 0.3 > picture[10, 20, 0]  # blue above


def test_the_texture_of_a_ply_is_the_right_way_up(tmp_path, seen, quadrants):
    Image.fromarray(quadrants).save(tmp_path / "a.png")
    extra = "property float s\nproperty float t\n"
    uvs = [f"{u} {v}" for u, v in UVS]
    path = ply(tmp_path / "a.ply", extra, uvs, "comment TextureFile a.png\n")
    picture = seen(load_mesh(path, unit=True))
    assert picture[13, 13].tolist() == pytest.approx([1, 0, 0], abs=0.05)
    assert picture[27, 13].tolist() == pytest.approx([0, 0, 1], abs=0.05)


def test_a_ply_whose_texture_is_missing_is_shown_plain_with_a_warning(tmp_path, seen):
    told = []
    extra = "property float s\nproperty float t\n"
    uvs = [f"{u} {v}" for u, v in UVS]
    path = ply(tmp_path / "a.ply", extra, uvs, "comment TextureFile gone.png\n")
    picture = seen(load_mesh(path, unit=True, warn=told.append))
    assert picture[20, 20].min() > 0.5
    assert len(told) == 1
    assert "gone.png" in told[0]


def test_a_ply_without_faces_is_a_cloud_with_its_colours(tmp_path):
    points = np.random.default_rng(0).normal(size=(50, 3))
    colours = np.tile(np.array([[10, 200, 30, 255]], dtype=np.uint8), (50, 1))
    trimesh.PointCloud(points, colors=colours).export(tmp_path / "a.ply")
    (patch,) = load_patches(tmp_path / "a.ply")
    assert len(patch.faces) == 0
    assert np.allclose(patch.vertices, points, atol=1e-6)
    assert np.allclose(patch.colours, np.array([10, 200, 30]) / 255)


def test_the_texture_of_a_glb_is_the_right_way_up(tmp_path, seen, quadrants):
    textured(quadrants).export(tmp_path / "a.glb")
    picture = seen(load_mesh(tmp_path / "a.glb", unit=True))
    assert picture[13, 13].tolist() == pytest.approx([1, 0, 0], abs=0.05)
    assert picture[27, 27].tolist() == pytest.approx([1, 1, 1], abs=0.05)


def test_the_parts_of_a_glb_are_where_its_scene_has_them(tmp_path, seen, quadrants):
    scene = trimesh.Scene()
    red = trimesh.creation.box(extents=(0.5, 0.5, 0.5))
    red.visual.vertex_colors = [255, 0, 0, 255]
    scene.add_geometry(red, transform=trimesh.transformations.translation_matrix([-1, 0, 0]))
    blue = red.copy()
    blue.visual.vertex_colors = [0, 0, 255, 255]
    scene.add_geometry(blue, transform=trimesh.transformations.translation_matrix([1, 0, 0]))
    scene.export(tmp_path / "a.glb")
    picture = seen(load_mesh(tmp_path / "a.glb", unit=True))
    assert picture[20, 8].tolist() == pytest.approx([1, 0, 0], abs=0.05)
    assert picture[20, 31].tolist() == pytest.approx([0, 0, 1], abs=0.05)
    assert picture[20, 20].tolist() == [0, 0, 0]


def test_a_mirrored_part_of_a_glb_is_not_inside_out(tmp_path):
    scene = trimesh.Scene()
    mirror = np.diag([-1.0, 1, 1, 1])
    scene.add_geometry(trimesh.creation.icosphere(subdivisions=1), transform=mirror)
    scene.export(tmp_path / "a.glb")
    mesh = load_mesh(tmp_path / "a.glb")
    a, b, c = mesh.verts_packed()[mesh.faces_packed()].unbind(dim=1)
    volume = (a * torch.linalg.cross(b, c)).sum() / 6
    assert float(volume) > 3  # a ball's is 4.19; inside out it is negative
    outwards = (mesh.verts_normals_packed() * mesh.verts_packed()).sum(dim=1)
    assert float(outwards.min()) > 0.9


def test_the_plain_colour_of_a_glb_is_shown_as_other_programs_show_it(tmp_path, seen):
    material = trimesh.visual.material.PBRMaterial(baseColorFactor=[55, 55, 55, 255])
    visual = trimesh.visual.TextureVisuals(uv=UVS, material=material)
    trimesh.Trimesh(CORNERS, FACES, visual=visual, process=False).export(tmp_path / "a.glb")
    picture = seen(load_mesh(tmp_path / "a.glb", unit=True))
    # Linear 0.2157 is 0.5028 in sRGB.
    assert picture[20, 20].tolist() == pytest.approx([0.503] * 3, abs=0.01)


@pytest.mark.parametrize("there", [True, False])
def test_a_texture_beside_a_gltf_is_shown_or_told_to_be_missing(tmp_path, seen, quadrants, there):
    for name, content in textured(quadrants).export(file_type="gltf").items():
        (tmp_path / name).write_bytes(content)
    scene = json.loads((tmp_path / "model.gltf").read_text())
    scene["images"] = [{"uri": "wood.png"}]
    (tmp_path / "model.gltf").write_text(json.dumps(scene))
    if there:
        Image.fromarray(quadrants).save(tmp_path / "wood.png")
    told = []
    picture = seen(load_mesh(tmp_path / "model.gltf", unit=True, warn=told.append))
    red = picture[13, 13].tolist() == pytest.approx([1, 0, 0], abs=0.05)
    assert red == there
    assert ["wood.png" in text for text in told] == [True] * (not there)


@pytest.mark.parametrize("suffix", ["stl", "off", "ply", "glb", "obj"])
def test_a_shape_keeps_its_area_in_every_format(tmp_path, suffix):
    box = trimesh.creation.box(extents=(1, 2, 3))
    box.export(tmp_path / f"a.{suffix}")
    mesh = load_mesh(tmp_path / f"a.{suffix}")
    assert float(mesh.faces_areas_packed().sum()) == pytest.approx(22.0, rel=1e-5)


@pytest.mark.parametrize("suffix", ["PLY", "Obj"])
def test_the_suffix_may_be_in_capitals(tmp_path, suffix):
    trimesh.creation.box().export(tmp_path / f"a.{suffix.lower()}")
    (tmp_path / f"a.{suffix.lower()}").rename(tmp_path / f"a.{suffix}")
    assert len(load_mesh(tmp_path / f"a.{suffix}").faces_packed()) == 12


@pytest.mark.parametrize("with_normals", [True, False])
def test_a_glb_without_normals_is_flat_and_one_with_them_is_smooth(tmp_path, with_normals):
    sphere = trimesh.creation.icosphere(subdivisions=1)
    sphere.export(tmp_path / "a.glb", include_normals=with_normals)
    mesh = load_mesh(tmp_path / "a.glb")
    corners, faces = mesh.verts_packed(), mesh.faces_packed()
    normals = mesh.verts_normals_packed()
    radial = torch.nn.functional.normalize(corners, dim=1)
    of_faces = mesh.faces_normals_packed()
    if with_normals:
        assert torch.allclose(normals, radial, atol=0.02)
        assert len(corners) == 42
    else:
        expected = of_faces[torch.arange(len(faces)).repeat_interleave(3)]
        assert torch.allclose(normals[faces.flatten()], expected, atol=1e-5)
        assert len(corners) == 3 * len(faces)


def test_a_texture_that_is_a_device_is_refused(tmp_path):
    comment = "comment TextureFile /dev/zero\n"
    extra = "property float s\nproperty float t\n"
    path = ply(tmp_path / "a.ply", extra, [f"{u} {v}" for u, v in UVS], comment)
    with pytest.raises(UsageError, match="/dev/zero is no regular file"):
        load_mesh(path)


def test_a_picture_bomb_inside_a_glb_is_refused(tmp_path):
    picture = Image.new("1", (5000, 5000))
    material = trimesh.visual.material.PBRMaterial(baseColorTexture=picture)
    visual = trimesh.visual.TextureVisuals(uv=UVS, material=material)
    trimesh.Trimesh(CORNERS, FACES, visual=visual, process=False).export(tmp_path / "a.glb")
    with pytest.raises(UsageError, match="5,000 x 5,000 pixels"):
        load_mesh(tmp_path / "a.glb")


def test_a_pipe_is_no_mesh(tmp_path):
    os.mkfifo(tmp_path / "a.obj")
    with pytest.raises(UsageError, match="no regular file"):
        load_mesh(tmp_path / "a.obj")
