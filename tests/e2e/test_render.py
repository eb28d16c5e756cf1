"""The turntable as a user runs it: shapes, files good and bad, interruptions, missing packages."""

import base64
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

np = pytest.importorskip("numpy")
pytest.importorskip("pytorch3d")
av = pytest.importorskip("av")
Image = pytest.importorskip("PIL.Image")

pytestmark = [pytest.mark.e2e, pytest.mark.ml]

SMALL = ("preset=smoke", "device=cpu", "threads=1", "hooks=[console,jsonl]")
TRIANGLE = "v -1 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n"


def start(folder: Path, *words: str, before: str = "") -> subprocess.Popen[str]:
    """Starts a run; ``before`` is Python that its process executes first."""
    root = Path(__file__).parents[2]
    env = {**os.environ, "LAB_DATA_DIR": str(folder / "data"), "PYTHONPATH": str(root)}
    code = f"{before}\nfrom labcore.cli.main import main\nmain()"
    return subprocess.Popen(
        [sys.executable, "-c", code, "run", "plugin=render", *SMALL, *words],
        cwd=folder,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(folder: Path, *words: str, before: str = "") -> subprocess.CompletedProcess[str]:
    process = start(folder, *words, before=before)
    out, err = process.communicate(timeout=280)
    return subprocess.CompletedProcess(words, process.returncode, out, err)


def run_folder(folder: Path) -> Path:
    (found,) = (folder / "runs" / "render").iterdir()
    return found


@pytest.fixture(scope="module")
def turned(tmp_path_factory):
    """A finished turn of the smoke preset."""
    folder = tmp_path_factory.mktemp("turn")
    done = run(folder, "turntable.fps=10")
    assert done.returncode == 0, done.stderr
    return done, run_folder(folder)


def test_a_turn_is_left_as_gif_film_and_contact_sheet(turned):
    _, folder = turned
    artifacts = folder / "artifacts"
    names = {path.name for path in artifacts.iterdir()}
    assert names == {"turntable.gif", "turntable.mp4", "contact_sheet.png", "manifest.json"}
    with Image.open(artifacts / "turntable.gif") as gif:
        assert (gif.n_frames, gif.size) == (8, (64, 64))
        frames = []
        for index in range(8):
            gif.seek(index)
            frames.append(np.asarray(gif.convert("RGB"), dtype=float))
    with av.open(str(artifacts / "turntable.mp4")) as film:
        filmed = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
    assert len(filmed) == 8
    # It turns: no two frames are alike; and both files show the same.
    for index, frame in enumerate(frames):
        assert np.abs(frame - frames[index - 1]).mean() > 1
        assert np.abs(frame - filmed[index]).mean() < 12


def test_the_report_plays_the_film_and_does_not_show_the_same_again(turned):
    _, folder = turned
    page = (folder / "report.html").read_text()
    assert "data:image/gif" not in page
    assert 'href="artifacts/turntable.gif"' in page
    film = re.search(r'<video [^>]*src="data:video/mp4;base64,([^"]+)"', page)
    artifacts = folder / "artifacts"
    assert base64.b64decode(film[1]) == (artifacts / "turntable.mp4").read_bytes()


def test_progress_and_figures_are_told(turned):
    done, folder = turned
    text = done.stdout + done.stderr
    assert "torus: 1,152 vertices, 2,304 faces, 8 frames of 64x64" in text
    assert "Turntable: 1 file, 1 video, 1 image" in text
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    values = {name: value for row in rows for name, value in row["values"].items()}
    assert not any(row["phase"] in {"test", "result"} for row in rows)
    assert values["frame_ms"] > 0


def test_a_mesh_without_its_material_is_shown_with_a_warning(tmp_path):
    (tmp_path / "a.obj").write_text(f"mtllib gone.mtl\n{TRIANGLE}")
    done = run(tmp_path, "mesh.path=a.obj", "turntable.shading=depth", "turntable.frames=2")
    assert done.returncode == 0, done.stderr
    assert "gone.mtl, is missing; it is shown plain" in done.stdout + done.stderr
    (sheet,) = [
        row
        for row in json.loads((run_folder(tmp_path) / "artifacts" / "manifest.json").read_text())
        if row["path"].endswith("contact_sheet.png")
    ]
    assert "2 is the bright end of the colours (viridis), 4 the dark one" in sheet["caption"]


def test_a_cloud_of_points_turns_too(tmp_path):
    points = np.random.default_rng(0).normal(size=(200, 3))
    header = "ply\nformat ascii 1.0\nelement vertex 200\n"
    header += "".join(f"property float {axis}\n" for axis in "xyz") + "end_header\n"
    rows = "\n".join(" ".join(f"{value:.4f}" for value in point) for point in points)
    (tmp_path / "cloud.ply").write_text(header + rows + "\n")
    done = run(
        tmp_path, "mesh.path=cloud.ply", "turntable.frames=3", "turntable.point_radius=0.1",
        "turntable.background=[0,0,0]", "camera.width=96",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "cloud.ply: 200 points, 3 frames of 96x64" in done.stdout + done.stderr
    with Image.open(run_folder(tmp_path) / "artifacts" / "turntable.gif") as gif:
        assert gif.size == (96, 64)
        assert (np.asarray(gif.convert("RGB")).max(axis=-1) > 40).mean() > 0.05


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("turntable.frames=0",), "turntable.frames is 0; a turn has at least 1 picture"),
        (("mesh.path=nan.obj",), "nan.obj: 1 of 3 vertices are not finite numbers"),
        (("mesh.path=bare.obj",), "bare.obj has 3 vertices and no faces"),
        (("mesh.path=gone.obj",), "there is no file gone.obj"),
        (("mesh.as_points=9", "turntable.shading=wireframe"), "points have no edges"),
    ],
    ids=["no frames", "NaN", "no faces", "no file", "wireframe of points"],
)
def test_what_cannot_be_shown_is_one_message_and_exit_code_2(tmp_path, words, told):
    (tmp_path / "nan.obj").write_text(TRIANGLE.replace("v 1", "v nan"))
    (tmp_path / "bare.obj").write_text(TRIANGLE.replace("f 1 2 3\n", ""))
    done = run(tmp_path, *words)
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert not list(tmp_path.glob("runs/render/*/artifacts/turntable.*"))


def test_a_runs_folder_that_cannot_be_written_is_one_message(tmp_path):
    (tmp_path / "file").touch()
    done = run(tmp_path, "runs_dir=file/runs")
    assert done.returncode == 3
    assert "cannot be created" in done.stderr
    assert "runs_dir=" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_interrupted_turn_leaves_no_half_files(tmp_path):
    process = start(tmp_path, "turntable.frames=5000", "camera.image_size=128")
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("runs/render/*/artifacts/.turntable.tmp-*.gif")):
        assert time.monotonic() < deadline, "the turn did not begin"
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert [p.name for p in tmp_path.glob("runs/render/*/artifacts/*")] == []


HIDE = """
import importlib.metadata as metadata
versions = metadata.version
def version(name):
    if name in {hidden!r}:
        raise metadata.PackageNotFoundError(name)
    return {others!r}.get(name) or versions(name)
metadata.version = version
"""


def test_without_pytorch3d_it_says_how_to_install_it_with_exit_code_3(tmp_path):
    before = HIDE.format(hidden={"easypytorch3d", "pytorch3d"}, others={})
    done = run(tmp_path, before=before)
    assert done.returncode == 3
    assert "easypytorch3d" in done.stderr
    assert "pip install" in done.stderr
    assert "Traceback" not in done.stderr


def test_with_a_torch_that_pytorch3d_does_not_fit_it_ends_with_exit_code_3(tmp_path):
    done = run(tmp_path, before=HIDE.format(hidden=set(), others={"torch": "2.13.0"}))
    assert done.returncode == 3
    assert "torch" in done.stderr
    assert "2.13.0" in done.stderr
    assert "Traceback" not in done.stderr
