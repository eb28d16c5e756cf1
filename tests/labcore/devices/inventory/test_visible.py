"""Reading CUDA_VISIBLE_DEVICES as CUDA does."""

import pytest

from labcore.devices import visible_gpus
from labcore.doctor import diagnose
from labcore.doctor.checks import all_checks
from labcore.doctor.gather import read_cards
from labcore.doctor.machine import Machine
from tests.stub_nvml import gpu, machine, mig_slice

THREE = machine(gpu(0, uuid="GPU-aa"), gpu(1, uuid="GPU-bb"), gpu(2, uuid="GPU-ab"))


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
        ("0,0", []),
        (" 2 , 0 ", ["GPU-ab", "GPU-aa"]),
    ],
)
def test_the_variable_is_read_as_cuda_reads_it(driver, value, expected):
    driver(THREE)
    assert [g.uuid for g in visible_gpus({"CUDA_VISIBLE_DEVICES": value})] == expected


def test_without_the_variable_every_gpu_is_visible(driver):
    driver(THREE)
    assert len(visible_gpus({})) == 3


def test_slices_are_visible_by_their_uuid(driver):
    driver("eight_with_mig")
    (one,) = visible_gpus({"CUDA_VISIBLE_DEVICES": "MIG-00000001-000b"})
    assert one.mig_profile == "2g.20gb"


BESIDE_A_CUT_CARD = {
    "cut first": machine(
        gpu(0, uuid="GPU-cut", mig=1, lack="ecc"),
        mig_slice(0, 1, "1g.10gb", 9856),
        mig_slice(0, 2, "1g.10gb", 9856),
        gpu(1, uuid="GPU-whole"),
    ),
    "cut second": machine(
        gpu(0, uuid="GPU-whole"),
        gpu(1, uuid="GPU-cut", mig=1, lack="ecc"),
        mig_slice(1, 1, "1g.10gb", 9856),
        mig_slice(1, 2, "1g.10gb", 9856),
    ),
}


@pytest.mark.parametrize(
    ("scenario", "value", "whole"),
    [
        ("cut first", "1", True),
        ("cut first", "0", False),
        ("cut second", "0", True),
        ("cut second", "1", False),
        ("cut second", "GPU-cut", False),
        ("cut second", "2", None),
    ],
)
def test_beside_a_cut_card_numbers_count_cards_for_the_lab_and_for_its_doctor(
    driver, scenario, value, whole
):
    driver(BESIDE_A_CUT_CARD[scenario])
    environ = {"CUDA_VISIBLE_DEVICES": value}
    seen = visible_gpus(environ)
    (check,) = [check for check in all_checks() if check.id == "cvd-bad"]
    machine = Machine(origin="here", environ=environ, **read_cards())
    (finding,) = diagnose(machine, [check])
    if whole is None:
        assert seen == []
        assert "there is no GPU 2 (there are 2)" in finding.summary
    elif whole:
        assert [each.uuid for each in seen] == ["GPU-whole"]
        assert finding.evidence["gives"] == ["GPU-whole"]
    else:  # of a card that is cut CUDA takes the first slice
        assert [each.uuid[-3:] for each in seen] == ["001"]
        assert finding.evidence["gives"] == ["GPU-cut"]
