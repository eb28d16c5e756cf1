"""A dataset is made once, whole, or not at all."""

import dataclasses
import errno
import json
import re
import sys
import threading
from pathlib import Path

import pytest

from labcore.data import (
    chosen_folder,
    data_folder,
    dataset_folder,
    default_folder,
    ensure,
    prepare,
    state,
)
from labcore.errors import LabError, RequirementError
from labcore.plugin import Dataset
from tests.labcore.data.toys import files_below, plugin_with


def upper_case(dataset: Dataset, raw: Path, out: Path) -> None:
    """A preparer for the tests."""
    for path in sorted(raw.rglob("*.mid")):
        (out / path.name).write_bytes(path.read_bytes().upper())


def failing(dataset: Dataset, raw: Path, out: Path) -> None:
    """A preparer that stops half-way."""
    (out / "half").write_bytes(b"1")
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture
def preparers(monkeypatch: pytest.MonkeyPatch) -> str:
    """Makes this module importable by the dotted path that it returns."""
    monkeypatch.setitem(sys.modules, "toy_preparers", sys.modules[__name__])
    return "toy_preparers"


def test_the_option_wins_over_the_variable_and_the_variable_over_the_cache(monkeypatch, tmp_path):
    monkeypatch.delenv("LAB_DATA_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert data_folder("") == tmp_path / "cache" / "lab"
    monkeypatch.setenv("LAB_DATA_DIR", str(tmp_path / "variable"))
    assert data_folder("") == tmp_path / "variable"
    assert data_folder(str(tmp_path / "option")) == tmp_path / "option"


def test_a_relative_option_becomes_absolute_and_a_relative_cache_is_ignored(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert data_folder("here") == tmp_path / "here"
    monkeypatch.delenv("LAB_DATA_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert data_folder("") == tmp_path / "home" / ".cache" / "lab"


def test_a_published_file_is_fetched_unpacked_and_stamped(indexed_tunes, tmp_path):
    tunes, seen = indexed_tunes, []
    folder = ensure(
        plugin_with(tunes), tunes, tmp_path / "data", progress=lambda d, t: seen.append((d, t))
    )
    assert folder == tmp_path / "data" / "toy" / "folk"
    assert files_below(folder) == ["tunes/corpora/a.mid", "tunes/corpora/sub/b.mid"]
    assert seen[-1] == (7, 7)
    stamp = json.loads((folder / ".complete.json").read_text())
    assert (stamp["source"], stamp["sha256"]) == (tunes.source, tunes.sha256)
    assert (stamp["files"], stamp["bytes"]) == (2, 7)
    assert stamp["time"] > 0


def test_nothing_but_the_data_and_the_lock_is_left_behind(indexed_tunes, tmp_path):
    ensure(plugin_with(indexed_tunes), indexed_tunes, tmp_path / "data")
    assert sorted(p.name for p in (tmp_path / "data").iterdir()) == [".locks", "toy"]
    assert [p.name for p in (tmp_path / "data" / "toy").iterdir()] == ["folk"]


def test_a_dataset_that_is_here_is_not_fetched_again(tunes, tmp_path, monkeypatch):
    plugin = plugin_with(tunes)
    folder = ensure(plugin, tunes, tmp_path / "data")
    monkeypatch.setattr(prepare, "fetch", lambda *a, **k: pytest.fail("fetched again"))
    assert ensure(plugin, tunes, tmp_path / "data") == folder


def test_two_runs_at_once_fetch_once(tunes, tmp_path, monkeypatch):
    calls: list[str] = []
    real = prepare.fetch
    gate = threading.Barrier(2)

    def counting(*args, **options):
        calls.append(args[0].origin)
        return real(*args, **options)

    def work() -> None:
        gate.wait()
        ensure(plugin_with(tunes), tunes, tmp_path / "data")

    monkeypatch.setattr(prepare, "fetch", counting)
    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert calls == ["tunes==1.0"]


def test_an_interrupted_fetch_leaves_nothing_and_the_next_one_succeeds(
    tunes, tmp_path, monkeypatch
):
    plugin = plugin_with(tunes)
    real = prepare.fetch

    def cut(*args):
        real(*args)
        raise KeyboardInterrupt

    monkeypatch.setattr(prepare, "fetch", cut)
    with pytest.raises(KeyboardInterrupt):
        ensure(plugin, tunes, tmp_path / "data")
    assert list((tmp_path / "data" / "toy").iterdir()) == []
    monkeypatch.setattr(prepare, "fetch", real)
    assert len(files_below(ensure(plugin, tunes, tmp_path / "data"))) == 2


def test_what_a_killed_process_left_is_cleared_away(tunes, tmp_path):
    left = tmp_path / "data" / "toy" / ".folk.tmp-dead"
    left.mkdir(parents=True)
    (left / "half").write_bytes(b"1")
    ensure(plugin_with(tunes), tunes, tmp_path / "data")
    assert not left.exists()


def test_a_missing_file_makes_the_dataset_anew(tunes, tmp_path):
    plugin = plugin_with(tunes)
    folder = ensure(plugin, tunes, tmp_path / "data")
    (folder / "tunes/corpora/a.mid").unlink()
    ensure(plugin, tunes, tmp_path / "data")
    assert (folder / "tunes/corpora/a.mid").read_bytes() == b"one"


def test_a_changed_declaration_makes_the_dataset_anew(tunes, tmp_path):
    ensure(plugin_with(tunes), tunes, tmp_path / "data")
    wider = dataclasses.replace(tunes, members=("tunes/**",))
    folder = ensure(plugin_with(wider), wider, tmp_path / "data")
    assert "tunes/code.py" in files_below(folder)


def test_files_of_the_users_own_are_never_replaced(tunes, tmp_path):
    mine = tmp_path / "data" / "toy" / "folk" / "mine.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text("precious")
    with pytest.raises(RequirementError, match="not from here"):
        ensure(plugin_with(tunes), tunes, tmp_path / "data")
    assert mine.read_text() == "precious"


def test_a_preparer_turns_the_raw_files_into_the_dataset(tunes, tmp_path, preparers):
    dataset = dataclasses.replace(tunes, prepare=f"{preparers}:upper_case")
    folder = ensure(plugin_with(dataset), dataset, tmp_path / "data")
    assert files_below(folder) == ["a.mid", "b.mid"]
    assert (folder / "a.mid").read_bytes() == b"ONE"


def test_a_full_disk_leaves_nothing_and_says_where_to_put_data(tunes, tmp_path, preparers):
    dataset = dataclasses.replace(tunes, prepare=f"{preparers}:failing")
    with pytest.raises(RequirementError, match="No space left on device") as caught:
        ensure(plugin_with(dataset), dataset, tmp_path / "data")
    assert "data_dir=" in str(caught.value.fix)
    assert list((tmp_path / "data" / "toy").iterdir()) == []


def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str = "tunebook") -> Path:
    """An installed package that fails when it is imported."""
    folder = tmp_path / "site" / name
    (folder / "corpus").mkdir(parents=True)
    (folder / "__init__.py").write_text("raise RuntimeError('imported')\n")
    (folder / "corpus" / "a.mid").write_bytes(b"one")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    return folder


def test_a_package_is_found_without_importing_it(tmp_path, monkeypatch):
    folder = package(tmp_path, monkeypatch)
    dataset = Dataset(name="book", summary="", source="package:tunebook.corpus", licence="")
    assert ensure(plugin_with(dataset), dataset, tmp_path / "data") == folder / "corpus"
    assert "tunebook" not in sys.modules


def test_a_missing_package_is_a_requirement_with_the_command_that_installs_it(tmp_path):
    dataset = Dataset(name="book", summary="", source="package:no_such_package", licence="")
    with pytest.raises(RequirementError, match="no_such_package") as caught:
        ensure(plugin_with(dataset), dataset, tmp_path)
    assert caught.value.fix == "pip install no_such_package"
    assert caught.value.exit_code == 3


def test_a_prepared_package_is_made_anew_for_another_version(tmp_path, monkeypatch, preparers):
    package(tmp_path, monkeypatch)
    dataset = Dataset(
        name="book",
        summary="",
        source="package:tunebook",
        licence="",
        prepare=f"{preparers}:upper_case",
    )
    plugin = plugin_with(dataset)
    monkeypatch.setattr(prepare, "package_version", lambda name: "1")
    folder = ensure(plugin, dataset, tmp_path / "data")
    assert (folder / "a.mid").read_bytes() == b"ONE"
    (tmp_path / "site/tunebook/corpus/a.mid").write_bytes(b"new")
    assert (ensure(plugin, dataset, tmp_path / "data") / "a.mid").read_bytes() == b"ONE"
    monkeypatch.setattr(prepare, "package_version", lambda name: "2")
    assert (ensure(plugin, dataset, tmp_path / "data") / "a.mid").read_bytes() == b"NEW"


def test_a_folder_of_ones_own_is_asked_for_with_its_option(tmp_path):
    dataset = Dataset(name="own", summary="", source="folder:data.folder", licence="")
    plugin = plugin_with(dataset)
    with pytest.raises(RequirementError, match="yours to provide") as caught:
        ensure(plugin, dataset, tmp_path)
    assert "data.folder=/path/to/own" in str(caught.value.fix)
    target = dataset_folder(plugin, dataset, tmp_path)
    target.mkdir(parents=True)
    (target / "a.mid").write_bytes(b"1")
    assert ensure(plugin, dataset, tmp_path) == target
    assert state(plugin, dataset, tmp_path).state == "present"


def counted(dataset: Dataset, raw: Path, out: Path, *, progress=None) -> None:
    """A preparer that computes, and says how far it is."""
    assert list(raw.iterdir()) == []
    for number in range(3):
        (out / f"{number}.txt").write_text(str(number**2))
        if progress is not None:
            progress(number + 1, 3)


def made_dataset(preparers: str, version: str = "1") -> Dataset:
    return Dataset(
        name="squares",
        summary="Squares.",
        source=f"made:{version}",
        licence="CC0",
        prepare=f"{preparers}:counted",
    )


def test_data_that_is_made_here_is_made_once_with_progress(preparers, tmp_path):
    squares, seen = made_dataset(preparers), []
    plugin = plugin_with(squares)
    folder = ensure(plugin, squares, tmp_path, progress=lambda *done: seen.append(done))
    assert files_below(folder) == ["0.txt", "1.txt", "2.txt"]
    assert seen == [(1, 3), (2, 3), (3, 3)]
    ensure(plugin, squares, tmp_path, progress=lambda *done: seen.append(done))
    assert len(seen) == 3


def test_data_that_is_made_here_is_made_anew_for_a_new_version(preparers, tmp_path):
    old, new = made_dataset(preparers), made_dataset(preparers, "2")
    folder = ensure(plugin_with(old), old, tmp_path)
    (folder / "0.txt").write_text("old")
    assert state(plugin_with(new), new, tmp_path).state == "absent"
    assert (ensure(plugin_with(new), new, tmp_path) / "0.txt").read_text() == "0"


@pytest.fixture
def two_plugins(preparers, monkeypatch, tmp_path):
    """A plugin that makes squares, and one that reads them by name."""
    module = tmp_path / "modules" / "two_plugins.py"
    module.parent.mkdir()
    module.write_text(
        "import dataclasses\n"
        "from labcore import Dataset, Plugin, Requires, Task\n"
        "@dataclasses.dataclass\n"
        "class Options:\n"
        "    pass\n"
        "def plugin(name, source, prepare='', packages=()):\n"
        "    task = Task(name='go', summary='Go.', run='toy:go')\n"
        "    data = Dataset(name='squares', summary='Squares.', source=source, licence='CC0',\n"
        "                   prepare=prepare)\n"
        "    return Plugin(name=name, summary='A toy.', tasks=(task,), config=Options,\n"
        "                  datasets=(data,), requires=Requires(packages=packages))\n"
        f"maker = plugin('maker', 'made:1', {preparers + ':counted'!r})\n"
        f"poor = plugin('poor', 'made:1', {preparers + ':counted'!r}, ('no-such-package>=1',))\n"
        "reader = plugin('reader', 'plugin:maker/squares')\n"
        "astray = plugin('astray', 'plugin:nobody/squares')\n"
        "lost = plugin('lost', 'plugin:maker/squares'.replace('squares', 'square'))\n"
        "ring = plugin('ring', 'plugin:ring/squares')\n"
    )
    monkeypatch.syspath_prepend(module.parent)
    names = ("maker", "poor", "reader", "astray", "lost", "ring")
    monkeypatch.setenv("LAB_PLUGINS", ",".join(f"{each}=two_plugins:{each}" for each in names))
    import importlib

    yield importlib.import_module("two_plugins")
    sys.modules.pop("two_plugins", None)


def test_a_plugin_reads_the_data_of_another_by_name(two_plugins, tmp_path):
    reader, maker = two_plugins.reader, two_plugins.maker
    before = state(reader, reader.datasets[0], tmp_path)
    assert (before.name, before.state) == ("reader/squares", "absent")
    assert before.remedy.startswith("lab data prepare maker/squares")
    folder = ensure(reader, reader.datasets[0], tmp_path)
    assert folder == tmp_path / "maker" / "squares"
    assert state(reader, reader.datasets[0], tmp_path).state == "present"
    assert state(maker, maker.datasets[0], tmp_path).state == "present"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("astray", "there is no plugin 'nobody'"),
        ("lost", "no dataset 'square'; did you mean squares"),
        ("ring", "each say that another has the data"),
    ],
)
def test_data_of_another_plugin_that_has_none_is_refused_and_never_hides_the_rest(
    two_plugins, tmp_path, name, message
):
    plugin = getattr(two_plugins, name)
    with pytest.raises(LabError) as caught:
        ensure(plugin, plugin.datasets[0], tmp_path)
    assert message in caught.value.message
    seen = state(plugin, plugin.datasets[0], tmp_path)
    assert seen.state == "absent"
    assert message in seen.remedy


def test_data_that_needs_missing_packages_says_which_and_how_to_get_them(two_plugins, tmp_path):
    poor = two_plugins.poor
    with pytest.raises(RequirementError) as caught:
        ensure(poor, poor.datasets[0], tmp_path)
    assert "no-such-package is not installed" in caught.value.message
    assert caught.value.fix.startswith("pip install")
    assert not (tmp_path / "poor" / "squares").exists()


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("made:1", "needs prepare="),
        ("plugin:render", "not of the form 'plugin:NAME/DATASET'"),
        ("pypi:tunes==1", "needs its sha256"),
        ("ftp:tunes", "must start with one of 'pypi:', 'url:', 'deb:', 'npm:', 'package:'"),
        ("url:file:///etc/passwd", "not of the form 'url:https://...'"),
        ("npm:tunes@1.0.0", "needs its sha256"),
    ],
)
def test_a_declaration_that_could_never_be_prepared_is_refused(source, message):
    digest = "0" * 64 if source.startswith("url:") else ""
    with pytest.raises(ValueError, match=re.escape(message)):
        Dataset(name="tunes", summary="Tunes.", source=source, licence="CC0", sha256=digest)


@dataclasses.dataclass(kw_only=True, slots=True)
class DataOptions:
    """Where the data are."""

    folder: str = ""
    """A folder."""


@dataclasses.dataclass(kw_only=True, slots=True)
class Options:
    """A plugin with an option for a folder."""

    data: DataOptions = dataclasses.field(default_factory=DataOptions)


@pytest.fixture
def own(preparers, tmp_path):
    """A dataset that is the user's own, and its folder with one tune."""
    dataset = Dataset(
        name="own",
        summary="",
        source="folder:data.folder",
        licence="",
        prepare=f"{preparers}:upper_case",
    )
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "a.mid").write_bytes(b"one")
    return dataset, tmp_path / "mine"


def test_the_folder_that_the_option_names_is_the_dataset(own, tmp_path):
    dataset, mine = own
    plain = dataclasses.replace(dataset, prepare="")
    chosen = chosen_folder(plain, Options(data=DataOptions(folder=str(mine))))
    assert chosen == mine
    assert ensure(plugin_with(plain), plain, tmp_path / "data", folder=chosen) == mine
    assert state(plugin_with(plain), plain, tmp_path / "data", folder=chosen).path == mine
    assert chosen_folder(plain, Options()) is None
    assert default_folder(plugin_with(plain, config=Options), plain) is None


def test_a_folder_that_is_not_there_is_told_with_the_option(own, tmp_path):
    dataset, _ = own
    with pytest.raises(RequirementError, match=r"data\.folder=.*/typo is to hold") as caught:
        ensure(plugin_with(dataset), dataset, tmp_path / "data", folder=tmp_path / "typo")
    assert "no folder" in caught.value.message
    assert caught.value.exit_code == 3


def test_an_option_that_the_plugin_does_not_have_is_the_declarations_fault(own):
    wrong = dataclasses.replace(own[0], source="folder:data.place")
    with pytest.raises(LabError, match=r"there is no option data\.place"):
        chosen_folder(wrong, Options())
    assert default_folder(plugin_with(wrong, config=Options), wrong) is None


def test_a_folder_of_ones_own_is_prepared_beside_and_anew_when_it_changes(own, tmp_path):
    dataset, mine = own
    plugin, data = plugin_with(dataset), tmp_path / "data"
    assert state(plugin, dataset, data, folder=mine).state == "absent"
    made = ensure(plugin, dataset, data, folder=mine)
    assert made.is_relative_to(data)
    assert (made / "a.mid").read_bytes() == b"ONE"
    assert (mine / "a.mid").read_bytes() == b"one"
    assert state(plugin, dataset, data, folder=mine).state == "present"
    (mine / "b.mid").write_bytes(b"two")
    seen = state(plugin, dataset, data, folder=mine)
    assert (seen.state, seen.remedy) == (
        "absent",
        f"lab data prepare toy/own data.folder={mine} makes it (an older version is there)",
    )
    assert files_below(ensure(plugin, dataset, data, folder=mine)) == ["a.mid", "b.mid"]


def test_two_folders_of_ones_own_are_prepared_side_by_side(own, tmp_path):
    dataset, mine = own
    plugin, data = plugin_with(dataset), tmp_path / "data"
    place = dataset_folder(plugin, dataset, data)
    place.mkdir(parents=True)
    (place / "c.mid").write_bytes(b"three")
    there, here = ensure(plugin, dataset, data), ensure(plugin, dataset, data, folder=mine)
    assert (files_below(there), files_below(here)) == (["c.mid"], ["a.mid"])
    assert ensure(plugin, dataset, data) == there


def test_the_data_of_another_plugin_can_be_prepared_in_ones_own_way(
    two_plugins, preparers, tmp_path
):
    plain = two_plugins.reader.datasets[0]
    dataset = dataclasses.replace(plain, name="counts", prepare=f"{preparers}:count_lines")
    plugin = plugin_with(dataset)
    assert state(plugin, dataset, tmp_path).state == "absent"
    folder = ensure(plugin, dataset, tmp_path)
    assert (folder / "count.txt").read_text() == "3"
    assert state(plugin, dataset, tmp_path).state == "present"
    (tmp_path / "maker" / "squares" / "cache").write_text("of the other plugin's tasks")
    assert state(plugin, dataset, tmp_path).state == "present"


def count_lines(dataset: Dataset, raw: Path, out: Path) -> None:
    """A preparer of another plugin's data."""
    (out / "count.txt").write_text(str(len(list(raw.glob("*.txt")))))
