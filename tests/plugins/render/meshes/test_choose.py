"""What the ``mesh.`` options choose, and its place and size."""

import types

import numpy as np
import pytest
import torch
import trimesh
from PIL import Image
from pytorch3d.structures import Meshes, Pointclouds

from labcore.errors import RequirementError, UsageError
from plugins.render.config.scene import MeshConfig
from plugins.render.meshes import chosen_mesh, chosen_thing
from plugins.render.packaged import MEMBERS, PACKAGED, prepare

pytestmark = pytest.mark.ml


class FakeRun:
    """As much of a run as choosing a mesh looks at."""

    def __init__(self, models=None, **options):
        self.config = types.SimpleNamespace(mesh=MeshConfig(**options), seed=3)
        self.device = types.SimpleNamespace(torch_device="cpu")
        self.said = []
        self._models = models

    def say(self, text, level="info"):
        self.said.append((level, text))

    def dataset(self, name):
        assert name == "models"
        if self._models is None:
            raise RequirementError("no network", fix="plug it in")
        return self._models


@pytest.fixture
def models(tmp_path):
    """The dataset as it is made from the package: a picture and a triangle for each model."""
    raw, out = tmp_path / "raw", tmp_path / "out"
    for member in MEMBERS:
        path = raw / member
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".png":
            Image.new("RGB", (4, 4), (250, 200, 10)).save(path)
        else:
            path.write_text(
                "mtllib gone.mtl\nv 0 0 0\nv 2 0 0\nv 0 2 0\nvt 0 0\nvt 1 0\nvt 0 1\n"
                "usemtl None\nf 1/1 2/2 3/3\n"
            )
    out.mkdir()
    prepare(None, raw, out)
    return out


@pytest.mark.parametrize("name", PACKAGED)
def test_a_packaged_model_has_its_texture_and_gives_no_warning(models, seen, name):
    run = FakeRun(models, name=name)
    picture = seen(chosen_mesh(run))
    shown = picture[picture.sum(axis=-1) > 0]
    assert shown.mean(axis=0).tolist() == pytest.approx([250 / 255, 200 / 255, 10 / 255], abs=0.01)
    assert run.said == []


def test_without_a_network_it_says_what_can_be_shown_all_the_same():
    with pytest.raises(RequirementError, match="the model duck is not here: no network") as caught:
        chosen_mesh(FakeRun())
    assert "plug it in; or show what needs no network: mesh.name=torus" in caught.value.fix
    assert isinstance(chosen_mesh(FakeRun(name="torus")), Meshes)


def test_a_file_is_moved_and_scaled_to_the_ball_of_radius_one(tmp_path):
    # Far from the origin, as surveyors' files have it.
    corners = [
        f"v {1e6 + x} {-2e6 + y} {5e5 + z}" for x in (0, 0.1) for y in (0, 0.2) for z in (0, 0.3)
    ]
    (tmp_path / "a.obj").write_text("\n".join([*corners, "f 1 2 3", "f 6 7 8"]))
    vertices = chosen_mesh(FakeRun(path=str(tmp_path / "a.obj"))).verts_packed()
    half = np.array([1, 2, 3]) / np.sqrt(14)
    assert np.abs(np.abs(vertices.numpy()) - half).max() < 1e-6


def test_a_file_with_z_up_is_turned(tmp_path):
    (tmp_path / "a.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 0 9\nf 1 2 3\n")
    vertices = chosen_mesh(FakeRun(path=str(tmp_path / "a.obj"), up="z")).verts_packed()
    assert float(vertices[:, 1].max() - vertices[:, 1].min()) > 1.9  # the long side is upright
    run = FakeRun(path=str(tmp_path / "a.obj"))
    assert float(chosen_mesh(run).verts_packed()[:, 1].abs().max()) < 1e-6


def test_warnings_about_a_file_are_said_by_the_run(tmp_path):
    (tmp_path / "a.obj").write_text("mtllib gone.mtl\nv 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    run = FakeRun(path=str(tmp_path / "a.obj"))
    chosen_mesh(run)
    ((level, text),) = run.said
    assert level == "warning"
    assert "gone.mtl" in text


@pytest.fixture
def cloud(tmp_path):
    points = np.random.default_rng(0).normal(size=(500, 3)) * [1, 5, 1]
    trimesh.PointCloud(points).export(tmp_path / "cloud.ply")
    return str(tmp_path / "cloud.ply")


def test_a_ply_without_faces_is_a_cloud_coloured_by_height(cloud):
    thing = chosen_thing(FakeRun(path=cloud))
    assert isinstance(thing, Pointclouds)
    points, colours = thing.points_packed(), thing.features_packed()
    assert float(points.norm(dim=1).max()) == pytest.approx(1, abs=1e-5)
    top, bottom = colours[points[:, 1].argmax()], colours[points[:, 1].argmin()]
    assert top[0] > bottom[0] + 0.5  # orange above, blue below
    assert bottom[2] > top[2] + 0.5


def test_a_cloud_can_be_thinned_the_same_way_every_time(cloud):
    first, again = (chosen_thing(FakeRun(path=cloud, as_points=50)) for _ in range(2))
    assert len(first.points_packed()) == 50
    assert torch.equal(first.points_packed(), again.points_packed())


def test_a_cloud_is_no_mesh(cloud):
    with pytest.raises(UsageError, match="no faces"):
        chosen_mesh(FakeRun(path=cloud))


def test_an_obj_without_faces_is_an_error_and_no_cloud(tmp_path):
    (tmp_path / "a.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\n")
    with pytest.raises(UsageError, match="no faces"):
        chosen_thing(FakeRun(path=str(tmp_path / "a.obj")))


def test_points_of_a_mesh_lie_on_it_with_its_colours_and_the_same_every_time():
    first, again = (chosen_thing(FakeRun(name="sphere", as_points=400)) for _ in range(2))
    points = first.points_packed()
    assert points.shape == (400, 3)
    assert float((points.norm(dim=1) - 1).abs().max()) < 0.01
    assert float(first.features_packed().std(dim=0).min()) > 0.05  # the squares' colours
    assert torch.equal(points, again.points_packed())


def test_drawing_points_leaves_the_random_numbers_of_the_run_alone():
    torch.manual_seed(5)
    wanted = torch.rand(3)
    torch.manual_seed(5)
    chosen_thing(FakeRun(name="cube", as_points=10))
    assert torch.equal(torch.rand(3), wanted)
