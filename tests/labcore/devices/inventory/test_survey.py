"""Asking NVIDIA's driver: the real nvidia-ml-py, and a stub of the library below it."""

import os
import subprocess
import sys

import pytest

from labcore.devices import survey
from tests.stub_nvml import gpu, machine, mig_slice


def test_each_gpu_is_listed_with_what_the_driver_says(driver):
    driver("two_24gb_one_busy")
    seen = survey()
    busy, idle = seen.gpus
    assert (seen.driver, seen.cuda_driver, seen.problem, seen.lost) == (
        "580.65.06",
        "13.0",
        None,
        (),
    )
    assert (busy.index, busy.name, busy.compute_capability) == (0, "NVIDIA GeForce RTX 3090", 8.6)
    assert (busy.memory_total_mib, busy.memory_used_mib) == (24_576, 9_216)
    assert (busy.utilisation_percent, busy.temperature_c) == (93, 67)
    assert (busy.power_w, busy.power_limit_w) == (321.0, 350.0)
    assert busy.pci_bus_id == "00000000:01:00.0"
    assert [(p.pid, p.memory_mib) for p in busy.processes] == [(4999999, 8900)]
    assert (idle.index, idle.processes, idle.driver) == (1, (), "580.65.06")


def test_memory_is_in_the_gigabytes_on_the_box(driver):
    driver(machine(gpu(0, total=81_559, used=80_559)))
    assert survey().gpus[0].memory_gb == pytest.approx(85.5, abs=0.1)
    assert survey().gpus[0].free_gb == pytest.approx(1.05, abs=0.01)
    assert survey().gpus[0].used_gb == pytest.approx(84.5, abs=0.1)


def test_compute_capability_12_0_is_above_9_0(driver):
    driver(machine(gpu(0, cc="12.0")))
    assert survey().gpus[0].compute_capability == 12.0


@pytest.mark.parametrize(
    ("scenario", "code", "words", "is_no_driver"),
    [
        ("driver_not_loaded", 9, "not loaded", True),
        ("no_permission", 4, "may not ask", False),
        ("version_mismatch", 18, "different versions", False),
        ("unknown_error", 999, "does not answer", False),
        (machine(init=23), 23, "driver says", False),
    ],
)
def test_a_driver_that_does_not_answer_is_a_problem_with_its_number(
    driver, scenario, code, words, is_no_driver
):
    driver(scenario)
    seen = survey()
    assert (seen.gpus, seen.driver) == ((), None)
    assert seen.problem.code == code
    assert words in seen.problem.text
    assert seen.problem.is_no_driver == is_no_driver


def test_without_nvidias_library_the_problem_is_number_12(driver, monkeypatch):
    import pynvml

    driver("no_cards")
    monkeypatch.setattr(pynvml, "nvmlLib", None)
    monkeypatch.setattr(pynvml, "CDLL", lambda name: (_ for _ in ()).throw(OSError(name)))
    assert survey().problem.code == 12
    assert survey().gpus == ()


def test_without_the_python_binding_the_problem_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", None)
    problem = survey().problem
    assert problem.code == 12
    assert "pip install nvidia-ml-py" in problem.text


def test_a_driver_without_cards_is_no_problem(driver):
    driver("no_cards")
    assert survey().problem is None
    assert survey().gpus == ()


def test_a_lost_card_does_not_hide_the_others(driver):
    driver("fallen_off_the_bus")
    seen = survey()
    assert [g.pci_bus_id for g in seen.gpus] == ["00000000:01:00.0", "00000000:03:00.0"]
    assert [g.index for g in seen.gpus] == [0, 1]
    (line,) = seen.lost
    assert line == "card 1 does not answer: it has fallen off the bus"


def test_what_a_geforce_does_not_tell_is_none(driver):
    driver("laptop")
    (card,) = survey().gpus
    untold = (
        *("utilisation_percent", "temperature_c", "power_w", "power_limit_w", "ecc_errors"),
        *("compute_mode", "persistence", "throttle", "processes"),
    )
    for field in untold:
        assert getattr(card, field) is None, field
    assert (card.memory_total_mib, card.mig_enabled) == (2_048, False)


def test_a_driver_of_2019_is_read_through_the_calls_that_it_has(driver):
    driver("old_driver")
    seen = survey()
    assert (seen.driver, seen.cuda_driver) == ("418.87.01", "10.1")
    assert seen.gpus[0].processes == ()
    assert seen.gpus[0].throttle == ()


def test_cards_cut_into_slices_are_listed_as_their_slices(driver):
    driver("eight_with_mig")
    seen = survey()
    assert len(seen.gpus) == 16
    first = seen.gpus[0]
    assert first.uuid.startswith("MIG-")
    assert (first.mig_profile, first.memory_total_mib) == ("1g.10gb", 9_856)
    assert (first.compute_capability, first.utilisation_percent) == (8.0, None)
    parents = {parent.uuid: parent for parent in seen.parents}
    assert parents[first.parent_uuid].name == "NVIDIA A100-SXM4-80GB"
    assert not parents.keys() & {g.uuid for g in seen.gpus}
    assert all(parent.mig_enabled for parent in seen.parents)
    hopper = [g for g in seen.gpus if g.compute_capability == 9.0]
    assert [g.mig_profile for g in hopper] == ["1g.10gb", "1g.10gb"]
    assert [g.index for g in seen.gpus] == list(range(16))


def test_a_card_in_mig_mode_with_no_slice_is_a_parent_and_no_device(driver):
    driver(machine(gpu(0, mig=1, lack="")))
    assert survey().gpus == ()
    assert [parent.name for parent in survey().parents] == ["NVIDIA GeForce RTX 3090"]


def test_ecc_errors_compute_mode_and_throttling_are_told(driver):
    driver(machine(gpu(0, ecc=3, mode=3, throttle=0x41, persistence=0, lack="")))
    (card,) = survey().gpus
    assert (card.ecc_errors, card.compute_mode, card.persistence) == (3, "Exclusive_Process", False)
    assert card.throttle == ("hardware thermal slowdown",)


def test_processes_that_drivers_make_up_are_left_out(driver):
    driver(machine(gpu(0, proc=["4294967295:1", "0:1", "77"])))
    (process,) = survey().gpus[0].processes
    assert (process.pid, process.memory_mib) == (77, None)


def test_a_change_of_the_machine_is_seen_by_the_next_look(driver):
    stub = driver("one_24gb")
    assert survey().gpus[0].memory_used_mib == 300
    stub.write(machine(gpu(0, used=9_000), gpu(1)))
    assert [g.memory_used_mib for g in survey().gpus] == [9_000, 300]


def test_slices_of_one_card_have_its_bus_id(driver):
    driver(machine(gpu(4, mig=1, lack=""), mig_slice(4, 1, "1g.10gb", 9_856)))
    assert [g.pci_bus_id for g in survey().gpus] == ["00000000:05:00.0"]


def test_another_process_finds_the_stub_by_the_name_of_the_driver(stub_machine):
    stub = stub_machine("eight_with_mig")
    code = "from labcore.devices import survey; s = survey(); print(s.driver, len(s.gpus))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={**os.environ, **stub.environment()},
    )
    assert done.stdout.split() == ["580.65.06", "16"]
