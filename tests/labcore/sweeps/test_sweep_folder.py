"""Folders of sweeps: names, one controller at a time, the word to stop, the best trial's file."""

import json
import os

import pytest

from labcore.errors import UsageError
from labcore.sweeps.best import expand_best, read_best, write_best
from labcore.sweeps.folder import (
    Settings,
    SweepStatus,
    create_sweep,
    find_sweep,
    list_sweeps,
)


@pytest.fixture
def make(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "my sweep.json"
    file.write_text("{}")

    def call(name="", plugin="toy"):
        folder = create_sweep(tmp_path / "sweeps", name, file)
        folder.write_settings(Settings(file=file.name, source=str(file), plugin=plugin))
        return folder

    return call


def test_a_sweep_is_named_after_its_file_and_never_shares_a_folder(make):
    one, other = make(), make()
    assert one.name.startswith("my-sweep-")
    assert one.path != other.path
    assert one.file.read_text() == "{}"


def test_a_name_is_taken_once(make):
    make("mine")
    with pytest.raises(UsageError, match="--resume mine"):
        make("mine")


@pytest.mark.parametrize("name", ["a/b", "..", "-x", "a b"])
def test_a_name_must_be_a_folders(make, name):
    with pytest.raises(UsageError, match="cannot be the name"):
        make(name)


def test_settings_come_back_as_they_were(make):
    folder = make()
    settings = Settings(
        file="a.json", source="x/a.json", plugin="toy", overrides=("a=1", "b='c,d'"), agents=3
    )
    folder.write_settings(settings)
    assert folder.settings() == settings


def test_a_second_controller_is_told_who_the_first_is(make):
    folder = make("mine")
    folder.write_status(SweepStatus(sweep="mine", plugin="toy"))
    with folder.lock(), pytest.raises(UsageError, match="at work already") as error:
        folder.lock()
    assert "lab sweep stop mine" in str(error.value)
    with folder.lock():
        pass


def test_a_sweep_whose_controller_is_gone_is_lost(make):
    folder = make()
    owner = {"host": "elsewhere", "pid": 1, "started": 0.0}
    status = SweepStatus(sweep="s", plugin="toy", owner=owner, heartbeat=0.0)
    folder.write_status(status)
    # Whatever the other host's clock may say, the file is new.
    assert folder.status().observed_state() == "running"
    os.utime(folder.path / "status.json", (1, 1))
    assert folder.status().observed_state() == "lost"


def test_a_sweep_that_was_killed_at_once_can_be_asked_how_it_stands(make):
    folder = make()
    assert not folder.has_begun
    assert folder.status().state == "interrupted"


def test_the_word_to_stop_is_left_and_taken_away(make):
    folder = make()
    assert not folder.is_asked_to_stop()
    folder.ask_to_stop()
    assert folder.is_asked_to_stop()
    folder.forget_stop()
    folder.forget_stop()
    assert not folder.is_asked_to_stop()


def test_a_sweep_is_found_by_name_part_path_or_as_the_latest(make, tmp_path):
    first, second = make("first-one"), make("second")
    sweeps = tmp_path / "sweeps"
    assert find_sweep(sweeps, "first-one") == first
    assert find_sweep(sweeps, "sec") == second
    assert find_sweep(sweeps, str(first.path)).path == first.path
    assert find_sweep(sweeps, "latest") in (first, second)
    assert {folder.name for folder in list_sweeps(sweeps)} == {"first-one", "second"}


def test_what_fits_several_sweeps_or_none_is_refused(make, tmp_path):
    sweeps = tmp_path / "sweeps"
    with pytest.raises(UsageError, match="no sweeps in"):
        find_sweep(sweeps, "latest")
    make("depth-1")
    make("depth-2")
    with pytest.raises(UsageError, match="part of 2 sweeps"):
        find_sweep(sweeps, "depth")
    with pytest.raises(UsageError, match="did you mean depth-1"):
        find_sweep(sweeps, "dpeth-1")


DAMAGES = [
    ("{", "cannot be read"),
    ("\xff", "cannot be read"),
    ("[" * 100_000, "cannot be read"),
    ("[1]", "is damaged"),
    ("{}", "is damaged"),
    ({"agents": "two"}, "agents is 'two'"),
    ({"overrides": "a=1"}, "overrides is 'a=1'"),
    ({"plugin": None}, "plugin is 'None'"),
    ({"of_tomorrow": 1}, "has of_tomorrow, which this version of lab does not know"),
]


@pytest.mark.parametrize(("damage", "says"), DAMAGES)
def test_bad_settings_of_one_sweep_leave_the_others_found(make, tmp_path, damage, says):
    bad, good = make("bad"), make("good")
    path = bad.path / "settings.json"
    if isinstance(damage, dict):
        damage = json.dumps(json.loads(path.read_text()) | damage)
    path.write_bytes(damage.encode("latin-1"))
    sweeps = tmp_path / "sweeps"
    assert {folder.name for folder in list_sweeps(sweeps)} == {"bad", "good"}
    assert find_sweep(sweeps, "good") == good
    with pytest.raises(UsageError, match=says):
        find_sweep(sweeps, "bad").settings()


@pytest.mark.parametrize(
    "damage",
    [
        "{",
        "3",
        '{"sweep": "s"}',
        '{"sweep": 1, "plugin": "t"}',
        '{"sweep": "s", "plugin": "t", "counts": {"a": "b"}}',
        '{"sweep": "s", "plugin": "t", "best": {"value": "low"}}',
    ],
)
def test_a_bad_status_is_told(make, damage):
    folder = make()
    (folder.path / "status.json").write_text(damage)
    with pytest.raises(UsageError, match=r"status\.json (cannot be read|is damaged)"):
        folder.status()


def test_a_status_of_no_process_is_lost(make):
    folder = make()
    folder.write_status(SweepStatus(sweep="s", plugin="toy", owner={"pid": "x"}))
    assert folder.status().observed_state() == "lost"


@pytest.fixture
def best(make):
    folder = make("mine")
    write_best(
        folder,
        plugin="toy",
        trial=3,
        metric="val/loss",
        value=0.25,
        values={"x": 0.5, "word": "null", "model": "flat"},
        fixed=["plugin=toy", "preset=smoke", "seed=1"],
    )
    return folder


def test_the_best_trial_is_run_again_by_its_sweeps_name(best):
    expanded = expand_best(["plugin=toy", "+best=mine"])
    assert expanded == (
        "preset=smoke",
        "seed=1",
        "x=0.5",
        "word='null'",
        "model=flat",
        "plugin=toy",
    )
    assert expand_best(["+best=mine"])[0] == "plugin=toy"
    assert expand_best([f"+best={best.path}"])[0] == "plugin=toy"


def test_what_is_typed_beside_the_best_wins(best):
    expanded = expand_best(["plugin=toy", "+best=mine", "seed=9", "preset=paper"])
    assert [text for text in expanded if text.startswith(("seed", "preset"))] == [
        "seed=9",
        "preset=paper",
    ]


def test_the_best_of_another_plugin_is_refused(best):
    with pytest.raises(UsageError, match="is of plugin toy"):
        expand_best(["plugin=other", "+best=mine"])
    with pytest.raises(UsageError, match="once"):
        expand_best(["+best=mine", "+best=mine"])


def test_a_sweep_without_a_best_trial_says_so(make):
    folder = make("empty")
    with pytest.raises(UsageError, match="no best trial yet"):
        read_best(folder)


@pytest.mark.parametrize("text", ["overrides: 3\n", "[", "{}\n"])
def test_a_damaged_best_file_is_told(make, text):
    folder = make("empty")
    folder.best_file.write_text(text)
    with pytest.raises(UsageError, match="damaged"):
        read_best(folder)


def test_overrides_without_best_stay_as_they_are():
    assert expand_best(["plugin=toy", "a=1"]) == ("plugin=toy", "a=1")


def test_the_file_says_how_to_use_it_and_holds_typed_parameters(best):
    text = best.best_file.read_text()
    assert text.startswith("# lab run plugin=toy +best=")
    assert read_best(best)["parameters"] == {"x": 0.5, "word": "null", "model": "flat"}
    assert json.dumps(read_best(best)["metric"]) == '{"name": "val/loss", "value": 0.25}'
