"""``lab run --help``, for all plugins and for one."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from labcore.cli.runs.run import run

TOY = """
from dataclasses import field
from enum import Enum

class Kind(Enum):
    flat = "flat"
    tall = "tall"

@dataclass(kw_only=True, slots=True)
class Net:
    kind: Kind = Kind.flat
    '''Shape of the [net].'''
    width: int = 8
    '''Units of a layer.'''
    rate: float = 0.001
    '''How fast.'''

@dataclass(kw_only=True, slots=True)
class ToyConfig(Config):
    net: Net = field(default_factory=Net)

def work(run): pass

plugin = Plugin(
    name="toy", summary="A toy.", config=ToyConfig, configs="toy_configs",
    tasks=(Task(name="work", summary="Works.", run=__name__ + ":work"),
           Task(name="rest", summary="Rests.", run=__name__ + ":work")),
    presets={"smoke": "seconds", "laptop": "minutes", "nested": "with defaults"},
)
"""
FILES = {
    "preset/smoke.yaml": "# @package _global_\nnet: {width: 2, rate: 1e-3}\n",
    "preset/laptop.yaml": "# @package _global_\namount: 5\n",
    "preset/nested.yaml": "# @package _global_\ndefaults:\n  - override /net: tall\namount: 9\n",
    "net/flat.yaml": "kind: flat\n",
    "net/tall.yaml": "kind: tall\n",
}


@pytest.fixture(autouse=True)
def toy(write_plugin: Callable[[str, str], str], tmp_path: Path) -> None:
    write_plugin("toy", TOY)
    for name, text in FILES.items():
        path = tmp_path / "toy_configs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def help_of(*arguments: str) -> str:
    result = CliRunner().invoke(run, [*arguments, "--help"], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_general_help_says_how_to_write_a_command_and_lists_the_plugins() -> None:
    text = help_of()
    for part in ("lab run plugin=NAME", "A toy.", "--dry-run", "--multirun", "taps="):
        assert part in text


def test_help_of_a_plugin_lists_tasks_presets_and_groups() -> None:
    text = help_of("plugin=toy")
    for part in (
        "Works. (default)",
        "Rests.",
        "minutes (auto takes this here)",
        "flat, tall",
        "tensorboard",
    ):
        assert part in text


def test_every_option_is_there_with_its_default_type_and_documentation() -> None:
    lines = help_of("plugin=toy", "preset=none").splitlines()
    for line in (
        "  amount=1  How much. [integer]",
        "  net.kind=flat   Shape of the [net]. [flat|tall]",
        "  net.width=8     Units of a layer. [integer]",
    ):
        assert line in lines
    assert any(line.startswith("  seed=0") for line in lines)


def test_the_defaults_are_those_of_the_preset() -> None:
    lines = help_of("plugin=toy", "preset=smoke").splitlines()
    assert "  net.width=2     Units of a layer. [integer; 8 without preset]" in lines
    assert "  net.rate=0.001  How fast. [number]" in lines


def test_a_preset_made_of_groups_is_composed() -> None:
    text = help_of("plugin=toy", "preset=nested")
    assert "net.kind=tall" in text
    assert "amount=9" in text


def test_overrides_are_shown_too() -> None:
    assert "net.width=3" in help_of("plugin=toy", "net.width=3")


def test_wrong_overrides_do_not_keep_the_help_away() -> None:
    result = CliRunner().invoke(run, ["plugin=toy", "widht=3", "--help"])
    assert "net.width=8" in result.stdout
    assert "did you mean net.width?" in result.stderr


def test_no_line_is_wider_than_the_page_or_ends_in_spaces() -> None:
    for line in help_of("plugin=toy").splitlines():
        assert len(line) <= 100
        assert line == line.rstrip()


def test_help_needs_neither_hydra_nor_a_framework() -> None:
    code = (
        "import sys\n"
        "from labcore.cli.main import main\n"
        "sys.argv = ['lab', 'run', 'plugin=toy', '--help']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print(sorted({'torch', 'hydra', 'omegaconf', 'numpy'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        cwd=Path(__file__).parents[4],
    )
    assert done.stdout.splitlines()[-1] == "[]"
