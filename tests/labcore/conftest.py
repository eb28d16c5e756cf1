"""Tiny plugins, made as files so that they are found the way a user's are, and tiny runs."""

import json
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from labcore.record.status import Status, write_status

HEADER = """
from dataclasses import dataclass
from labcore import *
from labcore.errors import *

@dataclass(kw_only=True, slots=True)
class Config:
    '''Options of a plugin of the tests.'''
    amount: int = 1
    '''How much.'''

"""


@pytest.fixture
def write_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], str]:
    """Writes a plugin module and announces it in LAB_PLUGINS.

    The body defines ``work(run)``, or declares ``plugin`` itself.
    """
    announced: list[str] = []

    def write(name: str, body: str) -> str:
        module = f"lab_test_{tmp_path.name.replace('-', '_')}_{name}"
        text = HEADER + textwrap.dedent(body)
        if "plugin = " not in body:
            text += (
                f"\nplugin = Plugin(name={name!r}, summary='a plugin of the tests', config=Config,"
                f" tasks=(Task(name='work', summary='Works.', run='{module}:work', trains=True),)"
                ")\n"
            )
        (tmp_path / f"{module}.py").write_text(text, encoding="utf-8")
        announced.append(f"{name}={module}:plugin")
        monkeypatch.setenv("LAB_PLUGINS", ",".join(announced))
        return module

    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return write


@pytest.fixture
def add_run(tmp_path: Path) -> Callable[..., Path]:
    """Writes a finished run below ``runs/`` with a seed, options, curves and last figures."""

    def add(
        name: str,
        *,
        plugin: str = "toy",
        seed: int = 0,
        options: dict[str, Any] | None = None,
        figures: dict[str, float] | None = None,
        val: Sequence[float] = (),
        **status: Any,
    ) -> Path:
        folder = tmp_path / "runs" / plugin / name
        folder.mkdir(parents=True)
        plain = {"task": "train", "preset": "smoke", "state": "finished", "created": 0.0}
        said = {"run": f"{plugin}/{name}", "plugin": plugin, "metrics": figures or {}}
        write_status(folder, Status(**{**plain, **said, **status}))
        train = {"monitor": "loss", "goal": "minimize"}
        config = {"plugin": plugin, "seed": seed, "train": train, **(options or {})}
        (folder / "config.yaml").write_text(json.dumps(config))
        lines = [
            json.dumps({"step": step, "phase": "val", "values": {"loss": value}})
            for step, value in enumerate(val)
        ]
        (folder / "metrics.jsonl").write_text("\n".join(lines))
        return folder

    return add
