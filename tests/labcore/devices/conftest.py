"""A stub driver with the GPUs that a test asks for, and an environment that hides none."""

import pytest

from labcore.devices import Gpu
from tests.stub_nvml.fixtures import clean_environment, driver, stub_libraries, stub_machine

__all__ = ["clean_environment", "driver", "make_gpu", "stub_libraries", "stub_machine"]


@pytest.fixture(autouse=True)
def _clean(clean_environment: None) -> None:
    """No test here may meet the leases of the machine."""


@pytest.fixture
def make_gpu():
    """Makes records of GPUs, for functions that are given them."""

    def make(index: int = 0, **values: object) -> Gpu:
        standard = {
            "uuid": f"GPU-{index}",
            "name": "A card",
            "memory_total_mib": 24_576,
            "memory_used_mib": 300,
            "compute_capability": 8.6,
            "driver": "580.1",
            "processes": (),
        }
        return Gpu(index=index, **{**standard, **values})

    return make
