"""What "Setting up a machine" tells is what the doctor does."""

import json
import re
import shlex
import sys
from pathlib import Path

import pytest

from labcore.cli.main import cli, main
from labcore.doctor import STATES
from labcore.doctor.checks import all_checks

PAGE = (Path(__file__).parents[2] / "docs" / "setting-up-a-machine.md").read_text(encoding="utf-8")
COMMANDS = [
    shlex.split(command)
    for command in re.findall(r"\| `(lab [^`]+)` \|$", PAGE, re.MULTILINE)
    + re.findall(r"^\$ (lab .+)$", PAGE, re.MULTILINE)
]


def table(heading: str) -> list[list[str]]:
    text = re.split(rf"^{re.escape(heading)}$", PAGE, flags=re.MULTILINE)[1]
    body = re.search(r"^\|---.*\n((?:\|.*\n)+)", text, re.MULTILINE)
    assert body is not None
    return [
        [cell.strip(" `") for cell in row.strip("|\n").split(" | ")] for row in body[1].splitlines()
    ]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_is_one_that_lab_understands(words) -> None:
    command, context, rest = cli, None, words[1:]
    while hasattr(command, "get_command"):
        name, *rest = rest
        context = command.make_context("lab", [name], parent=context, resilient_parsing=True)
        command = command.get_command(context, name)
        assert command is not None, name
    if words[1] != "run":  # its words are Hydra's
        command.make_context("lab", list(rest), parent=context)


def test_every_symptom_leads_to_checks_that_exist() -> None:
    named = set(re.findall(r"--only ([a-z0-9-]+)", PAGE))
    assert len(named) > 20
    assert named <= {check.id for check in all_checks()}


def test_the_states_are_those_of_findings() -> None:
    assert [row[1] for row in table("## Reading the page")] == list(STATES)


@pytest.fixture
def answer(monkeypatch, capsys) -> dict:
    monkeypatch.setattr(sys, "argv", ["lab", "doctor", "--json"])
    with pytest.raises(SystemExit):
        main()
    return json.loads(capsys.readouterr().out)


def test_the_fields_of_the_json_are_those_listed(answer) -> None:
    assert [row[0] for row in table("## JSON")] == list(answer)
    assert table("## JSON")[0][1] == answer["schema"]
    assert [row[0] for row in table("A finding:")] == list(answer["findings"][0])
