"""Fitting on a CUDA device: the same answers as on a CPU, and the tasks as a user starts them."""

import json
import subprocess
import sys

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("pytorch3d")

from plugins.render.fitting import chamfer_distance, nearest  # noqa: E402  # needs pytorch3d

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.ml,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]


def test_the_nearest_points_are_those_that_the_cpu_finds():
    generator = torch.Generator().manual_seed(0)
    ours, theirs = (torch.randn(count, 3, generator=generator) for count in (700, 500))
    assert torch.equal(nearest(ours.cuda(), theirs.cuda()).cpu(), nearest(ours, theirs))
    on_gpu, on_cpu = chamfer_distance(ours.cuda(), theirs.cuda()), chamfer_distance(ours, theirs)
    torch.testing.assert_close(on_gpu.cpu(), on_cpu)


@pytest.mark.parametrize(
    ("task", "figure", "options"),
    [
        ("fit_mesh", "distance", ()),
        ("fit_pose", "rotation_deg", ("mesh.name=knot", "fit.pose.offset_deg=15")),
        ("fit_texture", "mse", ("fit.texture.mode=map",)),
        ("fit_texture", "mse", ("fit.texture.mode=vertices",)),
    ],
)
def test_a_fit_gets_nearer_on_a_gpu(tmp_path, task, figure, options):
    words = (f"task={task}", "preset=smoke", "device=cuda", "train.max_steps=60", *options)
    done = subprocess.run(
        [sys.executable, "-m", "labcore", "run", "plugin=render", *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr
    (status,) = tmp_path.glob("runs/render/*/status.json")
    metrics = json.loads(status.read_text())["metrics"]
    start = {"mse": 0.1}.get(figure) or metrics[f"result/{figure}_start"]
    assert metrics[f"result/{figure}"] < 0.7 * start
