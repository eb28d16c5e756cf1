"""GPUs of this machine, who uses them, and where a run computes. Imports no framework."""

from labcore.devices.allocation import acquire, plan
from labcore.devices.candidates import fits_paper
from labcore.devices.device_plan import DevicePlan
from labcore.devices.inventory.gpu import Gpu, GpuProcess
from labcore.devices.inventory.limits import available_cores
from labcore.devices.inventory.nvml import NvmlProblem
from labcore.devices.inventory.survey import Survey, survey, visible_gpus
from labcore.devices.lease.desk import Lease, Leases, release_all
from labcore.devices.lease.owner import Owner
from labcore.devices.request import DeviceRequest

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
    "plan",
    "release_all",
    "survey",
    "visible_gpus",
]
