"""A stub driver for tests of what the doctor reads from one."""

from tests.stub_nvml.fixtures import clean_environment, driver, stub_libraries, stub_machine

__all__ = ["clean_environment", "driver", "stub_libraries", "stub_machine"]
