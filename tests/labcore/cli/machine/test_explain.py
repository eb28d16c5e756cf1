"""``lab doctor --explain`` as a user reads it."""

import json

import pytest

from labcore.cli.machine.explain import print_explanation
from labcore.errors import UsageError

NOTES = ["torch=2.0.1", "cuda=11.7", "gpu=RTX 3080", "pytorch3d=0.7.4"]


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FORCE_COLOR", raising=False)


def test_both_systems_are_answered_and_windows_shows_what_is_different(capsys):
    assert print_explanation(NOTES, False) == 0
    linux, _, windows = capsys.readouterr().out.partition("On Windows:")
    assert "On Linux: goes together\n" in linux
    assert "torch 2.0.1 was released for CUDA 11.7, 11.8" in linux
    assert windows.startswith(" goes together, with care")
    assert "CUB of CUDA 11.7" in windows
    assert "was released for" not in windows
    assert '$env:CUB_HOME = "$PWD\\cub-1.17.2"' in windows


def test_one_system_is_answered_when_it_is_named(capsys):
    assert print_explanation([*NOTES, "os=windows"], False) == 0
    out = capsys.readouterr().out
    assert "On Windows: goes together, with care" in out
    assert "On Linux" not in out


def test_a_set_that_does_not_go_says_why_and_what_does(capsys):
    assert print_explanation(["gpu=GTX 950M", "torch=2.12.1", "cuda=13.0", "os=linux"], False) == 3
    out = capsys.readouterr().out
    assert "does not go together" in out
    assert "no kernel image is available" in out
    assert "1. CUDA 13.0 -> 12.6" in out
    assert "pip install torch==2.12.1 --index-url https://download.pytorch.org/whl/cu126" in out


def test_a_set_that_no_table_row_mends_says_so(capsys):
    assert print_explanation(["gpu=RTX 5090", "tensorflow=2.21", "os=linux"], False) == 3
    assert "No set in the tables does it with this card" in capsys.readouterr().out


def test_what_is_not_known_is_no_failure(capsys):
    assert print_explanation(["torch=2.99"], False) == 0
    out = capsys.readouterr().out
    assert "not known" in out
    assert "which goes from 1.7 to 2.15" in out
    assert "On Windows: not known: a row is missing, for the same reasons" in out


def test_a_set_that_works_on_one_system_only_is_no_failure(capsys):
    assert print_explanation(["tensorflow=2.15", "gpu=RTX 3080"], False) == 0
    out = capsys.readouterr().out
    assert "On Linux: goes together" in out
    assert "On Windows: does not go together" in out
    assert "WSL2" in out


def test_json_has_every_pair_with_its_sources(capsys):
    assert print_explanation([*NOTES, "driver=455.45"], True) == 0
    answer = json.loads(capsys.readouterr().out)
    assert set(answer) == {"linux", "windows"}
    assert answer["linux"]["goes_together"] is True
    pair = next(
        each
        for each in answer["linux"]["pairs"]
        if each["pair"].startswith("driver 455.45 + torch")
    )
    assert pair["state"] == "limited"
    assert pair["of"] == ["driver", "torch", "cuda"]
    assert {"id", "title", "url"} == set(pair["sources"][0])
    assert any(source["url"].startswith("https://docs.nvidia.com/") for source in pair["sources"])


def test_json_of_a_set_that_does_not_go_has_sets_that_do(capsys):
    print_explanation(["gpu=GTX 950M", "torch=2.12.1", "cuda=13.0", "os=linux"], True)
    first = json.loads(capsys.readouterr().out)["linux"]["alternatives"][0]
    assert first["changes"] == ["CUDA 13.0 -> 12.6"]
    assert "cuda=12.6" in first["set"]
    assert first["commands"]


@pytest.mark.parametrize("columns", [80, 120])
def test_commands_are_whole_on_a_terminal_of_any_width(columns, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("FORCE_COLOR", "1")
    print_explanation([*NOTES, "os=linux"], False)
    out = capsys.readouterr().out
    command = 'pip install --no-build-isolation "git+https://github.com/facebookresearch/pytorch3d.git@v0.7.4"'
    lines = out.splitlines()
    assert any(command in line for line in lines)
    assert all(len(line) < columns + 40 for line in lines if "pip install" not in line)


def test_a_wrong_name_is_a_mistake_of_the_command():
    with pytest.raises(UsageError, match="did you mean torch"):
        print_explanation(["torhc=2.0.1"], False)
