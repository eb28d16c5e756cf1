"""``lab runs``: every run in a row, whatever is in the folders beside it."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from labcore.cli.runs.runs import runs
from labcore.record.status import Status, write_status


@pytest.fixture
def runs_dir(tmp_path: Path) -> Path:
    add(tmp_path, "a", created=1.0, started=1.0, ended=8.0, step=1200, preset="laptop", seed=3,
        metrics={"val/other": 9.0, "val/loss": 0.25, "test/loss": 0.3})  # fmt: skip
    add(tmp_path, "b", created=2.0, started=2.0, ended=7502.0, preset="smoke", seed=1,
        metrics={"val/loss": 0.5})  # fmt: skip
    add(tmp_path, "c", created=3.0, state="failed", error={"message": "loss is NaN\nmore"})
    return tmp_path


def add(runs_dir: Path, name: str, *, seed: int = 0, **fields: Any) -> Path:
    folder = runs_dir / "toy" / name
    folder.mkdir(parents=True)
    plain = {"run": f"toy/{name}", "plugin": "toy", "task": "train", "preset": "smoke"}
    write_status(folder, Status(**{**plain, "state": "finished", **fields}))
    text = f"seed: {seed}\ntrain:\n  monitor: loss\n  goal: minimize\n"
    (folder / "config.yaml").write_text(text)
    return folder


def listed(runs_dir: Path, *words: str) -> Result:
    result = CliRunner().invoke(runs, ["--runs-dir", str(runs_dir), *words])
    assert result.exception is None, result.exception
    return result


def names(result: Result) -> list[str]:
    return [line.split()[1].partition("/")[2] for line in result.stdout.splitlines()[1:]]


def test_a_header_says_what_the_columns_are(runs_dir: Path) -> None:
    lines = listed(runs_dir).stdout.splitlines()
    assert lines[0].split() == ["state", "run", "preset", "seed", "time", "step", "result"]
    assert lines[1].split() == [
        *("finished", "toy/a", "laptop", "3", "7.0", "s", "1,200", "val/loss=0.25"),
    ]
    assert lines[2].split()[-5:] == ["2", "h", "5", "min", "val/loss=0.5"]
    assert lines[3].endswith("loss is NaN")


def test_runs_are_found_by_option_metric_and_status(runs_dir: Path) -> None:
    assert names(listed(runs_dir, "--where", "seed=3")) == ["a"]
    assert names(listed(runs_dir, "--where", "train.monitor=loss", "--where", "step=1200")) == ["a"]
    assert names(listed(runs_dir, "--where", "no_such_option=null")) == []
    assert names(listed(runs_dir, "--where", "preset=smoke", "--where", "state=finished")) == ["b"]
    assert names(listed(runs_dir, "--state", "failed")) == ["c"]


def test_the_best_of_a_sort_is_nearest_to_the_prompt(runs_dir: Path) -> None:
    assert names(listed(runs_dir, "--sort", "val/loss")) == ["c", "b", "a"]
    assert names(listed(runs_dir, "--sort", "time", "--last", "1")) == ["a"]
    result = CliRunner().invoke(runs, ["--runs-dir", str(runs_dir), "--sort", "nothing"])
    assert "no run here has that" in str(result.exception)


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"[]", b"{}", b"\xff\xfe", b"[" * 100_000, b'{"state": "running"}',
        b'{"run":"x","plugin":"toy","task":[],"preset":"","created":1}', b'{"created": 1e999}',
    ],
)  # fmt: skip
def test_a_damaged_folder_hides_no_other(runs_dir: Path, content: bytes) -> None:
    bad = add(runs_dir, "bad\x1b[2J")
    (bad / "status.json").write_bytes(content)
    result = listed(runs_dir)
    assert names(result) == ["a", "b", "c"]
    assert "toy/bad is left out: " in result.stderr
    assert len(json.loads(listed(runs_dir, "--json").stdout)) == 3


@pytest.mark.parametrize(
    "content", [b"\xff", b"a: &a [*a]", b"- 1", b"[" * 5000, b"seed: [1, {a: b}]", b"train: 3"]
)
def test_a_damaged_config_costs_its_two_columns_only(runs_dir: Path, content: bytes) -> None:
    (runs_dir / "toy/a/config.yaml").write_bytes(content)
    assert names(listed(runs_dir)) == ["a", "b", "c"]


def test_no_escape_sequence_reaches_the_terminal(runs_dir: Path) -> None:
    add(runs_dir, "d", created=9.0, preset="\x1b[31mred\u202e", state="\x1b]0;title\x07")
    out = CliRunner().invoke(runs, ["--runs-dir", str(runs_dir)], color=True).stdout
    row = next(line for line in out.splitlines() if "toy/d" in line)
    assert "\x1b" not in row
    assert "\u202e" not in row
