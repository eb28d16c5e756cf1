"""Listing GPUs, with a driver that the test makes up."""

import sys

import pytest

from labcore.devices import gpus, visible_gpus


def test_each_gpu_is_listed_with_what_the_driver_says(driver, card):
    fake = driver(
        card("GPU-a", "A100", total_mib=40_960, used_mib=1_000, capability=(8, 0)),
        card("GPU-b", "H100", total_mib=81_559, capability=(9, 0)),
    )
    first, second = gpus()
    assert (first.index, first.uuid, first.name) == (0, "GPU-a", "A100")
    assert (first.memory_total_mib, first.memory_used_mib) == (40_960, 1_000)
    assert (second.index, second.compute_capability, second.driver) == (1, 9.0, "580.1")
    assert fake.opened == 0


def test_memory_is_in_the_gigabytes_on_the_box(driver, card):
    driver(card("GPU-a", total_mib=81_559, used_mib=81_559 - 1_000))
    assert gpus()[0].memory_gb == pytest.approx(85.5, abs=0.1)
    assert gpus()[0].free_gb == pytest.approx(1.05, abs=0.01)


def test_compute_capability_12_0_is_above_9_0(driver, card):
    driver(card("GPU-a", capability=(12, 0)))
    assert gpus()[0].compute_capability == 12.0


def test_without_nvidias_library_there_is_no_gpu(driver, monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert gpus() == []


def test_without_a_driver_there_is_no_gpu(driver):
    driver(error=True)
    assert gpus() == []


def test_a_lost_card_does_not_hide_the_others(driver, card):
    fake = driver(card("GPU-a", broken=True), card("GPU-b"))
    assert [gpu.uuid for gpu in gpus()] == ["GPU-b"]
    assert fake.opened == 0


def test_a_card_cut_into_slices_is_listed_as_its_slices(driver, card):
    slices = [card("MIG-1", total_mib=9_856), card("MIG-2", total_mib=9_856)]
    driver(card("GPU-a", capability=(8, 0), slices=slices), card("GPU-b"))
    found = gpus()
    assert [gpu.uuid for gpu in found] == ["MIG-1", "MIG-2", "GPU-b"]
    assert [gpu.index for gpu in found] == [0, 1, 2]
    assert found[0].memory_total_mib == 9_856
    assert found[0].compute_capability == 8.0


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("1", ["GPU-bb"]),
        ("1,0", ["GPU-bb", "GPU-aa"]),
        ("GPU-b", ["GPU-bb"]),
        ("GPU-ab", ["GPU-ab"]),
        ("GPU-a", []),
        ("", []),
        ("-1", []),
        ("0,7,1", ["GPU-aa"]),
        (" 2 , 0 ", ["GPU-ab", "GPU-aa"]),
    ],
)
def test_the_variable_is_read_as_cuda_reads_it(driver, card, value, expected):
    driver(card("GPU-aa"), card("GPU-bb"), card("GPU-ab"))
    assert [gpu.uuid for gpu in visible_gpus({"CUDA_VISIBLE_DEVICES": value})] == expected


def test_without_the_variable_every_gpu_is_visible(driver, card):
    driver(card("GPU-a"), card("GPU-b"))
    assert len(visible_gpus({})) == 2
