"""Cores that may really be used."""

import os

import pytest

from labcore.devices import available_cores
from labcore.devices.inventory import cores


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A machine with 64 cores; returns a function that sets the process's control group."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(64)), raising=False)
    monkeypatch.setattr(cores, "_CGROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(cores, "_OWN_CGROUP", tmp_path / "own")

    def setting(own: str, files: dict[str, str]) -> None:
        (tmp_path / "own").write_text(own)
        for name, text in files.items():
            path = tmp_path / "cgroup" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

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
