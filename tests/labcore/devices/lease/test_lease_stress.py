"""A short round of the benchmark in which many processes fight for few GPUs and are killed."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from tests.stub_nvml import compiler

PROGRAM = Path(__file__).parents[4] / "benchmarks/lease_stress.py"


@pytest.fixture(scope="module")
def stress():
    spec = importlib.util.spec_from_file_location("lease_stress", PROGRAM)
    module = importlib.util.module_from_spec(spec)
    before = list(sys.path)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]
    sys.path[:] = before


@pytest.mark.skipif(compiler() is None, reason="needs Linux and a C compiler, to build the stub")
def test_processes_that_fight_and_die_never_share_a_gpu_and_all_get_their_turn():
    done = subprocess.run(
        [sys.executable, str(PROGRAM), "--processes", "12", "--seconds", "4"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    figures = dict(line.split("  ", 1) for line in done.stdout.splitlines() if "  " in line)
    assert int(figures["grants"]) > 20
    assert figures["all GPUs free at the end"].strip() == "yes"


def test_the_witness_sees_two_holders(stress):
    events = [
        (1.0, "got", 10, "GPU-a"),
        (1.1, "got", 11, "GPU-b"),
        (1.2, "got", 11, "GPU-a"),
        (1.3, "gave", 10, "GPU-a"),
    ]
    report = stress.read_log(events, {10, 11})
    assert len(report.double_holders) == 2
    assert not report.ok


def test_the_witness_takes_a_killed_holder_for_gone(stress):
    events = [
        (1.0, "waited", 10, "0.5"),
        (1.0, "got", 10, "GPU-a"),
        (1.2, "killed", 10, ""),
        (1.3, "waited", 11, "1.5"),
        (1.3, "got", 11, "GPU-a"),
        (1.4, "gave", 11, "GPU-a"),
    ]
    report = stress.read_log(events, {11, 12})
    assert report.double_holders == []
    assert (report.grants, report.kills, report.killed_holding) == (2, 1, 1)
    assert report.starved == [12]
    assert not report.ok
