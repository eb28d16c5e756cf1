"""Every command in the README and on the pages is one that works.

``lab`` commands that only look are run, and the lines printed below them must be part of what they
print. Those that would train are composed as with ``--dry-run``: every option and value is checked.
Other commands (nox, pip, python) stand in ``bash`` blocks that say why they are not run; their
sessions, extras and files must exist.
"""

import ast
import json
import re
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "plugins").glob("*/README.md")),
    ROOT / "benchmarks" / "README.md",
]
_LOOKS = {"--help", "-h", "--dry-run", "--cfg", "-c", "--info", "-i", "--version"}
_FENCE = re.compile(
    r"(?P<mark><!-- no-test: (?P<reason>.+?) -->\n)?^```(?P<kind>console|bash)\n(?P<body>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    kind: str
    body: str
    reason: str | None


@dataclass(frozen=True)
class Command:
    words: tuple[str, ...]
    output: tuple[str, ...]


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    return [Block(m["kind"], m["body"], m["reason"]) for m in _FENCE.finditer(text)]


def commands(body: str) -> Iterator[Command]:
    """Yields the lines that begin with ``$`` and what is printed below each."""
    for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
        line, *output = part.splitlines()
        yield Command(tuple(shlex.split(line)), tuple(filter(str.strip, output)))


def squeeze(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture
def type_lab(monkeypatch, capsys, tmp_path):
    """Types a ``lab`` command in an empty folder, in this process."""
    from labcore.cli.main import main

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAB_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("LAB_PLUGINS", raising=False)

    def type_command(*words: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["lab", *words])
        with pytest.raises(SystemExit) as stopped:
            main()
        captured = capsys.readouterr()
        return int(stopped.value.code or 0), captured.out + captured.err

    return type_command


def _sweeps(words: tuple[str, ...]) -> bool:
    return bool({"-m", "--multirun"} & set(words))


def _check_sweep(words: tuple[str, ...]) -> None:
    from labcore.config import check_sweep, select_plugin
    from labcore.discovery import find_plugins

    overrides = [word for word in words if not word.startswith("-")]
    check_sweep(select_plugin(find_plugins(), overrides), overrides)


def _check_parse(words: tuple[str, ...]) -> None:
    """Lets click read a command that is not to be run."""
    from labcore.cli.main import cli

    command, context = cli, None
    while hasattr(command, "get_command"):
        context = command.make_context("lab", [words[0]], parent=context, resilient_parsing=True)
        command, words = command.get_command(context, words[0]), words[1:]
        assert command is not None
    command.make_context("lab", list(words), parent=context)


def _problem_of(type_lab, words: tuple[str, ...], output: tuple[str, ...]) -> str | None:
    """Types or checks one ``lab`` command; returns what is wrong with it."""
    name, rest = words[0], words[1:]
    only_looks = bool(_LOOKS & set(words)) or name in {"compare", "list", "show", "runs"}
    only_looks = only_looks or words[:2] in {("data", "list"), ("env", "plan")}
    only_looks = only_looks or "--explain" in words
    if not only_looks and name == "run" and _sweeps(words):
        _check_sweep(rest)
        return None
    if not only_looks and name != "run":
        _check_parse(words)
        return None
    if name == "compare":
        _write_compared_runs(Path("runs"))
    refused = any(line.startswith("error: ") for line in output)
    code, printed = type_lab(*words, *([] if only_looks else ["--dry-run"]))
    if code != (2 if refused else 0):
        return f"exit code {code}: {printed}"
    if not (only_looks or refused):
        return None  # its output is that of a run
    missing = [line for line in output if squeeze(line) not in squeeze(printed)]
    return f"does not print {missing}, but:\n{printed}" if missing else None


def _write_compared_runs(runs_dir: Path) -> None:
    """Writes what `lab compare` wants of five runs; the losses are those of real ones."""
    from labcore.record.status import Status, write_status

    runs = [(1, 1e-3, 114.782, 114.665), (2, 1e-3, 141.443, 142.243), (3, 1e-3, 126.417, 127.692)]
    runs += [(1, 3e-4, 148.771, 148.698), (2, 3e-4, 159.1496, 159.330)]
    for minute, (seed, lr, val, test) in enumerate(runs):
        run = f"musicvae/20260102-030{4 + minute}05-train-smoke"
        (runs_dir / run).mkdir(parents=True)
        figures = {
            "val/loss": val,
            "test/loss": test,
            "val/teacher_accuracy": 0.7,
            "val/kl_bits": 10.0,
        }
        status = Status(run=run, plugin="musicvae", task="train", preset="smoke", created=minute)
        status.state, status.ended, status.metrics = "finished", minute + 20.0, figures
        write_status(runs_dir / run, status)
        train = {"monitor": "loss", "goal": "minimize"}
        config = {"seed": seed, "optimizer": {"lr": lr}, "train": train}
        (runs_dir / run / "config.yaml").write_text(json.dumps(config))


@pytest.mark.ml
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_lab_command_of_the_page_works(page, type_lab, monkeypatch):
    problems = []
    for block in blocks(page):
        if block.kind != "console":
            continue
        for command in commands(block.body):
            words = command.words
            if words[0] == "cd":
                assert (ROOT / words[1]).is_dir()
                monkeypatch.syspath_prepend(str(ROOT / words[1]))
                continue
            if words[0] == "export":
                name, _, value = words[1].partition("=")
                monkeypatch.setenv(name, value)
                continue
            words = words[3:] if words[:3] == ("python", "-m", "labcore") else words[1:]
            problem = _problem_of(type_lab, words, command.output)
            if problem:
                problems.append(f"$ {shlex.join(command.words)}\n{problem}")
    assert not problems, "\n\n".join(problems)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_console_line_is_a_command_that_this_test_knows(page):
    for block in blocks(page):
        if block.kind == "console":
            for command in commands(block.body):
                known = command.words[0] in {"lab", "cd", "export"}
                assert known or command.words[:3] == ("python", "-m", "labcore"), command


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_other_command_says_why_it_is_not_run_and_names_what_exists(page):
    for block in blocks(page):
        if block.kind == "bash":
            assert block.reason, f"say why it is not run: <!-- no-test: ... -->\n{block.body}"
            for line in block.body.splitlines():
                for command in line.split("&&"):
                    _check_names(shlex.split(command))


def _check_names(words: list[str]) -> None:
    if words[0] == "nox" and "-s" in words:
        named = words[words.index("-s") + 1 :]
        named = named[: named.index("--")] if "--" in named else named
        assert set(named) <= sessions(), words
        if "bench" in named and "--" in words:
            for name in words[words.index("--") + 1 :]:
                assert (ROOT / "benchmarks" / f"{name}.py").exists(), name
        elif "--" in words:
            for path in (word for word in words if "/" in word):
                assert (ROOT / path).exists(), path
    elif words[0] == "pip":
        for extra in re.findall(r"\[([\w,]+)\]", " ".join(words)):
            assert set(extra.split(",")) <= extras(), words
    elif words[0] == "python" and words[1] != "-m":
        assert (ROOT / words[1]).exists(), words


def sessions() -> set[str]:
    tree = ast.parse((ROOT / "noxfile.py").read_text(encoding="utf-8"))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    return {
        function.name
        for function in functions
        if any("session" in ast.unparse(each) for each in function.decorator_list)
    }


def extras() -> set[str]:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    section = text.partition("[project.optional-dependencies]")[2].partition("\n[")[0]
    return set(re.findall(r"^(\w+) = \[", section, re.MULTILINE))


def test_contributing_lists_every_session():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `nox -s (\w+)`", text, re.MULTILINE)) == sessions()
