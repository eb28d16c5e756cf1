"""Tiny plugins, made as files so that they are found the way a user's are."""

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

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
