"""A stub of NVIDIA's management library, so that what asks a driver is tested with no GPU."""

from tests.stub_nvml.build import Stub, build, compiler
from tests.stub_nvml.scenarios import SCENARIOS, gpu, machine, mig_slice

__all__ = ["SCENARIOS", "Stub", "build", "compiler", "gpu", "machine", "mig_slice"]
