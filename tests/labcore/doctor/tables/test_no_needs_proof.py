"""What the tables may not do: say no, or fail a machine, on a row that nobody has checked."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from labcore.discovery import env_dir
from labcore.doctor import Machine, diagnose
from labcore.doctor import tables as compat
from labcore.doctor.checks import all_checks
from labcore.doctor.machine import Card, TensorFlowBuild, Toolkit, TorchBuild
from labcore.doctor.tables import Row, Verdict, tables
from labcore.doctor.tables.verdict import no

RULES = {"cuda-guide", "nv-relnotes-13.1", "pt-cpp-extension", "pt-release-md", "pypi-wheels",
         "tf-pip-page", "tf-source-md"}  # fmt: skip
"""Sources of what is no row: NVIDIA and macOS, the wheels on PyPI, torch's extension builder."""
CARDS = ("3.0", "3.7", "5.0", "5.3", "6.1", "7.0", "7.5", "8.6", "9.0", "10.0", "12.0", "12.1")
DRIVERS = ("410.48", "470.82.01", "550.54.14", "580.65.06", "616.00")
PYTHONS = ("3.6", "3.8", "3.11", "3.14")
CHECKS = [check for check in all_checks() if not check.deep]


@pytest.fixture
def unchecked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reads the tables as if none of their rows had been checked."""
    folder = tmp_path / "compat"
    shutil.copytree(env_dir() / "compat", folder)
    for path in folder.glob("*.json"):
        path.write_text(path.read_text("utf-8").replace('verified": true', 'verified": false'))
    monkeypatch.setattr(tables, "compat_dir", lambda: folder)
    monkeypatch.setattr("labcore.doctor.tables.gpu.compat_dir", lambda: folder)


def verdicts() -> Iterator[Verdict]:
    """Every question that a row answers, with neighbours that trip it."""
    cudas = [row.cuda for row in compat.TOOLKITS.rows]
    for cuda in cudas:
        for driver in DRIVERS:
            for os in ("linux", "windows"):
                yield compat.driver_runs(driver, cuda, os)
        for card in CARDS:
            yield compat.toolkit_makes_code(cuda, card)
        yield compat.gcc_with_cuda("16", cuda)
    for row in compat.GPUS.rows:
        for driver in DRIVERS:
            yield compat.driver_knows_card(driver, row.compute_capability)
    torches = [row.newest for row in compat.TORCH.rows]
    for row in compat.TORCH.rows:
        torch = row.newest
        yield compat.torch_with_cuda(torch, "10.0")
        yield compat.torchvision_with("0.8.2", torch)
        for build in row.builds:
            for card in CARDS:
                yield compat.torch_runs_on(torch, build.cuda, card)
        for python in PYTHONS:
            yield compat.python_fits("torch", torch, python)
        for release in compat.PYTORCH3D.rows:
            yield compat.pytorch3d_with(release.pytorch3d, torch, "12.1")
    for row in compat.TENSORFLOW.rows:
        for card in CARDS:
            yield compat.tensorflow_runs_on(row.newest, card)
        for cuda, cudnn in (("10.1", "7.0"), (row.cuda, "7.0"), ("13.0", None)):
            yield compat.tensorflow_with_cuda(row.newest, cuda, cudnn)
        for python in PYTHONS:
            yield compat.python_fits("tensorflow", row.newest, python)
        for torch in torches:
            yield compat.tensorflow_with_torch(row.newest, torch)


def machines() -> Iterator[Machine]:
    """A machine for each release and card, of which a report tells versions and no more."""
    bare = Machine(origin="report", os="linux", packages={}, driver="470.82.01")
    for capability in CARDS:
        card = Card(name=f"card {capability}", uuid="GPU-1", index=0, compute_capability=capability)
        for row in compat.TORCH.rows:
            for build in row.builds:
                yield replace(
                    bare,
                    cards=(card,),
                    python="3.6.9",
                    packages={"torch": row.newest, "torchvision": "0.8.2", "numpy": "1.19"},
                    torch=TorchBuild(version=row.newest, cuda=build.cuda),
                    toolkits=(Toolkit(version="10.2", root="/usr/local/cuda", has_nvcc=True),),
                    gcc="16.0",
                )
        for row in compat.TENSORFLOW.rows:
            yield replace(
                bare,
                cards=(card,),
                python="3.14.0",
                packages={"tensorflow": row.newest, "numpy": "1.19", "protobuf": "2.0"},
                tensorflow=TensorFlowBuild(version=row.newest),
                libraries=(),
            )


def test_a_no_cannot_be_made_without_a_row_that_was_checked() -> None:
    with pytest.raises(TypeError, match="rests on verified rows"):
        Verdict(state="no", why="it is old")
    assert (
        no("it is old", "a newer one", Row(sources=("cuda-guide",), verified=False)).state
        == "doubtful"
    )
    assert no("it is old", "a newer one", Row(sources=(), verified=True)).state == "doubtful"
    assert no("it is old", "a newer one", Row(sources=("cuda-guide",), verified=True)).state == "no"


def test_only_one_place_makes_a_no() -> None:
    for path in (env_dir().parent / "labcore").rglob("*.py"):
        if path.name != "verdict.py":
            assert 'state="no"' not in path.read_text("utf-8"), path


def test_of_tables_that_nobody_checked_no_row_says_no(unchecked: None) -> None:
    found = list(verdicts())
    assert len(found) > 3000
    assert sum(each.state == "doubtful" for each in found) > 500
    for each in found:
        assert each.state != "no" or set(each.sources) <= RULES, each


def test_every_no_of_the_tables_names_its_sources() -> None:
    refused = [each for each in verdicts() if each.state == "no"]
    assert len(refused) > 500
    assert all(each.verified and set(each.sources) <= set(compat.sources()) for each in refused)


def test_no_machine_fails_by_a_row_that_nobody_checked(unchecked: None) -> None:
    warned = 0
    for machine in machines():
        findings = diagnose(machine, CHECKS)
        failures = [each for each in findings if each.state == "failure"]
        assert not [each for each in failures if not set(each.sources) & RULES], failures
        warned += any("perhaps" in each.summary for each in findings)
    assert warned > 300


def test_a_healthy_volta_server_is_not_told_that_torch_has_no_kernels_for_it() -> None:
    card = Card(name="Tesla V100-SXM2-16GB", uuid="GPU-1", index=0, compute_capability="7.0")
    for version, cuda in (("2.8.0", "12.8"), ("2.9.1", "12.8"), ("2.10.0", "12.8")):
        machine = Machine(
            origin="report",
            os="linux",
            driver="570.133.20",
            cards=(card,),
            torch=TorchBuild(version=f"{version}+cu128", cuda=cuda),
        )
        findings = diagnose(machine, CHECKS)
        assert [each for each in findings if each.state in {"failure", "warning"}] == []
