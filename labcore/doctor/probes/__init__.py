"""The deep tier: each probe uses a framework for real, in a child process with a time limit.

A probe that crashes, hangs or is killed is a result like any other. Nothing here imports a
framework; the probes' own modules are imported by the child alone.
"""

from labcore.doctor.probes.catalogue import PROBES, Probe
from labcore.doctor.probes.runner import run_child, run_probes

__all__ = ["PROBES", "Probe", "run_child", "run_probes"]
