"""The whole page: what it says of each outcome, what it survives, what it refuses."""

import json
import os
import random
import re
import subprocess
import sys
import time

import pytest

from labcore.record.status import read_status, write_status
from labcore.report import build

HOSTILE = "<script>alert(1)</script>\"'&{{ 7 * 7 }}<img src=x onerror=alert(2)>"


def change_status(folder, **changes):
    status = read_status(folder)
    for name, value in changes.items():
        setattr(status, name, value)
    write_status(folder, status)


def test_a_finished_run_shows_outcome_figures_curves_and_artifacts(sample_run, open_page):
    page = open_page(build(sample_run()))
    assert page.find("span", **{"class": "finished"})
    assert "5 min 12 s" in page.text
    assert "best 18.09 at step 5,000" in page.text
    assert len(page.find("figure", **{"class": "chart"})) >= 8
    assert len(page.find("audio")) == len(page.find("img")) == 3
    assert "the first 50 of 73 rows" in page.text


def test_the_page_carries_everything_it_shows(sample_run, open_page):
    page = open_page(build(sample_run()))
    loaded = [attrs.get("src") for _, attrs in page.tags if "src" in attrs]
    assert loaded
    assert all(source.startswith("data:") for source in loaded)
    assert page.find("link") == [{"rel": "icon", "href": "data:,"}]
    assert not re.search(r"https?://", page.source)


def test_the_policy_allows_only_the_page_s_own_style_and_script(sample_run, open_page):
    page = open_page(build(sample_run()))
    (policy,) = [m["content"] for m in page.find("meta") if m.get("http-equiv")]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert not [attrs for _, attrs in page.tags if "style" in attrs]
    assert not [name for _, attrs in page.tags for name in attrs if name.startswith("on")]


def test_hostile_text_from_any_file_comes_out_as_text(bare_run, add_artifact, open_page):
    change_status(
        bare_run,
        state="failed",
        preset=HOSTILE,
        task=HOSTILE,
        error={"message": HOSTILE, "fix": HOSTILE},
        metrics={f"val/{HOSTILE}": 1.0},
    )
    (bare_run / "traceback.txt").write_text(HOSTILE)
    (bare_run / "log.txt").write_text(HOSTILE)
    (bare_run / "config.yaml").write_text(json.dumps({HOSTILE: {HOSTILE: HOSTILE}}))
    (bare_run / "origins.json").write_text(json.dumps({f"{HOSTILE}.{HOSTILE}": HOSTILE}))
    (bare_run / "environment.json").write_text(
        json.dumps({"command": HOSTILE, HOSTILE: [{"name": HOSTILE, "x": HOSTILE}]})
    )
    (bare_run / "rejected.csv").write_text(f"{HOSTILE}\n{HOSTILE}\n")
    lines = [
        {"step": step, "phase": phase, "values": {HOSTILE: step}}
        for phase in ("train", "val", "perf", "taps")
        for step in (1, 2)
    ]
    (bare_run / "metrics.jsonl").write_text("\n".join(map(json.dumps, lines)))
    name = "<img src=x onerror=alert(3)>\"';javascript:"
    row = {"title": HOSTILE, "caption": HOSTILE, "section": HOSTILE}
    for kind in ("text", "audio", "image", "midi", "model", "file", "table", "video"):
        add_artifact(bare_run, f"{name}.{kind}", HOSTILE, kind, **row)
    (bare_run / f"{name}.bin").write_text("x")
    page = open_page(build(bare_run, model_tasks=["sample"]))
    assert [tag for tag, _ in page.tags].count("script") == 2
    assert not [attrs for _, attrs in page.tags if {"onerror", "onload"} & set(attrs)]
    assert not [attrs for tag, attrs in page.tags if tag == "img" and attrs.get("src") == "x"]
    hrefs = [attrs["href"] or "" for attrs in page.find("a")]
    assert not [href for href in hrefs if href.strip().lower().startswith("javascript")]
    assert "alert(1)" in page.text
    assert "49" not in page.text


def test_a_failed_run_says_why_what_to_do_and_where_it_happened(sample_run, open_page):
    page = open_page(build(sample_run("failed")))
    assert "Why it failed the loss is NaN at step 3120" in page.text
    assert "What to do: lower the learning rate" in page.text
    assert "FloatingPointError" in page.text
    assert "End of the log" in page.text
    assert "lab resume musicvae/20260102-t" in page.text


def test_the_traceback_of_an_earlier_failure_is_not_that_of_a_finished_run(sample_run, open_page):
    folder = sample_run()
    (folder / "traceback.txt").write_text("FloatingPointError")
    assert "FloatingPointError" not in open_page(build(folder)).text


def test_an_interrupted_run_says_how_to_go_on(sample_run, open_page):
    page = open_page(build(sample_run("interrupted")))
    assert "Stopped by signal 2. It was stopped before its end." in page.text
    assert "resumed once" in page.text
    assert "lab resume musicvae/20260102-t" in page.text


def test_a_run_whose_process_is_gone_is_lost(sample_run, open_page):
    folder = sample_run()
    change_status(folder, state="running", ended=None)
    # Of a process on another host the age of the file tells.
    os.utime(folder / "status.json", (0, 0))
    assert open_page(build(folder)).find("span", **{"class": "lost"})


def test_tasks_that_use_the_model_are_offered_once_there_is_a_checkpoint(sample_run, open_page):
    folder = sample_run()
    command = "lab run plugin=musicvae task=sample run=musicvae/20260102-t"
    assert command in open_page(build(folder, model_tasks=["sample"])).text
    for checkpoint in (folder / "checkpoints").iterdir():
        checkpoint.unlink()
    assert command not in open_page(build(folder, model_tasks=["sample"])).text


def test_runs_kept_elsewhere_are_named_by_their_path(sample_run, open_page):
    folder = sample_run("interrupted")
    config = (folder / "config.yaml").read_text()
    (folder / "config.yaml").write_text(config.replace("runs_dir: runs", "runs_dir: /data/my runs"))
    assert "lab resume '/data/my runs/musicvae/20260102-t'" in open_page(build(folder)).text


def test_changed_values_are_marked_with_their_origin(sample_run, open_page):
    page = open_page(build(sample_run()))
    assert "max_steps 6000 preset laptop" in page.text
    assert "precision 32-true clip_norm 1.0 ema" in page.text
    assert "8 of the values differ" in page.text


def test_the_figures_of_a_plugin_that_draws_and_tabulates(
    bare_run, add_artifact, open_page, sample
):
    picture = sample["png_bytes"]([[(1, 2, 3)] * 4] * 4)
    add_artifact(bare_run, "depth/1.png", picture, "image", title="Street", section="Depth")
    add_artifact(bare_run, "scores.csv", "model,rmse\nsmall,4.5\n", "table", section="Scores")
    line = {"step": 0, "phase": "test", "values": {"rmse": 4.512}}
    (bare_run / "metrics.jsonl").write_text(json.dumps(line))
    page = open_page(build(bare_run))
    assert [image["alt"] for image in page.find("img")] == ["Street"]
    assert "test/rmse 4.512" in page.text
    assert "small 4.5" in page.text


def test_an_empty_folder_gives_a_page_that_says_what_is_absent(tmp_path, open_page):
    page = open_page(build(tmp_path))
    for words in ("no readable status.json", "no metrics", "no artifacts", "config.yaml is absent"):
        assert words in page.text


@pytest.mark.parametrize(
    "name",
    [
        "status.json",
        "config.yaml",
        "origins.json",
        "environment.json",
        "metrics.jsonl",
        "timing.json",
        "log.txt",
        "rejected.csv",
        "artifacts/manifest.json",
        "artifacts/samples/sample-1.wav",
    ],
)
@pytest.mark.parametrize(
    "content", [None, b"", b"\x00\xff{[", b"[1, 2]", b'{"a": {"b": []}}', b"7"]
)
def test_a_missing_or_damaged_file_never_breaks_the_page(sample_run, open_page, name, content):
    folder = sample_run()
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_bytes(content)
    assert open_page(build(folder)).find("section", id="files")


def test_building_again_gives_the_same_page(sample_run):
    folder = sample_run()
    first = build(folder).read_bytes()
    assert build(folder).read_bytes() == first
    assert not list(folder.glob(".report*"))


def test_a_page_that_cannot_be_written_leaves_the_old_one(sample_run, monkeypatch):
    folder = sample_run()
    first = build(folder).read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(OSError, match="No space"):
        build(folder)
    assert (folder / "report.html").read_bytes() == first


def test_a_long_run_is_reported_in_a_few_seconds(sample_run):
    folder = sample_run()
    chance = random.Random(0)
    with (folder / "metrics.jsonl").open("w") as stream:
        for step in range(100_000):
            values = {name: chance.random() for name in ("loss", "accuracy", "kl", "lr", "norm")}
            stream.write(json.dumps({"step": step, "phase": "train", "time": 0, "values": values}))
            stream.write("\n")
    start = time.process_time()
    path = build(folder)
    assert time.process_time() - start < 6.0  # it takes under a second on a quiet core
    assert path.stat().st_size < 2_000_000


def test_the_report_needs_no_ml_package_and_loads_its_templates_last():
    code = (
        "import sys, labcore.report; "
        "print(sorted({'torch', 'numpy', 'matplotlib', 'jinja2', 'pandas'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
