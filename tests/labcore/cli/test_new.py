"""``lab new``: a folder that runs as it is, and passes the contract of every plugin."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from labcore import UsageError
from labcore.cli.new import new

ROOT = Path(__file__).parents[3]
FRAMEWORKS = {"torch": "torch", "keras": "tensorflow", "none": "labcore"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    return tmp_path


def make(*words: str) -> str:
    result = CliRunner().invoke(new, words, standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return result.stdout


def passes(folder: Path, *words: str) -> str:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_what_it_makes_passes_the_contract_whatever_the_framework(folder):
    for framework in FRAMEWORKS:
        make(f"mine_{framework}", "--framework", framework)
    said = passes(folder, str(ROOT / "tests/plugins/test_contract.py"), "-k", "mine_")
    assert int(re.search(r"(\d+) passed", said)[1]) >= 10 * len(FRAMEWORKS)


@pytest.mark.parametrize(
    "framework",
    [
        pytest.param("torch", marks=[pytest.mark.ml, pytest.mark.slow]),
        pytest.param("keras", marks=[pytest.mark.ml, pytest.mark.tf, pytest.mark.slow]),
        "none",
    ],
)
def test_its_own_tests_pass(folder, framework):
    # Slow for torch and keras, which three runs import: a template that does not run is no start.
    pytest.importorskip(FRAMEWORKS[framework])
    make("mine", "--framework", framework)
    assert "2 passed" in passes(folder, "tests")


def test_what_it_makes_is_formatted(folder):
    pytest.importorskip("ruff")
    for framework in FRAMEWORKS:
        make(f"mine_{framework}", "--framework", framework)
    command = [sys.executable, "-m", "ruff", "--config", str(ROOT / "pyproject.toml")]
    subprocess.run([*command, "format", "--check", "."], check=True)
    subprocess.run([*command, "check", "--ignore", "I001", "."], check=True)


@pytest.mark.parametrize("name", ["Mine", "my-plugin", "1st", "../up"])
def test_a_name_that_cannot_be_typed_is_refused(folder, name):
    with pytest.raises(UsageError, match="cannot be a plugin's name"):
        make(name)
    assert not list(folder.iterdir())


def test_a_plugin_that_is_there_is_not_written_over(folder):
    with pytest.raises(UsageError, match="there is a plugin 'musicvae' already"):
        make("musicvae")
    make("mine", "--framework", "none")
    with pytest.raises(UsageError, match="already"):
        make("mine")
