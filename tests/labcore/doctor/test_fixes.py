"""Every fix can be pasted: its commands parse, its versions are versions, it has no blanks."""

import re
import shlex
from collections.abc import Iterator

import pytest
import yaml
from packaging.requirements import Requirement

from labcore.discovery import env_dir
from labcore.doctor import diagnose
from labcore.doctor.tables import Setup, explain
from tests.labcore.doctor.checks.test_checks import CASES, CHECKS

COMMAND = re.compile(
    r"""(?:pip\ install|pip\ uninstall|conda\ install|export|unset|sudo|lab\ doctor)\ """
    r"""(?:"[^"]*"|'[^']*'|[^;,()"'])+"""
)
PLACEHOLDER = re.compile(r"<[A-Za-z ]+>|\b(?:FOLDER|INDEX|PROFILE|VERSION|NAME)\b|=\.\.\.|path/to")
PROSE = re.compile(
    r"\s(?:or|and|then|where|when|what|which|while|once|at|with|in|before|after|as|from|there|for|"
    r"beside|names|tells|prints|to|that|by|it|you|may)\s.*"
)


def commands_in(fix: str) -> Iterator[list[str]]:
    """Yields the words of each command in a text, as a shell reads them."""
    for found in COMMAND.finditer(fix):
        text = found[0]
        quoted = re.sub(r"\"[^\"]*\"|'[^']*'", lambda each: "q" * len(each[0]), text)
        end = PROSE.search(quoted)
        yield shlex.split(text[: end.start()] if end else text)


def wrong_in(fix: str) -> list[str]:
    """Says what in a fix a shell or pip would not take."""
    problems = [f"{found} stands for something else" for found in PLACEHOLDER.findall(fix)]
    for words in commands_in(fix):
        if words[:2] == ["pip", "install"]:
            for word, before in zip(words[2:], words[1:], strict=False):
                is_value = before in {"-f", "--index-url", "-c", "--no-binary", "-r", "-e"}
                if not word.startswith("-") and not is_value:
                    try:
                        Requirement(word.removeprefix("git+") if "://" not in word else "x")
                    except ValueError as error:
                        problems.append(f"{shlex.join(words)}: {error}")
        if words[0] == "export" and not all(
            re.fullmatch(r"\w+(=.*)?", word, re.DOTALL) for word in words[1:]
        ):
            problems.append(f"{shlex.join(words)} sets more than a value")
    return problems


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_fix_of_a_check_can_be_pasted(case) -> None:
    for finding in diagnose(case.look(), [CHECKS[case.check]]):
        assert wrong_in(finding.fix) == []


@pytest.mark.parametrize(
    "path", sorted((env_dir() / "compat/known_errors").glob("*.yaml")), ids=lambda path: path.stem
)
def test_the_fix_of_a_known_error_can_be_pasted(path) -> None:
    for row in yaml.safe_load(path.read_text("utf-8")):
        fixes = row.get("fix", ())
        for fix in [fixes] if isinstance(fixes, str) else fixes:
            assert not re.search(r"<[a-z ]+>", fix), row["id"]
            filled = re.sub(r"(?<!=)\{\w+\}", ">=1,<2", fix)
            filled = re.sub(r"\{\w+\}", "1.2", filled)
            for pins in re.findall(r'pip install (?:-\S+ )*((?:"[^"]+" ?)+)', filled):
                for pin in shlex.split(pins):
                    assert Requirement(pin).name, row["id"]


@pytest.mark.parametrize("os", ["linux", "windows", "macos"])
@pytest.mark.parametrize(
    "words",
    [
        "torch=1.12.1 gpu=GTX950M pytorch3d=0.7.0 python=3.10",
        "torch=2.6.0 torchvision=0.16.0 gpu=RTX5090",
        "tensorflow=2.10.1 numpy=2.1.0",
        "tensorflow=2.10.1 gpu=RTX3080",
        "pytorch3d=0.7.4 torch=2.0.1 cuda=11.6",
    ],
)
def test_the_commands_of_explain_can_be_pasted(words, os) -> None:
    answer = explain(Setup.parse([f"os={os}", *words.split()]))
    lines = [*answer.commands, *(line for each in answer.alternatives for line in each.commands)]
    assert lines or os == "macos"
    for line in lines:
        assert wrong_in(line) == []
        assert shlex.split(line, comments=True, posix=os != "windows") or line.startswith("#")


def test_a_fix_that_cannot_be_pasted_is_found() -> None:
    assert wrong_in('pip install "protobuf<that range>"')
    assert wrong_in("export CUB_HOME=the folder that contains cub/") == []  # prose ends it
    assert wrong_in("sudo chown -R $USER FOLDER")
    assert wrong_in("pip install torch==2.7.1, or a newer driver") == []
