"""A toy training that uses every source of randomness, in this process or in one to be killed."""

import importlib.util
import multiprocessing
import runpy
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests import warm

HERE = Path(__file__).parent
NEEDS_NO_TORCH = {"test_loop_config.py", "test_monitor.py"}

if any(importlib.util.find_spec(name) is None for name in ("torch", "lightning_fabric")):
    # The core's own tests also run where no framework is installed.
    collect_ignore_glob = [
        str(path.relative_to(HERE))
        for path in HERE.rglob("test_*.py")
        if path.name not in NEEDS_NO_TORCH
    ]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE) and item.path.name not in NEEDS_NO_TORCH:
            item.add_marker("ml")


@pytest.fixture(scope="session")
def toy() -> ModuleType:
    """The module ``toy.py`` beside this file."""
    import torch

    torch.set_num_threads(1)
    spec = importlib.util.spec_from_file_location("toy", HERE / "toy.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def new_run(toy: ModuleType, tmp_path: Path) -> Callable[..., Any]:
    """Makes a run in ``tmp_path/run``; keyword arguments are options of the loop."""

    def make(folder: str = "run", **options: Any) -> Any:
        return toy.make_run(tmp_path / folder, **options)

    return make


@pytest.fixture(scope="session")
def start_child() -> Callable[..., Any]:
    """Starts a function of ``toy.py`` in a process of its own and returns the process."""
    context = multiprocessing.get_context("forkserver")
    # torch takes seconds to import; the server does so once and its children are forks of it.
    context.set_forkserver_preload(warm.PRELOAD)

    def start(function: str, *, environment: dict[str, str] | None = None, **arguments: Any) -> Any:
        order = (function, environment or {}, arguments)
        process = context.Process(
            target=runpy.run_path,
            args=(str(HERE / "toy.py"),),
            kwargs={"init_globals": {"ORDER": order}, "run_name": "__toy__"},
        )
        process.start()
        return process

    return start


@pytest.fixture(scope="session")
def child(start_child: Callable[..., Any]) -> Callable[..., int]:
    """Runs a function of ``toy.py`` in a process of its own and returns its exit code."""

    def run(function: str, **arguments: Any) -> int:
        process = start_child(function, **arguments)
        process.join(120)
        assert process.exitcode is not None
        return process.exitcode

    return run
