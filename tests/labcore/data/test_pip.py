"""Fetching through pip, from a folder that stands in for the index."""

import hashlib
import importlib.util
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from labcore.data import pip
from labcore.errors import RequirementError


def wheel(folder: Path, version: str = "1.0", content: bytes = b"x") -> str:
    """Writes a wheel and returns its SHA-256."""
    path = folder / f"tunes-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tunes/a", content)
        info = f"tunes-{version}.dist-info"
        archive.writestr(
            f"{info}/METADATA",
            f"Metadata-Version: 2.1\nName: tunes\nVersion: {version}\nRequires-Python: >=99\n",
        )
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    (tmp_path / "work").mkdir()
    return tmp_path / "work", tmp_path / "downloads"


def test_a_wheel_of_one_of_the_platforms_is_fetched_even_for_another_python(index, places):
    digest = wheel(index)
    work, downloads = places
    of_another_platform = "0" * 64
    path = pip.download("tunes==1.0", f"{of_another_platform} {digest}", work, downloads=downloads)
    assert path.parent.is_relative_to(work)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == digest


def test_a_file_with_another_checksum_is_refused_with_both_checksums(index, places):
    digest = wheel(index)
    work, downloads = places
    with pytest.raises(RequirementError) as caught:
        pip.download("tunes==1.0", "0" * 64, work, downloads=downloads)
    assert digest in caught.value.message
    assert "0" * 64 in caught.value.message
    assert list(work.rglob("*.whl")) == []


def test_a_version_that_does_not_exist_names_those_that_do(index, places):
    wheel(index)
    work, downloads = places
    with pytest.raises(RequirementError, match=r"no 2\.0 wheel of tunes \(it has 1\.0\)") as caught:
        pip.download("tunes==2.0", "0" * 64, work, downloads=downloads)
    assert str(downloads) in str(caught.value.fix)


def test_no_network_is_said_in_words(index, places, monkeypatch):
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "1")
    work, downloads = places
    with pytest.raises(RequirementError, match="package index cannot be reached") as caught:
        pip.download("tunes==1.0", "0" * 64, work, downloads=downloads)
    assert f"put it in {downloads}" in str(caught.value.fix)


def test_a_file_put_in_the_downloads_folder_is_used_and_pip_is_not(tmp_path, places, monkeypatch):
    work, downloads = places
    downloads.mkdir()
    (downloads / "unrelated.whl").write_bytes(b"?")
    digest = wheel(downloads)
    monkeypatch.setattr(pip, "find_pip", lambda: pytest.fail("pip was looked for"))
    path = pip.download("tunes==1.0", digest, work, downloads=downloads)
    assert path == downloads / "tunes-1.0-py3-none-any.whl"


def test_without_any_pip_the_manual_way_is_given(places, monkeypatch):
    work, downloads = places
    monkeypatch.setattr(pip, "find_pip", lambda: None)
    with pytest.raises(RequirementError, match="has no pip") as caught:
        pip.download("tunes==1.0", "0" * 64, work, downloads=downloads)
    assert str(downloads) in str(caught.value.fix)


def test_a_source_without_a_pinned_version_is_an_error(places):
    work, downloads = places
    with pytest.raises(RequirementError, match="is not NAME==VERSION"):
        pip.download("tunes", "0" * 64, work, downloads=downloads)


def test_an_option_cannot_hide_in_a_requirement(places):
    work, downloads = places
    with pytest.raises(RequirementError, match="is not NAME==VERSION"):
        pip.download("--index-url=http://x", "0" * 64, work, downloads=downloads)


def hide(monkeypatch: pytest.MonkeyPatch, *modules: str) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, package=None: None if name in modules else real(name, package),
    )


def test_an_environment_without_pip_runs_the_one_that_python_carries(monkeypatch):
    if not any(list(folder.glob("pip-*.whl")) for folder in pip._wheel_folders()):
        pytest.skip("this Python carries no wheel of pip (a distribution has removed it)")
    hide(monkeypatch, "pip")
    command = pip.find_pip()
    assert command is not None
    assert command[0] == sys.executable
    done = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("pip ")


def test_a_pip_on_the_path_comes_next_and_then_uv(monkeypatch):
    hide(monkeypatch, "pip", "ensurepip")
    monkeypatch.setattr(pip.sysconfig, "get_config_var", lambda name: None)
    on_path = {"pip": "/usr/bin/pip", "uv": "/usr/bin/uv"}
    monkeypatch.setattr(pip.shutil, "which", on_path.get)
    assert pip.find_pip() == ["/usr/bin/pip"]
    del on_path["pip"]
    assert pip.find_pip() == ["/usr/bin/uv", "tool", "run", "pip"]
    on_path.clear()
    assert pip.find_pip() is None


def test_pip_is_killed_when_the_run_is_interrupted(places, monkeypatch):
    work, downloads = places
    started: list[subprocess.Popen[bytes]] = []
    real = subprocess.Popen

    def start(command, **options):
        started.append(real([sys.executable, "-c", "import time; time.sleep(60)"], **options))
        return started[-1]

    def interrupt(done: int, total: int | None) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess, "Popen", start)
    with pytest.raises(KeyboardInterrupt):
        pip.download("tunes==1.0", "0" * 64, work, downloads=downloads, progress=interrupt)
    assert started[0].poll() is not None
