"""``task=fit_pose``: the camera of a solid that looks like itself from one side only."""

import csv

import numpy as np
import pytest
from PIL import Image

pytestmark = [pytest.mark.ml, pytest.mark.e2e]

BOXES = (
    ((0, 0, 0), (1.0, 0.35, 0.25)),
    ((0.6, 0.5, 0), (0.3, 0.5, 0.2)),
    ((-0.7, 0, 0.5), (0.2, 0.2, 0.6)),
)
"""Centre and half sides: an arm up on one side, one to the front on the other."""
SIDES = ((0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3))
"""Corners of a box, from 0."""


@pytest.fixture(scope="module")
def solid(fits):
    lines = []
    for centre, half in BOXES:
        for corner in np.ndindex(2, 2, 2):
            place = np.array(centre) + np.array(half) * (2 * np.array(corner) - 1)
            lines.append("v {} {} {}".format(*place))
    for box in range(len(BOXES)):
        lines += ["f " + " ".join(str(8 * box + 1 + corner) for corner in side) for side in SIDES]
    path = fits.folder / "solid.obj"
    path.write_text("\n".join(lines) + "\n")
    return f"mesh.path={path}"


@pytest.fixture(scope="module")
def fitted(fits, solid):
    return fits.finish(
        "fit_pose", "solid", solid, "fit.pose.offset_deg=15", "fit.pose.offset=0.2",
        "fit.pose.starts=2", "fit.image_size=64", "train.max_steps=250", "camera.azimuth_deg=30",
        "train.validate_every=50",
    )  # fmt: skip


def test_the_camera_is_found_from_fifteen_degrees_off(fits, fitted):
    figures = fits.figures(fitted)
    assert figures["result/rotation_deg_start"] == pytest.approx(15, abs=0.01)
    assert figures["result/translation_start"] == pytest.approx(0.2, abs=1e-4)
    assert figures["result/rotation_deg"] < 1.0
    assert figures["result/translation"] < 0.02
    assert figures["result/iou"] > 0.97 > figures["result/iou_start"]


def test_it_leaves_a_film_a_sheet_and_a_table_of_its_starts(fits, fitted):
    assert fits.artifacts(fitted) == {
        "model.safetensors": "model",
        "fit.gif": "image",
        "before-after.png": "image",
        "starts.csv": "table",
    }
    with (fitted / "artifacts/starts.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["start"] for row in rows] == ["1", "2"]
    for row in rows:
        assert float(row["rotation error (degrees), before"]) == pytest.approx(15, abs=0.01)
        assert float(row["IoU, after"]) > float(row["IoU, before"])
    best = max(rows, key=lambda row: float(row["IoU, after"]))
    reported = fits.figures(fitted)["result/rotation_deg"]
    assert float(best["rotation error (degrees), after"]) == pytest.approx(reported, abs=1e-3)


def test_the_film_ends_where_the_silhouettes_agree(fitted):
    with Image.open(fitted / "artifacts/fit.gif") as film:
        assert film.size == (2 * 64, 64)
        coloured = []
        for index in (0, film.n_frames - 1):
            film.seek(index)
            frame = np.asarray(film.convert("RGB")).astype(int)[15:]
            coloured.append(int((frame.max(axis=2) - frame.min(axis=2) > 60).sum()))
    assert coloured[0] > 10 * coloured[1]


def test_a_mesh_that_looks_alike_from_all_sides_is_told_to(fits):
    run = fits.finish(
        "fit_pose", "sphere", "mesh.name=sphere", "fit.pose.offset_deg=60", "train.max_steps=60",
        "fit.pose.offset=0.1",
    )  # fmt: skip
    assert fits.figures(run)["result/iou"] > 0.97
    assert "looks alike from several sides" in (run / "log.txt").read_text()


def test_a_camera_that_sees_nothing_is_refused(fits, solid):
    done = fits.run("fit_pose", "far", solid, "camera.distance=1000", "fit.image_size=8")
    assert "covers no pixel" in done.stderr
    assert "camera.distance" in done.stderr
    assert done.returncode == 2
