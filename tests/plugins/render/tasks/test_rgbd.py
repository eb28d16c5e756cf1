"""``task=rgbd`` from the command line to the report."""

import json

import pytest

from labcore.data.shards import ShardReader
from plugins.render.config.rooms import RgbdConfig
from plugins.render.tasks.rgbd import spec_of
from tests import warm

pytestmark = pytest.mark.ml

SMALL = ["rgbd.scenes=3", "rgbd.frames=2", "rgbd.height=24", "rgbd.width=32", "rgbd.workers=1"]


def lab(tmp_path, *options):
    fixed = ["preset=smoke", "device=cpu", "threads=1", f"runs_dir={tmp_path / 'runs'}"]
    return warm.lab(tmp_path, "run", "plugin=render", "task=rgbd", *fixed, *options)


def test_options_replace_the_numbers_of_the_size():
    spec = spec_of(RgbdConfig(size="small", frames=5, width=96), seed=7)
    small = spec_of(RgbdConfig(size="small"), seed=7)
    assert (spec.frames, spec.width, spec.seed) == (5, 96, 7)
    assert (spec.scenes, spec.height) == (small.scenes, small.height)


def test_a_run_leaves_data_sheet_and_figures(tmp_path):
    done = lab(tmp_path, *SMALL)
    assert done.returncode == 0, done.stderr
    (run,) = (tmp_path / "runs/render").iterdir()
    assert len(ShardReader(run / "data")) == 6
    artifacts = json.loads((run / "artifacts/manifest.json").read_text())
    assert [(row["path"], row["kind"]) for row in artifacts] == [("artifacts/samples.png", "image")]
    status = json.loads((run / "status.json").read_text())
    assert status["metrics"]["result/frames"] == 6
    assert status["metrics"]["result/depth_max_m"] > 0.5


def test_the_data_go_where_the_user_says(tmp_path):
    out = tmp_path / "elsewhere"
    done = lab(tmp_path, *SMALL, f"rgbd.out={out}")
    assert done.returncode == 0, done.stderr
    assert len(ShardReader(out, split="test")) == 2
    (run,) = (tmp_path / "runs/render").iterdir()
    assert not (run / "data").exists()


def test_an_unwritable_folder_is_one_message_and_exit_3(tmp_path):
    (tmp_path / "file").write_text("")
    done = lab(tmp_path, *SMALL, f"rgbd.out={tmp_path / 'file' / 'data'}")
    assert done.returncode == 3
    assert "cannot be written to" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_size_is_exit_2_and_starts_nothing(tmp_path):
    done = lab(tmp_path, "rgbd.size=huge")
    assert done.returncode == 2
    assert "tiny, small, full" in done.stderr
    assert not (tmp_path / "runs").exists()
