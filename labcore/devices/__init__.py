"""GPUs of this machine, who uses them, and where a run computes. Imports no framework."""

from labcore.devices.allocation import acquire, plan
from labcore.devices.candidates import fits_paper
from labcore.devices.cores import available_cores
from labcore.devices.device_plan import DevicePlan
from labcore.devices.gpu import Gpu, GpuProcess
from labcore.devices.holding import release_all
from labcore.devices.inventory import Survey, gpus, survey
from labcore.devices.leases import Lease, Leases
from labcore.devices.nvml import NvmlProblem
from labcore.devices.owner import Owner
from labcore.devices.request import DeviceRequest
from labcore.devices.visible import visible_gpus

__all__ = [
    "DevicePlan",
    "DeviceRequest",
    "Gpu",
    "GpuProcess",
    "Lease",
    "Leases",
    "NvmlProblem",
    "Owner",
    "Survey",
    "acquire",
    "available_cores",
    "fits_paper",
    "gpus",
    "plan",
    "release_all",
    "survey",
    "visible_gpus",
]
