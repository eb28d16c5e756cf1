"""The script that holds the tables to the wheels of the package index, on an index of our own."""

import importlib.util
from types import ModuleType

import pytest
from packaging.specifiers import SpecifierSet

from labcore.discovery import env_dir


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    path = env_dir() / "compat" / "check_wheels.py"
    spec = importlib.util.spec_from_file_location("check_wheels", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    names = [f"torch-2.2.{patch}-cp3{minor}-cp3{minor}-manylinux1_x86_64.whl"
             for patch, minor in ((0, 7), (1, 8), (2, 8), (2, 9), (2, 10))]  # fmt: skip
    files = [{"filename": name, "url": "", "requires-python": ">=3.7.1"} for name in names]
    monkeypatch.setattr(module, "index", lambda _package: files)
    monkeypatch.setattr(module, "asks", lambda _wheels: {"numpy": SpecifierSet("<2,>=1.22")})
    return module


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({"python": ">=3.7,<3.11"}, ""),
        ({"python": ">=3.8,<3.10"}, "the table says Python 3.8 to 3.9, the wheels 3.7 to 3.10"),
        ({"asks": {"numpy": ">=1.22,<2.0"}}, ""),
        ({"asks": {"numpy": ">=1.22"}}, "the table says numpy>=1.22, the wheel numpy<2,>=1.22"),
        ({"goes_with": {"numpy": "2.0.0"}}, "numpy 2.0.0 goes with it"),
    ],
)
def test_a_row_that_a_wheel_contradicts_is_told(script, row, problem) -> None:
    found = list(script.problems_of("torch", "2.2.2", row))
    assert found == [] if not problem else problem in found[0]


def test_a_release_without_a_wheel_is_told(script) -> None:
    assert list(script.problems_of("torch", "9.9.9", {})) == ["there is no wheel of it"]
