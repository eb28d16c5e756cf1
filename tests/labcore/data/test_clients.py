"""Fetching through apt and npm, for which small programs stand in: no network."""

import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from labcore.data import deb, ensure, npm, verify
from labcore.errors import RequirementError
from labcore.plugin import Dataset, Plugin
from tests.labcore.data.toys import files_below, plugin_with

needs_dpkg = pytest.mark.skipif(
    shutil.which("dpkg-deb") is None, reason="dpkg-deb makes and opens the package; install dpkg"
)


def sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder where programs are found, but for dpkg-deb and what that needs."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("dpkg-deb", "tar", "xz", "gzip", "rm"):
        real = shutil.which(name)
        if real is not None:
            (folder / name).symlink_to(real)
    monkeypatch.setenv("PATH", str(folder))
    return folder


def stand_in(path: Path, name: str, brings: Path | None = None, says: str = "", code: int = 0):
    """Writes a program that leaves a file in its folder and notes its words and folder."""
    program = path / name
    program.write_text(
        f"#!{sys.executable} -I\n"
        "import os, shutil, sys\n"
        f"open({os.fspath(path / 'words')!r}, 'w').write(' '.join(sys.argv[1:]))\n"
        + (f"shutil.copy({os.fspath(brings)!r}, os.getcwd())\n" if brings else "")
        + f"print({says!r}, file=sys.stderr)\nsys.exit({code})\n"
    )
    program.chmod(0o755)


def declare(source: str, file: Path, **options) -> tuple[Plugin, Dataset]:
    dataset = Dataset(
        name="set", summary="", licence="", source=source, sha256=sha(file), **options
    )
    return plugin_with(dataset), dataset


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    (tmp_path / "work").mkdir()
    return tmp_path / "work", tmp_path / "downloads"


@pytest.fixture
def words_deb(tmp_path: Path) -> Path:
    """A Debian package of a list of words, with a link beside it."""
    tree = tmp_path / "tree"
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "DEBIAN" / "control").write_text(
        "Package: words\nVersion: 1.0\nArchitecture: all\nMaintainer: a <a@b.c>\nDescription: w\n"
    )
    (tree / "usr/share/words").mkdir(parents=True)
    (tree / "usr/share/words/english").write_text("aardvark\n")
    (tree / "usr/share/words/link").symlink_to("english")
    package = tmp_path / "words_1.0_all.deb"
    subprocess.run(["dpkg-deb", "-Zxz", "-b", tree, package], check=True, capture_output=True)
    return package


@needs_dpkg
def test_a_debian_package_is_fetched_by_apt_and_unpacked_as_data(path, words_deb, tmp_path):
    stand_in(path, "apt-get", brings=words_deb)
    plugin, dataset = declare("deb:words=1.0", words_deb, members=("usr/share/words/e*",))
    folder = ensure(plugin, dataset, tmp_path / "data")
    assert files_below(folder) == ["usr/share/words/english"]
    assert (path / "words").read_text() == "download --quiet words=1.0"
    assert verify(plugin, dataset, tmp_path / "data").state == "present"


@needs_dpkg
def test_a_link_in_a_debian_package_is_refused_where_it_is_asked_for(path, words_deb, tmp_path):
    stand_in(path, "apt-get", brings=words_deb)
    plugin, dataset = declare("deb:words", words_deb, members=("usr/share/words/**",))
    with pytest.raises(RequirementError, match="'usr/share/words/link' is a link"):
        ensure(plugin, dataset, tmp_path / "data")
    assert not (tmp_path / "data" / "toy" / "set").exists()


@needs_dpkg
def test_a_debian_package_that_is_damaged_or_a_bomb_is_refused(
    path, words_deb, tmp_path, monkeypatch
):
    monkeypatch.setattr(deb, "most_bytes", lambda archive: 100)
    with pytest.raises(RequirementError, match="would unpack to over 100 bytes"):
        deb.files_of(words_deb, tmp_path)
    words_deb.write_bytes(words_deb.read_bytes()[:200])
    monkeypatch.undo()
    with pytest.raises(RequirementError, match="cannot be unpacked: dpkg-deb"):
        deb.files_of(words_deb, tmp_path)


def test_a_machine_without_apt_or_dpkg_says_what_to_do(path, places, tmp_path):
    work, downloads = places
    with pytest.raises(RequirementError, match="this machine has no apt-get") as caught:
        deb.download("words", "a" * 64, work, downloads=downloads)
    assert "elsewhere and put it in" in str(caught.value.fix)
    (path / "dpkg-deb").unlink(missing_ok=True)
    with pytest.raises(RequirementError, match="has no dpkg-deb") as caught:
        deb.files_of(tmp_path / "words_1.0_all.deb", work)
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    ("says", "fix"),
    [
        ("E: Unable to locate package words", "apt-cache policy words"),
        ("E: Version '9' for 'words' was not found", "apt-cache policy words"),
        ("E: Failed to fetch http://x/w.deb  Could not connect", "check the network"),
    ],
)
def test_what_apt_says_is_told_with_a_remedy(path, places, says, fix):
    stand_in(path, "apt-get", says=f"W: old\n{says}", code=100)
    work, downloads = places
    with pytest.raises(RequirementError) as caught:
        deb.download("words=9", "a" * 64, work, downloads=downloads)
    assert says.removeprefix("E: ") in caught.value.message
    assert fix in str(caught.value.fix)
    assert str(downloads) in str(caught.value.fix)


def test_a_package_of_another_release_is_refused_with_both_checksums(path, places, tmp_path):
    other = tmp_path / "words_2.0_all.deb"
    other.write_bytes(b"other")
    stand_in(path, "apt-get", brings=other)
    work, downloads = places
    with pytest.raises(RequirementError, match=r"words_2\.0_all\.deb") as caught:
        deb.download("words", "a" * 64, work, downloads=downloads)
    assert sha(other) in caught.value.message
    assert "a" * 64 in caught.value.message


@pytest.fixture
def words_tgz(tmp_path: Path) -> Path:
    """A package of npm."""
    package = tmp_path / "acme-words-1.0.0.tgz"
    with tarfile.open(package, "w:gz") as archive:
        for name, content in {"package.json": b"{}", "list/en.json": b"[]"}.items():
            info = tarfile.TarInfo(f"package/{name}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return package


def test_a_package_of_npm_is_fetched_without_running_its_scripts(path, words_tgz, tmp_path):
    stand_in(path, "npm", brings=words_tgz)
    plugin, dataset = declare("npm:@acme/words@1.0.0", words_tgz, members=("package/list/**",))
    folder = ensure(plugin, dataset, tmp_path / "data")
    assert files_below(folder) == ["package/list/en.json"]
    words = (path / "words").read_text().split()
    assert words[0] == "pack"
    assert "--ignore-scripts" in words
    assert words[-1] == "@acme/words@1.0.0"


@pytest.mark.parametrize(
    ("says", "message"),
    [
        ("npm error code ETARGET\nnpm error x", "the registry has no words@9.0.0"),
        ("npm error code ENOTFOUND\nnpm error x", "the registry cannot be reached"),
        ("npm error something else", "something else"),
    ],
)
def test_what_npm_says_is_told_in_words(path, places, says, message):
    stand_in(path, "npm", says=says, code=1)
    work, downloads = places
    with pytest.raises(RequirementError, match=message) as caught:
        npm.download("words@9.0.0", "a" * 64, work, downloads=downloads)
    assert str(downloads) in str(caught.value.fix)


def test_a_machine_without_npm_says_what_to_do(path, places):
    work, downloads = places
    with pytest.raises(RequirementError, match="this machine has no npm") as caught:
        npm.download("words@1.0.0", "a" * 64, work, downloads=downloads)
    assert "Node.js" in str(caught.value.fix)


def test_what_was_put_there_by_hand_needs_neither_apt_nor_npm(path, places, words_tgz):
    work, downloads = places
    downloads.mkdir()
    for name in ("acme-words-1.0.0.tgz", "words_1.0_all.deb"):
        shutil.copy(words_tgz, downloads / name)
    digest = sha(words_tgz)
    by_npm = npm.download("@acme/words@1.0.0", digest, work, downloads=downloads)
    by_apt = deb.download("words=1.0", digest, work, downloads=downloads)
    assert (by_npm.name, by_apt.name) == ("acme-words-1.0.0.tgz", "words_1.0_all.deb")


@pytest.mark.parametrize("package", ["--option", "a/../b", "words", "./words@1", "git:x@1", "w@^1"])
def test_only_a_name_and_a_version_reach_npm(places, package):
    with pytest.raises(RequirementError, match="is not NAME@VERSION"):
        npm.download(package, "a" * 64, places[0], downloads=places[1])


@pytest.mark.parametrize("package", ["-o=Dir::Etc=x", "./words.deb", "Words", "words=1 other"])
def test_only_a_name_and_a_version_reach_apt(places, package):
    with pytest.raises(RequirementError, match="is not NAME or NAME=VERSION"):
        deb.download(package, "a" * 64, places[0], downloads=places[1])
