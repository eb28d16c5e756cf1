"""Sweep files written by a test, read, and what is said of them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from labcore.errors import UsageError
from labcore.sweeps.file.read import Reading, read_in_part, read_sweep
from labcore.sweeps.sweep import Sweep

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a file: text as it is, anything else as JSON."""

    def call(content: Any, name: str = "") -> Path:
        is_text = isinstance(content, str)
        path = tmp_path / (name or ("sweep.yaml" if is_text else "sweep.json"))
        path.write_text(content if is_text else json.dumps(content, indent=1), encoding="utf-8")
        return path

    return call


@pytest.fixture
def read(write: Write) -> Callable[..., Sweep]:
    def call(content: Any, name: str = "", **options: Any) -> Sweep:
        return read_sweep(write(content, name), **options)

    return call


@pytest.fixture
def whole(write: Write) -> Callable[..., Reading]:
    """Reads with all that is to be said of the file."""

    def call(content: Any, name: str = "", **options: Any) -> Reading:
        return read_in_part(write(content, name), **options)

    return call


@pytest.fixture
def problems(write: Write) -> Callable[..., tuple[str, ...]]:
    def call(content: Any, name: str = "", **options: Any) -> tuple[str, ...]:
        path = write(content, name)
        with pytest.raises(UsageError) as caught:
            read_sweep(path, **options)
        assert caught.value.exit_code == 2
        assert str(path) in caught.value.message
        return caught.value.problems

    return call
