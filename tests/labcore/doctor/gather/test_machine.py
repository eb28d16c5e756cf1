"""This machine, systems and drivers, read from made-up folders; gathering never fails."""

import importlib.metadata
import platform
import sys

import pytest

from labcore.devices import Gpu, GpuProcess, NvmlProblem, Survey
from labcore.doctor import gather
from labcore.doctor.gather import (
    driver,
    files,
    frameworks,
    gather_here,
    libraries,
    system,
)
from tests.labcore.doctor.gather.folders import lay

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's own folders")


def test_this_machine_is_known_and_no_framework_was_imported() -> None:
    machine = gather_here()
    assert machine.origin == "here"
    assert machine.python == platform.python_version()
    assert (machine.usable_cores or 0) >= 1
    assert (machine.memory_gb or 0) > 0.1
    assert (machine.packages or {})["click"] == importlib.metadata.version("click")
    assert machine.encoding == sys.getfilesystemencoding()


def test_a_gatherer_that_fails_leaves_only_its_own_facts_unknown() -> None:
    def breaks():
        raise OSError("strange machine")

    machine = gather_here([lambda: {"cores": 4}, breaks, lambda: {"gcc": "12.2.0"}])
    assert (machine.cores, machine.gcc, machine.driver) == (4, "12.2.0", None)


def test_every_gatherer_is_one_that_this_machine_survives() -> None:
    for each in gather.GATHERERS:
        assert isinstance(each(), dict)


@linux
def test_the_system_is_told_from_its_files(tmp_path) -> None:
    lay(
        tmp_path,
        {"etc/os-release": 'NAME=x\nPRETTY_NAME="Test Linux 7"\n', "run/.containerenv": ""},
    )
    facts = system.read_system(tmp_path, {"SLURM_JOB_ID": "12"})
    assert facts["os"] == "linux"
    assert facts["os_name"] == "Test Linux 7"
    assert (facts["container"], facts["is_cluster"]) == ("podman", "slurm")


@pytest.mark.parametrize(
    ("files_there", "environ", "container"),
    [
        ({}, {}, ""),
        ({".dockerenv": ""}, {}, "docker"),
        ({".dockerenv": ""}, {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, "kubernetes"),
        ({}, {"SINGULARITY_CONTAINER": "/x.sif"}, "apptainer"),
        ({}, {"container": "systemd-nspawn"}, "systemd-nspawn"),
    ],
)
def test_a_container_is_recognised(tmp_path, files_there, environ, container) -> None:
    facts = system.read_system(lay(tmp_path, files_there), environ)
    assert facts["container"] == container


@pytest.mark.parametrize(
    ("name", "text", "limit"),
    [
        ("memory.max", "max\n", None),
        ("memory.max", "2000000000\n", 2.0),
        ("memory/memory.limit_in_bytes", "9223372036854771712\n", None),
        ("memory/memory.limit_in_bytes", "4000000000\n", 4.0),
    ],
)
def test_the_memory_limit_of_a_container_is_read(tmp_path, name, text, limit) -> None:
    assert (
        system.read_limits(lay(tmp_path, {f"sys/fs/cgroup/{name}": text}))["memory_limit_gb"]
        == limit
    )


def test_free_space_is_asked_of_folders_that_are_not_there_yet(tmp_path, monkeypatch) -> None:
    folder = tmp_path / "not" / "yet"
    monkeypatch.setenv("LAB_DATA_DIR", str(folder))
    assert system.read_resources()["disk_free_gb"][str(folder)] > 0


@linux
def test_a_driver_is_told_from_its_files(tmp_path, monkeypatch) -> None:
    library = tmp_path / "lib" / "libnvidia-ml.so.580.65.06"
    lay(
        tmp_path,
        {
            "proc/driver/nvidia/version": "NVRM version: NVIDIA UNIX x86_64 Kernel Module  "
            "535.183.01  Sun May 12\n",
            "sys/bus/pci/devices/0000:01:00.0/vendor": "0x10de\n",
            "sys/bus/pci/devices/0000:01:00.0/class": "0x030000\n",
            "sys/bus/pci/devices/0000:01:00.1/vendor": "0x10de\n",  # the sound of the same card
            "sys/bus/pci/devices/0000:01:00.1/class": "0x040300\n",
            "sys/bus/pci/devices/0000:02:00.0/vendor": "0x8086\n",
            "sys/bus/pci/devices/0000:02:00.0/class": "0x030000\n",
            "dev/nvidia0": "",
            "dev/nvidia-caps/nvidia-cap1": "",
            "lib/libnvidia-ml.so.580.65.06": "",
        },
    )
    (tmp_path / "lib" / "libnvidia-ml.so.1").symlink_to(library)
    monkeypatch.setattr(driver, "find_library", lambda name: str(tmp_path / "lib" / name))
    facts = driver.read_driver_files(tmp_path)
    assert facts["nvidia_pci"] == 1
    assert facts["kernel_driver"] == "535.183.01"
    assert facts["nvml_library"] == "580.65.06"
    assert facts["device_nodes"] == {"/dev/nvidia0": True}


@linux
def test_no_driver_is_an_empty_answer_and_not_an_unknown_one(
    tmp_path, no_cache, monkeypatch
) -> None:
    monkeypatch.delenv("LD_LIBRARY_PATH", raising=False)
    assert driver.read_driver_files(tmp_path) == {
        "nvidia_pci": 0,
        "kernel_driver": "",
        "device_nodes": {},
        "nvml_library": "",
        "libcuda": "",
    }


def test_elsewhere_the_files_of_linux_are_not_known(monkeypatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    assert driver.read_driver_files() == {}
    assert libraries.find_libraries() == {}
    assert frameworks.read_extensions() == {}
    files.system_libraries.cache_clear()
    assert files.system_libraries() == {}
    files.system_libraries.cache_clear()


def a_gpu(**changes) -> Gpu:
    fields = {
        "index": 0,
        "uuid": "GPU-1",
        "name": "RTX 4090",
        "memory_total_mib": 24564,
        "memory_used_mib": 400,
        "compute_capability": 8.9,
        "driver": "580.1",
        "processes": (GpuProcess(pid=7),),
        "throttle": ("hardware slowdown",),
    }
    return Gpu(**{**fields, **changes})


def test_cards_are_those_of_the_survey_as_schedulers_count_them_and_slices_come_last(
    monkeypatch,
) -> None:
    place = "00000000:65:00.0"
    piece = a_gpu(uuid="MIG-1", parent_uuid="GPU-2", mig_profile="1g.5gb", throttle=None)
    said = Survey(
        gpus=(
            piece,
            a_gpu(uuid="MIG-2", parent_uuid="GPU-2"),
            a_gpu(pci_bus_id="00000000:B3:00.0"),
        ),
        parents=(a_gpu(uuid="GPU-2", compute_capability=9.0, mig_enabled=True, pci_bus_id=place),),
        driver="580.1",
        cuda_driver="13.0",
        lost=("card 3: gone",),
    )
    monkeypatch.setattr(driver, "survey", lambda: said)
    facts = driver.read_cards()
    assert (facts["driver"], facts["driver_cuda"]) == ("580.1", "13.0")
    assert facts["lost_cards"] == ("card 3: gone",)
    parent, whole, first, second = facts["cards"]
    assert (parent.mig_enabled, parent.compute_capability) == (True, "9.0")
    assert (whole.num_processes, whole.throttle) == (1, ("hardware slowdown",))
    assert (first.mig_profile, first.throttle) == ("1g.5gb", ())
    assert second.mig_profile is not None  # a slice is a slice, named or not


@pytest.mark.parametrize(("code", "cards"), [(12, ()), (9, ()), (18, None), (999, None)])
def test_without_an_answer_there_is_no_card_or_it_is_not_known(monkeypatch, code, cards) -> None:
    monkeypatch.setattr(driver, "survey", lambda: Survey(problem=NvmlProblem(code=code, text="t")))
    facts = driver.read_cards()
    assert facts["cards"] == cards
    assert facts["driver_trouble"].code == code
