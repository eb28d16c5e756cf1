"""Cores and memory that may really be used."""

import os

import pytest

from labcore.devices import available_cores
from labcore.devices.inventory import limits
from labcore.devices.inventory.limits import read_limits
from labcore.doctor.gather import system


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A machine with 64 cores; returns a function that sets the process's control group."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(64)), raising=False)
    monkeypatch.setattr(limits, "read_limits", lambda root=tmp_path: read_limits(root))

    def setting(own: str, files: dict[str, str]) -> None:
        write(tmp_path / "proc/self/cgroup", own)
        for name, text in files.items():
            write(tmp_path / "sys/fs/cgroup" / name, text)

    return setting


def test_without_limits_it_is_the_affinity(machine):
    assert available_cores() == 64


def test_a_quota_of_two_and_a_half_cores_gives_three(machine):
    machine("0::/job\n", {"job/cpu.max": "250000 100000\n"})
    assert available_cores() == 3


def test_the_smallest_quota_on_the_way_up_counts(machine):
    machine(
        "0::/a/b\n",
        {"cpu.max": "max 100000", "a/cpu.max": "200000 100000", "a/b/cpu.max": "max 100000"},
    )
    assert available_cores() == 2


def test_the_older_control_groups_are_read_too(machine):
    machine(
        "4:cpu,cpuacct:/job\n3:memory:/job\n",
        {"cpu/job/cpu.cfs_quota_us": "400000", "cpu/job/cpu.cfs_period_us": "100000"},
    )
    assert available_cores() == 4


def test_an_unlimited_or_garbled_quota_is_no_limit(machine):
    machine("0::/job\n", {"job/cpu.max": "what?\n", "cpu.max": "max 100000\n"})
    assert available_cores() == 64


def test_a_quota_below_one_core_still_gives_one(machine):
    machine("0::/\n", {"cpu.max": "10000 100000\n"})
    assert available_cores() == 1


def test_without_affinity_it_is_the_count_of_cores(machine, monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 10)
    assert available_cores() == 10


@pytest.mark.parametrize(
    ("own", "files"),
    [
        (
            "4:memory:/slurm/uid_1000/job_7/step_0\n3:cpu,cpuacct:/\n",
            {
                "memory/memory.limit_in_bytes": "9223372036854771712\n",
                "memory/slurm/uid_1000/job_7/memory.limit_in_bytes": "8000000000\n",
                "memory/slurm/uid_1000/job_7/step_0/memory.limit_in_bytes": "9000000000\n",
            },
        ),
        (
            "0::/system.slice/slurmstepd.scope/job_7/step_0\n",
            {
                "system.slice/slurmstepd.scope/job_7/memory.max": "8000000000\n",
                "system.slice/slurmstepd.scope/job_7/step_0/memory.max": "max\n",
            },
        ),
        (
            # systemd's mixture: the second version has no controllers, the first has them
            "9:memory:/job_7\n0::/job_7\n",
            {"memory/job_7/memory.limit_in_bytes": "8000000000\n"},
        ),
    ],
)
def test_the_memory_of_a_job_is_what_its_own_groups_leave(machine, tmp_path, own, files):
    machine(own, files)
    assert read_limits(tmp_path).memory_bytes == 8_000_000_000
    assert system.read_limits(tmp_path)["memory_limit_gb"] == 8.0
