"""A realistic run folder, and its page taken apart."""

import dataclasses
import html.parser
import json
import runpy
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from labcore.record.status import Status, write_status


@pytest.fixture(scope="session")
def sample() -> dict[str, Any]:
    """What ``sample_run.py`` defines."""
    return runpy.run_path(str(Path(__file__).with_name("sample_run.py")))


@pytest.fixture(scope="session")
def originals(sample: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A run of each state, written once and copied for each test."""
    root = tmp_path_factory.mktemp("originals")
    return {
        state: sample["write_sample_run"](root / state, state=state)
        for state in ("finished", "failed", "interrupted")
    }


@pytest.fixture
def sample_run(originals: dict[str, Path], tmp_path: Path) -> Callable[..., Path]:
    def write(state: str = "finished") -> Path:
        folder = tmp_path / "musicvae" / "20260102-t"
        return shutil.copytree(originals[state], folder)

    return write


@pytest.fixture
def bare_run(tmp_path: Path) -> Path:
    """A finished run of a plugin that has nothing to do with music, and left nothing yet."""
    folder = tmp_path / "runs" / "depth" / "20260102-030405-infer"
    folder.mkdir(parents=True)
    status = Status(run="depth/x", plugin="depth", task="infer", preset="smoke", state="finished")
    write_status(folder, dataclasses.replace(status, started=1_000.0, ended=1_042.0))
    return folder


@pytest.fixture
def add_artifact() -> Callable[..., None]:
    def add(folder: Path, name: str, content: bytes | str, kind: str, **row: Any) -> None:
        path = folder / "artifacts" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        manifest = folder / "artifacts" / "manifest.json"
        rows = json.loads(manifest.read_text()) if manifest.exists() else []
        rows.append({"path": f"artifacts/{name}", "kind": kind, "title": name} | row)
        manifest.write_text(json.dumps(rows))

    return add


class Page(html.parser.HTMLParser):
    """A page as lists of its tags and their attributes, and its text."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.source = path.read_text(encoding="utf-8")
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self._inside = ""
        self.feed(self.source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside not in {"style", "script"}:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def find(self, tag: str, **attributes: str) -> list[dict[str, str | None]]:
        return [
            attrs
            for name, attrs in self.tags
            if name == tag
            and all(value in (attrs.get(key) or "").split() for key, value in attributes.items())
        ]


@pytest.fixture
def open_page() -> type[Page]:
    return Page
