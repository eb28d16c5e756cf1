"""``lab sweep`` as it is typed: in this process where nothing is started, else in its own."""

import csv
import dataclasses
import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from labcore.cli.main import cli
from labcore.cli.sweeps.view import LiveView
from labcore.errors import UsageError
from tests.labcore.sweeps.sweeping import PLUGIN, SWEEP, begin, environment, go

pytestmark = [
    pytest.mark.ml,
    pytest.mark.skipif(sys.platform == "win32", reason="the toy uses POSIX signals"),
]
pytest.importorskip("optuna", reason="the study is Optuna's")


@pytest.fixture(autouse=True)
def place(write_plugin, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))
    write_plugin("toy", PLUGIN)
    (tmp_path / "toy.json").write_text(json.dumps(SWEEP))


@pytest.fixture
def lab():
    """Types a command here; errors for people come out as they are raised."""

    def type_command(*words):
        return CliRunner().invoke(cli, ["sweep", *words], catch_exceptions=False)

    return type_command


def in_process(tmp_path, *words):
    return subprocess.run(
        [sys.executable, "-m", "labcore", *words],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment(tmp_path),
        timeout=120,
        check=False,
    )


@pytest.fixture
def done(tmp_path):
    """A sweep that has run."""
    folder = begin(tmp_path, SWEEP, name="done")
    _, records = go(folder)
    return folder, records


def test_a_file_is_enough_when_a_plugin_has_its_name(tmp_path):
    words = ("toy.json", "hooks=none", "device=cpu", "--name", "s", "--agents", "2")
    result = in_process(tmp_path, "sweep", *words)
    assert result.returncode == 0, result.stderr
    assert "sweep s: plugin toy, random, 4 trials, 2 at once" in result.stdout
    assert "trial 3/4 started  x=" in result.stdout
    assert "sweep s finished" in result.stdout
    assert "run it again: lab run plugin=toy +best=s" in result.stdout
    again = in_process(tmp_path, "run", "plugin=toy", "+best=s", "--cfg", "job")
    assert again.returncode == 0, again.stderr
    best = json.loads(in_process(tmp_path, "sweep", "export", "s", "--json").stdout)
    x = min(best, key=lambda row: row["value"])["parameters"]["x"]
    assert f"x: {x!r}" in again.stdout


def test_a_broken_file_shows_every_problem_with_its_place_and_starts_nothing(tmp_path):
    broken = {
        "method": "gird",
        "metric": {"name": "val/loss", "goal": "minimise"},
        "parameters": {"x": {"min": 1.0, "max": 0.0}},
        "runcap": 3,
    }
    (tmp_path / "toy.json").write_text(json.dumps(broken, indent=1))
    result = in_process(tmp_path, "sweep", "toy.json")
    assert result.returncode == 2
    for words in ("grid", "minimize", "run_cap", "line 2"):
        assert words in result.stderr
    assert not (tmp_path / "sweeps").exists()
    assert not (tmp_path / "runs").exists()


def test_a_parameter_that_the_plugin_lacks_is_told_before_anything_starts(lab, tmp_path):
    (tmp_path / "toy.json").write_text(
        json.dumps({**SWEEP, "parameters": {"wrod": {"values": ["a", "b"]}}})
    )
    with pytest.raises(UsageError, match="word"):
        lab("toy.json")
    assert not (tmp_path / "sweeps").exists()


def test_a_file_of_no_plugin_asks_which(lab, tmp_path):
    (tmp_path / "other.json").write_text(json.dumps(SWEEP))
    with pytest.raises(UsageError, match="which plugin") as error:
        lab("other.json")
    assert "lab sweep other.json plugin=NAME" in str(error.value)


def test_a_dry_run_shows_the_first_trials_and_leaves_nothing(lab, tmp_path):
    result = lab("toy.json", "--dry-run", "--seed", "5", "hooks=none")
    assert result.exit_code == 0
    assert "Nothing was started" in result.output
    assert "minimize val/loss" in result.output
    assert "  3  x=" in result.output
    assert "  4  x=" not in result.output
    assert "lab run plugin=toy" in result.output
    assert not (tmp_path / "sweeps").exists()


def test_the_help_shows_how_to_start_and_what_else_there_is(lab):
    text = lab("--help").output
    for words in ("FILE [plugin=NAME]", "--resume", "--agents", "status", "export", "stop"):
        assert words in text


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "Usage"),
        (("--agents", "2"), "which sweep file"),
        (("--resume", "done", "toy.json"), "leave out toy.json"),
        (("--resume", "done", "--seed", "3"), "--seed cannot change"),
        (("toy.json", "--engine", "wandb", "--seed", "3"), "--seed is for sweeps"),
        (("status", "nothing"), "there is no sweep 'nothing'"),
    ],
)
def test_what_cannot_be_meant_is_answered_with_what_can(lab, done, words, says):
    try:
        text = lab(*words).output
    except UsageError as error:
        text = str(error)
    assert says in text


def test_status_lists_the_trials_and_marks_the_best(lab, done):
    _, records = done
    text = lab("status", "done").output
    assert "finished" in text
    assert "4 trials: 4 completed" in text
    best = min(records, key=lambda record: record.value)
    (line,) = [line for line in text.splitlines() if line.endswith("s") and "best" in line]
    assert line.startswith(f"{best.number} ")
    assert "report: sweeps/done/report.html" in text
    assert len(lab("status", "done", "--last", "1").output.splitlines()) < len(text.splitlines())


def test_best_prints_the_parameters_and_the_command(lab, done):
    folder, records = done
    best = min(records, key=lambda record: record.value)
    folder.best_file.unlink()
    text = lab("best", "done").output
    assert f"best trial {best.number}: val/loss {best.value:.6g}" in text
    assert json.dumps(best.values["x"]) in text
    assert "lab run plugin=toy +best=" in text
    assert folder.best_file.exists()


def test_export_gives_csv_and_json_of_every_trial(lab, done):
    _, records = done
    rows = list(csv.DictReader(lab("export", "done").output.splitlines()))
    assert [int(row["trial"]) for row in rows] == [0, 1, 2, 3]
    assert [float(row["x"]) for row in rows] == [record.values["x"] for record in records]
    as_json = json.loads(lab("export", "done", "--json").output)
    assert [row["value"] for row in as_json] == [record.value for record in records]
    assert lab("export", "done", "--json", "--csv").exit_code == 2


def test_list_shows_the_sweeps(lab, done):
    text = lab("list").output
    assert "done" in text
    assert "4 trials" in text


def test_list_with_none_says_how_to_start_one(lab):
    assert "lab sweep musicvae" in lab("list").output


def test_stop_of_a_sweep_that_does_not_run_says_so(lab, done):
    assert "is not running: finished" in lab("stop", "done").output


def test_a_resumed_sweep_may_get_more_trials_and_agents(lab, tmp_path):
    content = {key: value for key, value in SWEEP.items() if key != "run_cap"}
    folder = begin(tmp_path, content, name="more", count=2)
    go(folder)
    with pytest.raises(SystemExit) as end:
        lab_main(["sweep", "--resume", "more", "--count", "3", "--agents", "2"])
    assert end.value.code == 0
    assert folder.settings().count == 3
    assert len(json.loads(lab("export", "more", "--json").output)) == 3


def lab_main(words):
    cli.main(words, prog_name="lab", standalone_mode=False)


def test_the_live_table_shows_trials_the_best_and_what_stopped_them(tmp_path):
    from rich.console import Console

    from tests.labcore.sweeps.sweeping import Heard

    content = {**SWEEP, "run_cap": 6, "early_terminate": {"type": "hyperband", "min_iter": 2}}
    folder = begin(tmp_path, content, "steps=12", "pause_s=0.02", name="live", agents=2)
    heard = Heard()
    go(folder, heard)
    running = next(s for s in heard.snapshots if s.live and any(r.outcome for r in s.records))
    console = Console(width=140, record=True, force_terminal=True, highlight=False)
    view = LiveView("val/loss", ("x",), console)
    under_way = dataclasses.replace(next(iter(running.live.values())).record, outcome="")
    with view:
        # Ctrl-C: the best trial was stopped before its end, and nothing runs any more.
        view.show(dataclasses.replace(running, live={}, records=[under_way]))
        view.show(running)
        view.show(heard.snapshots[-1])
        view.say("a word [with brackets]")
    text = console.export_text()
    assert "live: 6 of 6 trials done" in text
    assert "running" in text
    assert "best trial" in text
    assert "a word [with brackets]" in text
    assert "x=" in text


def test_a_database_for_the_study_is_kept_without_its_password(lab, tmp_path):
    url = f"sqlite:///{tmp_path / 'study.db'}"
    with pytest.raises(SystemExit) as end:
        lab_main(
            ["sweep", "toy.json", "hooks=none", "--storage", url, "--name", "d", "--count", "1"]
        )
    assert end.value.code == 0
    assert len(json.loads(lab("export", "d", "--json").output)) == 1
    assert (tmp_path / "study.db").exists()


def test_two_sweeps_of_one_name_in_one_database_keep_their_own_trials(lab, tmp_path):
    url = f"sqlite:///{tmp_path / 'study.db'}"
    runs = {}
    for folder in ("here", "there"):
        words = ["sweep", "toy.json", "hooks=none", "--name", "same", "--count", "1"]
        with pytest.raises(SystemExit) as end:
            lab_main([*words, "--storage", url, "--sweeps-dir", folder])
        assert end.value.code == 0
        (trial,) = json.loads(lab("export", "same", "--json", "--sweeps-dir", folder).output)
        runs[folder] = trial["run"]
    assert runs["here"].endswith("same-0000")
    assert runs["there"].endswith("same-0000-2")


def test_a_sweep_that_cannot_be_read_is_listed_with_the_reason(lab, tmp_path):
    begin(tmp_path, SWEEP, name="good")
    bad = begin(tmp_path, SWEEP, name="bad")
    (bad.path / "settings.json").write_text('{"of_tomorrow": 1}')
    good, unreadable = sorted(lab("list").output.splitlines())
    assert good.split()[:2] == ["interrupted", "good"]
    assert unreadable.split()[:2] == ["unreadable", "bad"]
    assert "settings.json" in unreadable
