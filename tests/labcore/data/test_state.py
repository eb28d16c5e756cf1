"""Looking at datasets."""

import dataclasses
import importlib.metadata

import pytest

from labcore.data import ensure, state, verify
from labcore.data.folder import package_version
from labcore.plugin import Dataset, Plugin
from tests.labcore.data.toys import plugin_with


@pytest.fixture
def plugin(tunes: Dataset) -> Plugin:
    return plugin_with(tunes)


@pytest.fixture
def folder(plugin, tunes, tmp_path):
    return ensure(plugin, tunes, tmp_path / "data")


def test_an_absent_dataset_says_what_would_be_downloaded(plugin, tunes, tmp_path):
    seen = state(plugin, tunes, tmp_path / "data")
    assert (seen.state, seen.download_mb) == ("absent", 0.1)
    assert seen.describe() == "toy/folk: not here; lab data prepare toy/folk downloads 0.1 MB"
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["downloads"]


def test_a_present_dataset_says_how_much_it_holds_and_where(plugin, tunes, tmp_path, folder):
    seen = state(plugin, tunes, tmp_path / "data")
    assert (seen.state, seen.files, seen.size_bytes, seen.path) == ("present", 2, 7, folder)
    assert seen.download_mb == 0
    assert seen.describe() == f"toy/folk: here, 2 files, 0.0 MB, {folder}"


def test_a_missing_file_is_seen_at_a_glance(plugin, tunes, tmp_path, folder):
    (folder / "tunes/corpora/a.mid").unlink()
    seen = state(plugin, tunes, tmp_path / "data")
    assert seen.state == "damaged"
    assert seen.problems == ("1 of 2 files are missing",)
    assert "lab data prepare toy/folk" in seen.describe()


def test_verify_finds_all_well_right_after_preparing(plugin, tunes, tmp_path, folder):
    assert verify(plugin, tunes, tmp_path / "data").state == "present"


def test_verify_names_missing_cut_and_changed_files(plugin, tunes, tmp_path, folder):
    (folder / "tunes/corpora/a.mid").write_bytes(b"ONE")
    (folder / "tunes/corpora/sub/b.mid").write_bytes(b"t")
    seen = verify(plugin, tunes, tmp_path / "data")
    assert seen.state == "damaged"
    assert seen.problems == (
        "tunes/corpora/a.mid: content changed",
        "tunes/corpora/sub/b.mid: 1 bytes, expected 4",
    )
    (folder / "tunes/corpora/a.mid").unlink()
    assert "tunes/corpora/a.mid: missing" in verify(plugin, tunes, tmp_path / "data").problems


def test_changed_content_is_repaired_when_asked(plugin, tunes, tmp_path, folder):
    (folder / "tunes/corpora/a.mid").write_bytes(b"ONE")
    ensure(plugin, tunes, tmp_path / "data", force=True)
    assert verify(plugin, tunes, tmp_path / "data").state == "present"


def test_a_lost_list_of_files_counts_as_damage(plugin, tunes, tmp_path, folder):
    (folder / ".files.json").write_text("{")
    seen = verify(plugin, tunes, tmp_path / "data")
    assert seen.problems == ("the list of its files is missing or damaged",)


def test_files_beside_the_data_are_no_damage(plugin, tunes, tmp_path, folder):
    (folder / "cache.npz").write_bytes(b"1")
    assert verify(plugin, tunes, tmp_path / "data").state == "present"


def test_data_of_an_older_declaration_counts_as_absent(plugin, tunes, tmp_path, folder):
    newer = dataclasses.replace(tunes, members=("tunes/**",))
    seen = state(plugin, newer, tmp_path / "data")
    assert seen.state == "absent"
    assert "an older version is there" in seen.describe()


def test_a_missing_package_says_how_to_install_it(plugin, tmp_path):
    dataset = Dataset(name="book", summary="", source="package:no_such_package", licence="")
    seen = state(plugin, dataset, tmp_path)
    assert seen.describe() == "toy/book: not here; pip install no_such_package"


def test_an_installed_package_is_present_where_it_is_installed(plugin, tmp_path):
    dataset = Dataset(name="book", summary="", source="package:rich", licence="")
    seen = verify(plugin, dataset, tmp_path)
    assert seen.state == "present"
    assert (seen.path / "console.py").exists()
    assert seen.size_bytes > (seen.path / "console.py").stat().st_size


@pytest.mark.parametrize("source", ["package:rich.no_such_folder", "package:this", "package:..a"])
def test_a_package_without_the_folder_is_absent(plugin, tmp_path, source):
    dataset = Dataset(name="book", summary="", source=source, licence="")
    assert state(plugin, dataset, tmp_path).state == "absent"


def test_the_version_of_a_package_is_that_of_its_distribution():
    assert package_version("rich.console") == importlib.metadata.version("rich")
    assert package_version("no_such_package") == ""
