"""What git says, read without changing anything."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from labcore.life import environment
from labcore.life.environment import read_checkout

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


@pytest.fixture
def git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """An empty repository in ``tmp_path / "repo"``, apart from the user's own settings."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    repo = tmp_path / "repo"
    repo.mkdir()

    def run(*arguments: str) -> str:
        command = ["git", "-c", "user.name=T", "-c", "user.email=t@x", "-C", str(repo), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    run("init", "-q", "-b", "main")
    return run


@pytest.fixture
def repo(git: Callable[..., str], tmp_path: Path) -> Path:
    """A repository with one commit."""
    folder = tmp_path / "repo"
    (folder / "a.py").write_text("one\n")
    git("add", ".")
    git("commit", "-q", "-m", "first")
    return folder


def test_a_clean_tree_has_a_commit_a_branch_and_no_difference(repo, git):
    seen = read_checkout(repo)
    assert seen is not None
    assert seen.root == str(repo.resolve())
    assert seen.commit == git("rev-parse", "HEAD").strip()
    assert (seen.branch, seen.dirty, seen.diff) == ("main", False, "")


def test_a_folder_inside_the_tree_finds_the_whole_tree(repo):
    (repo / "sub").mkdir()
    (repo / "a.py").write_text("two\n")
    seen = read_checkout(repo / "sub")
    assert seen is not None
    assert seen.changed == ("a.py",)


def test_changes_are_in_the_difference_and_can_be_applied(repo, git, tmp_path):
    (repo / "a.py").write_text("two\n")
    (repo / "staged file.py").write_text("new\n")
    git("add", "staged file.py")
    seen = read_checkout(repo)
    assert seen is not None
    assert seen.dirty
    assert set(seen.changed) == {"a.py", "staged file.py"}
    patch = tmp_path / "patch"
    patch.write_text(seen.diff)
    git("reset", "-q", "--hard")
    git("apply", str(patch))
    assert (repo / "a.py").read_text() == "two\n"
    assert (repo / "staged file.py").read_text() == "new\n"


def test_untracked_files_are_named_and_not_copied(repo):
    (repo / "notes with spaces.txt").write_text("private\n")
    seen = read_checkout(repo)
    assert seen is not None
    assert seen.dirty
    assert seen.untracked == ("notes with spaces.txt",)
    assert seen.diff == ""


def test_a_renamed_file_is_named_once_by_its_new_name(repo, git):
    git("mv", "a.py", "b.py")
    seen = read_checkout(repo)
    assert seen is not None
    assert seen.changed == ("b.py",)


def test_changes_of_files_with_secrets_are_named_and_not_copied(repo, git):
    for name in (".env", "server.PEM", "my_secrets.yaml"):
        (repo / name).write_text("hunter2\n")
    git("add", "-f", ".")
    seen = read_checkout(repo)
    assert seen is not None
    assert set(seen.changed) == {".env", "server.PEM", "my_secrets.yaml"}
    assert "hunter2" not in seen.diff


def test_before_the_first_commit_everything_staged_is_the_difference(git, tmp_path):
    (tmp_path / "repo" / "a.py").write_text("one\n")
    git("add", ".")
    seen = read_checkout(tmp_path / "repo")
    assert seen is not None
    assert (seen.commit, seen.branch) == (None, "main")
    assert "+one" in seen.diff


def test_a_detached_head_has_no_branch(repo, git):
    git("checkout", "-q", "--detach")
    seen = read_checkout(repo)
    assert seen is not None
    assert seen.branch is None
    assert seen.commit


def test_a_long_difference_is_cut_and_says_so(repo, monkeypatch):
    monkeypatch.setattr(environment, "_MAX_DIFF", 100)
    (repo / "a.py").write_text("two\n" * 1000)
    seen = read_checkout(repo)
    assert seen is not None
    assert len(seen.diff) < 200
    assert "# cut here" in seen.diff


def test_the_trees_own_settings_start_no_program(repo, git, tmp_path):
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\ncat\n")
    trap.chmod(0o755)
    git("config", "core.fsmonitor", str(trap))
    git("config", "diff.external", str(trap))
    git("config", "diff.odd.textconv", str(trap))
    (repo / ".gitattributes").write_text("*.py diff=odd\n")
    (repo / "a.py").write_text("two\n")
    assert read_checkout(repo) is not None
    assert not (tmp_path / "sprung").exists()


def test_outside_a_tree_there_is_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert read_checkout(tmp_path) is None


def test_without_git_there_is_nothing(repo, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert read_checkout(repo) is None


def test_a_git_that_hangs_is_given_up(repo, monkeypatch, tmp_path):
    slow = tmp_path / "git"
    slow.write_text("#!/bin/sh\nexec sleep 30\n")
    slow.chmod(0o755)
    monkeypatch.setattr(environment, "_TIMEOUT_S", 0.2)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert read_checkout(repo) is None
