"""Fixtures that put the stub in the place of NVIDIA's driver; import them into a conftest."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.stub_nvml.build import SCENARIO_VARIABLE, Stub, build, compiler
from tests.stub_nvml.scenarios import SCENARIOS

__all__ = ["Driver", "driver", "stub_libraries", "stub_machine"]

Driver = Callable[[str], Stub]
"""Takes the name of a scenario or its text, and makes this process's driver tell it."""

_INHERITED = ("CUDA_", "SLURM_", "RAY_", "PBS_", "LSB_", "OMP_", "LOCAL_", "LAB_LEASE")


@pytest.fixture(scope="session")
def stub_libraries(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Builds each kind once: ``new``, ``old``, and ``inside`` for this process."""
    if compiler() is None:
        pytest.skip("there is no C compiler; install gcc on Linux to test with a stub driver")
    folder = tmp_path_factory.mktemp("nvml")
    built: dict[str, Path] = {}

    def library(kind: str) -> Path:
        if kind not in built:
            name = "libstub-nvml.so" if kind.startswith("inside") else "libnvidia-ml.so.1"
            built[kind] = build(folder / kind, old=kind.endswith("old"), soname=name)
        return built[kind]

    return library


@pytest.fixture
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Leaves nothing of a scheduler, of earlier choices or of other leases."""
    for name in list(os.environ):
        if name.startswith(_INHERITED):
            monkeypatch.delenv(name)
    monkeypatch.setenv("LAB_LEASE_DIR", str(tmp_path / "leases"))


@pytest.fixture
def driver(
    stub_libraries: Callable[[str], Path],
    clean_environment: None,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Iterator[Driver]:
    """Puts a stub in the place of the driver for this process alone, and takes it out again."""
    import ctypes

    import pynvml

    def install(scenario: str) -> Stub:
        kind = "inside-old" if scenario == "old_driver" else "inside"
        stub = Stub(library=stub_libraries(kind), scenario=tmp_path / "machine.txt")
        stub.write(SCENARIOS.get(scenario, scenario))
        monkeypatch.setenv(SCENARIO_VARIABLE, str(stub.scenario))
        monkeypatch.setattr(pynvml, "nvmlLib", ctypes.CDLL(str(stub.library)))
        monkeypatch.setattr(pynvml, "_nvmlGetFunctionPointer_cache", {})
        return stub

    yield install
    from labcore.devices import release_all

    release_all()


@pytest.fixture
def stub_machine(
    stub_libraries: Callable[[str], Path], clean_environment: None, tmp_path: Path
) -> Callable[[str], Stub]:
    """Makes a stub for child processes, which get it through ``Stub.environment()``."""

    def make(scenario: str) -> Stub:
        kind = "old" if scenario == "old_driver" else "new"
        stub = Stub(library=stub_libraries(kind), scenario=tmp_path / "machine.txt")
        stub.write(SCENARIOS.get(scenario, scenario))
        return stub

    return make
