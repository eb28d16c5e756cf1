"""Environment variables, tools, accounts."""

import os
import sys

import pytest

from labcore.doctor.gather import (
    files,
    tools,
)
from labcore.doctor.gather.tools import read_environment
from tests.labcore.doctor.gather.folders import lay

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's own folders")


def test_variables_are_those_on_the_list_and_never_a_secret() -> None:
    taken = read_environment(
        {
            "CUDA_VISIBLE_DEVICES": "0",
            "LD_LIBRARY_PATH": "/x",
            "LAB_API_KEY": "abc",
            "NCCL_TOKEN": "abc",
            "WANDB_API_KEY": "abc",
            "MY_OWN": "abc",
            "WANDB_BASE_URL": "https://tester:abc@wandb.example.org",
        }
    )["environ"]
    assert taken == {
        "CUDA_VISIBLE_DEVICES": "0",
        "LD_LIBRARY_PATH": "/x",
        "WANDB_BASE_URL": "https://***@wandb.example.org",
    }


@pytest.mark.parametrize(
    ("settings", "environ", "mode"),
    [
        ("", {}, ""),
        ("[default]\nmode = offline\n", {}, "offline"),
        ("[default]\nmode = offline\n", {"WANDB_MODE": "online"}, "online"),
        ("", {"WANDB_DISABLED": "true"}, "disabled"),
        ("not a settings file", {}, ""),
    ],
)
def test_the_mode_of_wandb_is_found(tmp_path, monkeypatch, settings, environ, mode) -> None:
    monkeypatch.chdir(tmp_path)
    lay(tmp_path, {".config/wandb/settings": settings})
    assert tools.read_wandb(tmp_path, environ)["wandb_mode"] == mode


def test_a_cache_folder_that_is_not_there_may_be_made_or_not(tmp_path) -> None:
    lay(tmp_path, {"file": ""})
    environ = {"XDG_CACHE_HOME": str(tmp_path / "new"), "TORCH_HOME": str(tmp_path / "file" / "x")}
    dirs = tools.find_caches(tmp_path, environ)["cache_dirs"]
    assert dirs[str(tmp_path / "new" / "huggingface")] is True
    assert dirs[str(tmp_path / "file" / "x")] is False


@linux
def test_tools_are_found_or_known_to_be_missing(tmp_path, monkeypatch, no_cache) -> None:
    git = lay(tmp_path, {"git": "#!/bin/sh\n"}) / "git"
    git.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("LD_LIBRARY_PATH", raising=False)
    monkeypatch.setattr(files, "system_libraries", lambda: {"libEGL.so.1": "/lib/libEGL.so.1"})
    found = tools.find_tools()["tools"]
    assert found["git"] == str(git)
    assert found["libEGL"] == "/lib/libEGL.so.1"
    assert found["ffmpeg"] == found["libfluidsynth"] == ""


@linux
def test_a_command_that_hangs_or_fails_says_nothing(monkeypatch) -> None:
    monkeypatch.setattr(files, "_PATIENCE_S", 0.1)
    assert files.output_of(["sleep", "30"]) == ""
    assert files.output_of(["false"]) == ""
    assert files.output_of([os.devnull]) == ""
    assert files.output_of(["echo", "hello"]) == "hello\n"


def test_a_package_is_located_without_importing_it(tmp_path, monkeypatch) -> None:
    lay(tmp_path, {"explosive/__init__.py": "raise SystemExit('imported')"})
    monkeypatch.syspath_prepend(str(tmp_path))
    assert files.package_folder("explosive") == tmp_path / "explosive"
    assert files.package_folder("no_such_package") is None
    assert files.package_folder("os") is None
