"""Tab in the shell: what it offers, as bash gets it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import get_completion_class

from labcore.cli import completion  # noqa: F401  # registers how bash splits words
from labcore.cli.main import cli


@pytest.fixture
def tab(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Presses Tab behind words, which bash has split at each ``=``."""
    monkeypatch.chdir(tmp_path)

    def press(*words: str) -> list[str]:
        monkeypatch.setenv("COMP_WORDS", "\n".join(["lab", *words]))
        monkeypatch.setenv("COMP_CWORD", str(len(words)))
        kind = get_completion_class("bash")
        assert kind is not None
        lines = kind(cli, {}, "lab", "_LAB_COMPLETE").complete().splitlines()
        return [line.removeprefix("plain,") for line in lines]

    return press


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("resu",), ["resume"]),
        (("run", "music"), ["musicvae"]),
        (("run", "plu"), ["plugin=musicvae", "plugin=render"]),
        (("run", "plugin", "="), ["musicvae", "render"]),
        (("run", "plugin", "=", "mus"), ["musicvae"]),
        (("run", "musicvae", "pre"), ["preset="]),
        (("run", "plugin", "=", "musicvae", "preset", "=", "s"), ["smoke"]),
        (("run", "musicvae", "task", "=", "s"), ["sample"]),
        (("run", "musicvae", "optim"), ["optimizer."]),
        (("run", "musicvae", "optimizer.lr_m"), ["optimizer.lr_min="]),
        (("run", "musicvae", "train.goal", "="), ["minimize", "maximize"]),
        (("run", "--dr"), ["--dry-run"]),
        (("show", "mu"), ["musicvae"]),
        (("run", "no_such_plugin", "preset", "="), []),
        (("no_such_command", "x"), []),
    ],
)
def test_tab_offers_what_can_be_typed_next(tab, words, offered):
    assert tab(*words) == offered


def test_with_nothing_typed_every_plugin_and_a_level_of_options_is_offered(tab):
    assert {"musicvae", "plugin=musicvae"} <= set(tab("run", ""))
    offered = tab("run", "musicvae", "")
    assert {"task=", "optimizer.", "seed="} <= set(offered)
    assert not [word for word in offered if word.startswith("optimizer.") and word != "optimizer."]


def test_runs_are_offered_newest_first(tab):
    for plugin, name in (("toy", "20260101-000000-a"), ("other", "20260102-000000-b")):
        folder = Path("runs") / plugin / name
        folder.mkdir(parents=True)
        (folder / "status.json").touch()
    newest_first = ["latest", "other/20260102-000000-b", "toy/20260101-000000-a"]
    assert tab("open", "") == newest_first
    assert tab("resume", "toy") == newest_first[2:]
    assert tab("run", "musicvae", "run", "=") == ["latest"]
    assert tab("compare", "toy/20260101-000000-a", "") == [
        *newest_first[:2],
        *("plugin=other", "plugin=toy", "task=", "preset=", "state=", "last="),
    ]
    assert tab("compare", "plugin", "=", "t") == ["toy"]


def test_completing_imports_no_framework_and_no_hydra():
    code = (
        "import os, sys; os.environ['COMP_WORDS'] = 'lab\\nrun\\nmusicvae\\nopt';"
        "os.environ['COMP_CWORD'] = '3';"
        "from labcore.cli import completion, main;"
        "print(completion._Bash(main.cli, {}, 'lab', '_LAB_COMPLETE').complete());"
        "print(sorted({'torch', 'numpy', 'hydra', 'omegaconf', 'rich'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["plain,optimizer.", "[]"]


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_itself_completes_with_the_printed_script(tmp_path):
    lab = tmp_path / "lab"
    lab.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m labcore "$@"\n', encoding="utf-8")
    lab.chmod(0o755)
    script = (
        f'PATH="{tmp_path}:$PATH"; eval "$(lab completion bash)"; '
        "COMP_WORDS=(lab run plugin = mus); COMP_CWORD=4; _lab_completion lab; "
        'echo "${COMPREPLY[@]}"'
    )
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "musicvae"
