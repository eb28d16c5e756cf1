"""``task=fit_mesh``: a sphere becomes an ellipsoid; killed, resumed and misused."""

import signal
import time

import numpy as np
import pytest
import torch
from PIL import Image
from pytorch3d.io import save_obj
from pytorch3d.utils import ico_sphere

from plugins.render.meshes import load_mesh

pytestmark = [pytest.mark.ml, pytest.mark.e2e]

AXES = torch.tensor([1.0, 0.6, 0.4])


@pytest.fixture(scope="module")
def ellipsoid(fits):
    path = fits.folder / "ellipsoid.obj"
    sphere = ico_sphere(4)
    save_obj(path, sphere.verts_packed() * AXES, sphere.faces_packed())
    return f"mesh.path={path}"


@pytest.fixture(scope="module")
def fitted(fits, ellipsoid):
    return fits.finish(
        "fit_mesh", "ellipsoid", ellipsoid, "train.max_steps=120", "train.validate_every=40",
        "fit.mesh.subdivisions=3", "fit.mesh.points=2000", "fit.mesh.held_out_points=5000",
        "fit.frames=6",
    )  # fmt: skip


def test_a_sphere_comes_near_to_an_ellipsoid(fits, fitted):
    figures = fits.figures(fitted)
    assert figures["result/distance_start"] > 0.2
    # As near as two draws of 5,000 points from the ellipsoid are to each other, and a little more.
    assert figures["result/distance"] < 1.3 * figures["result/distance_ideal"]
    assert figures["result/chamfer"] < 0.01 * figures["result/chamfer_start"]
    assert figures["result/fscore"] > 0.8 * figures["result/fscore_ideal"]
    assert figures["result/fscore_start"] < 0.1
    assert figures["result/normals"] > 0.97 > figures["result/normals_start"]


def test_the_mesh_that_is_left_lies_on_the_ellipsoid(fitted):
    """By the equation of the ellipsoid: an error of no sampling."""
    mesh = load_mesh(fitted / "artifacts/result.obj")
    assert len(mesh.verts_packed()) == 642
    levels = (mesh.verts_packed() / AXES).norm(dim=1)
    assert float((levels - 1).abs().mean()) < 0.03
    assert float(mesh.verts_packed()[:, 0].max()) == pytest.approx(1.0, abs=0.03)


def test_it_leaves_a_film_a_sheet_a_mesh_and_its_curves(fits, fitted):
    assert fits.artifacts(fitted) == {
        "model.safetensors": "model",
        "fit.gif": "image",
        "before-after.png": "image",
        "result.obj": "file",
    }
    with Image.open(fitted / "artifacts/fit.gif") as film:
        assert film.size == (128, 64)
        assert film.n_frames == 6 - 1 + 6
        first = np.asarray(film.convert("RGB"), dtype=float)
        film.seek(film.n_frames - 1)
        last = np.asarray(film.convert("RGB"), dtype=float)
    # Below the words: at first the halves differ, at last they hardly do.
    start, end = (np.abs(each[15:, :64] - each[15:, 64:]).mean() for each in (first, last))
    assert start > 10 * end
    assert {"val/loss", "val/distance", "val/fscore", "val/normals"} <= fits.figures(fitted).keys()


def test_silhouettes_alone_shape_it_too(fits, ellipsoid):
    run = fits.finish(
        "fit_mesh", "silhouettes", ellipsoid, "fit.mesh.chamfer=0", "fit.mesh.silhouette=1",
        "train.max_steps=100", "fit.views=16",
    )  # fmt: skip
    figures = fits.figures(run)
    assert figures["result/distance"] < 0.15 * figures["result/distance_start"]


def test_a_killed_fit_goes_on_and_ends_with_the_same_mesh_and_film(fits, ellipsoid):
    options = (
        ellipsoid, "train.max_steps=160", "train.checkpoint_every=20", "train.validate_every=0",
        "fit.mesh.points=1500", "fit.frames=5",
    )  # fmt: skip
    unbroken = fits.finish("fit_mesh", "unbroken", *options)
    process = fits.start(*fits.words("fit_mesh", "killed", *options))
    deadline = time.monotonic() + 120
    while not any(fits.folder.glob("runs/render/*-killed/checkpoints/step-*20*")):
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    killed = fits.find("killed")
    assert not (killed / "weights").exists()
    resumed = fits.start("resume", f"render/{killed.name}")
    _, err = resumed.communicate(timeout=280)
    assert resumed.returncode == 0, err
    for name in ("weights/model.safetensors", "artifacts/fit.gif", "artifacts/result.obj"):
        assert (killed / name).read_bytes() == (unbroken / name).read_bytes(), name
    assert fits.figures(killed) == fits.figures(unbroken)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("fit.views=0",), "fit.views is 0; use 1 to 10,000"),
        (("fit.mesh.chamfer=0", "fit.mesh.silhouette=0"), "what to become"),
        (("train.precision=bf16-mixed",), "geometry needs 32-true"),
    ],
)
def test_what_cannot_be_fitted_gets_one_message(fits, options, says):
    done = fits.run("fit_mesh", "refused", *options)
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert done.returncode == 2
