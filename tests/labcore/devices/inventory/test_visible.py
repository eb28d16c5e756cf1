"""Reading CUDA_VISIBLE_DEVICES as CUDA does."""

import pytest

from labcore.devices import visible_gpus
from tests.stub_nvml import gpu, machine

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
        ("0,0", ["GPU-aa"]),
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
