"""GPUs of this machine, and where a run computes. Imports no framework."""

from labcore.devices.choice import DevicePlan, meets, plan
from labcore.devices.cores import available_cores
from labcore.devices.inventory import Gpu, gpus, visible_gpus

__all__ = ["DevicePlan", "Gpu", "available_cores", "gpus", "meets", "plan", "visible_gpus"]
