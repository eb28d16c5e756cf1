"""A stub driver, for machines with GPUs."""

from tests.stub_nvml.fixtures import clean_environment, driver, stub_libraries, stub_machine

__all__ = ["clean_environment", "driver", "stub_libraries", "stub_machine"]
