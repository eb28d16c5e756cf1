"""``lab data`` as a user types it."""

import hashlib
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from labcore.cli import data as module
from labcore.cli.data import data
from labcore.discovery import FoundPlugin
from labcore.errors import RequirementError, RunFailed, UsageError
from labcore.plugin import Dataset, Plugin, Task


@dataclass(kw_only=True, slots=True)
class NoOptions:
    """Nothing to choose."""


def plugin_with(name: str, *datasets: Dataset) -> FoundPlugin:
    task = Task(name="go", summary="Go.", run="toy:go")
    plugin = Plugin(name=name, summary="", tasks=(task,), config=NoOptions, datasets=datasets)
    return FoundPlugin(name=name, origin="a test", plugin=plugin)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One dataset that can be made with no network, a missing package, and an own folder."""
    downloads = tmp_path / "downloads"
    downloads.mkdir()
    wheel = downloads / "tunes-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tunes/a.mid", b"one")
    folk = Dataset(
        name="folk",
        summary="One tune.",
        source="pypi:tunes==1.0",
        licence="free [as in beer]",
        size_mb=4.3,
        sha256=hashlib.sha256(wheel.read_bytes()).hexdigest(),
        homepage="https://example.org/tunes",
    )
    book = Dataset(name="book", summary="A book.", source="package:no_such_package", licence="MIT")
    own = Dataset(name="own", summary="Yours.", source="folder:data.folder", licence="yours")
    found = {
        "broken": FoundPlugin(name="broken", origin="a test", error="ImportError: no"),
        "toy": plugin_with("toy", folk, own),
        "shelf": plugin_with("shelf", book),
    }
    monkeypatch.setattr(module, "find_plugins", lambda: found)
    monkeypatch.setenv("LAB_DATA_DIR", str(tmp_path))
    return tmp_path


def run(*arguments: str):
    result = CliRunner().invoke(data, list(arguments))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_list_shows_every_dataset_with_its_terms_and_place(folder):
    output = run("list").output
    rows = {line.split()[0]: line for line in output.splitlines()[1:]}
    assert set(rows) == {"toy/folk", "toy/own", "shelf/book"}
    for word in ("absent", "4.3 MB", "pypi:tunes==1.0", "free [as in beer]", str(folder / "toy")):
        assert word in rows["toy/folk"]


def test_list_can_show_one_plugin(folder):
    output = run("list", "--plugin", "shelf").output
    assert "shelf/book" in output
    assert "toy/folk" not in output


def test_prepare_shows_the_licence_and_makes_the_dataset(folder):
    output = run("prepare", "toy/folk").output
    assert "licence: free [as in beer]" in output
    assert "homepage: https://example.org/tunes" in output
    assert (folder / "toy/folk/tunes/a.mid").read_bytes() == b"one"
    assert "present" in run("list", "--plugin", "toy").output


def test_prepare_leaves_what_is_here_alone_and_is_silent_on_its_licence(folder):
    run("prepare", "toy/folk")
    output = run("prepare", "toy/folk").output
    assert output.startswith("ready")
    assert "licence" not in output


def test_prepare_of_a_plugin_skips_folders_of_the_users_own(folder):
    output = run("prepare", "toy").output
    assert "skipped" in output
    assert "data.folder=" in output


def test_prepare_of_an_own_folder_by_name_says_what_is_needed(folder):
    with pytest.raises(RequirementError, match="yours to provide"):
        run("prepare", "toy/own")


def test_prepare_all_does_what_it_can_and_then_fails_for_the_rest(folder):
    with pytest.raises(RequirementError, match="no_such_package") as caught:
        run("prepare", "--all")
    assert caught.value.fix == "pip install no_such_package"
    assert (folder / "toy/folk/tunes/a.mid").exists()


def test_several_failures_are_told_together(folder):
    with pytest.raises(RequirementError, match="2 datasets cannot be prepared") as caught:
        run("prepare", "shelf/book", "toy/own")
    assert "pip install no_such_package" in str(caught.value)
    assert "yours to provide" in str(caught.value)


def test_prepare_without_a_name_says_what_to_type(folder):
    with pytest.raises(UsageError) as caught:
        run("prepare")
    assert "--all" in str(caught.value.fix)


def test_wrong_names_are_all_told_with_the_nearest_right_ones(folder):
    with pytest.raises(UsageError) as caught:
        run("prepare", "toy/fokl", "shelff", "broken")
    assert caught.value.exit_code == 2
    problems = "\n".join(caught.value.problems)
    assert "'toy/fokl'; did you mean toy/folk" in problems
    assert "'shelff'; did you mean shelf" in problems
    assert "plugin broken is broken: ImportError: no" in problems


def test_verify_passes_when_all_is_well_and_mentions_what_is_not_here(folder):
    run("prepare", "toy/folk")
    output = run("verify").output
    assert "present  toy/folk" in output
    assert "absent   shelf/book" in output


def test_verify_names_damaged_files_and_fails_with_the_repair(folder):
    run("prepare", "toy/folk")
    (folder / "toy/folk/tunes/a.mid").write_bytes(b"ONE")
    with pytest.raises(RunFailed, match="damaged: toy/folk") as caught:
        run("verify")
    assert caught.value.exit_code == 1
    assert caught.value.fix == "lab data prepare toy/folk"
    result = CliRunner().invoke(data, ["verify"])
    assert "tunes/a.mid: content changed" in result.output


def test_the_repair_repairs(folder):
    run("prepare", "toy/folk")
    (folder / "toy/folk/tunes/a.mid").write_bytes(b"ONE")
    run("prepare", "toy/folk")
    assert (folder / "toy/folk/tunes/a.mid").read_bytes() == b"one"
    assert "present" in run("verify", "toy/folk").output


def test_verify_of_a_named_dataset_that_is_not_here_fails(folder):
    with pytest.raises(RequirementError, match="not here: toy/folk"):
        run("verify", "toy/folk")


def test_the_data_dir_option_wins_over_the_variable(folder, tmp_path):
    output = run("list", "--plugin", "toy", "--data-dir", str(tmp_path / "other")).output
    assert str(tmp_path / "other" / "toy" / "folk") in output


def test_a_folder_of_the_users_own_is_named_as_in_a_run(folder, tmp_path):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "a.mid").write_bytes(b"1")
    option = f"data.folder={mine}"
    assert str(mine) in run("list", "--plugin", "toy", option).output
    assert run("prepare", "toy/own", option).output.startswith("ready")
    assert "present" in run("verify", "toy/own", option).output


def test_a_folder_that_is_not_there_is_told_even_when_the_whole_plugin_is_prepared(folder):
    with pytest.raises(RequirementError, match="is to hold the dataset own"):
        run("prepare", "toy", "data.folder=/no/such/folder")


@pytest.mark.parametrize("words", [["list"], ["prepare", "toy/own"], ["verify"]])
def test_an_option_that_names_no_folder_gets_the_nearest_that_does(folder, words):
    with pytest.raises(UsageError) as caught:
        run(*words, "data.foldr=/x")
    assert "did you mean data.folder" in "\n".join(caught.value.problems)


def test_list_takes_no_names(folder):
    with pytest.raises(UsageError, match="does not know 'toy'") as caught:
        run("list", "toy")
    assert caught.value.fix == "one plugin's datasets: lab data list --plugin toy"
