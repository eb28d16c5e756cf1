"""What is known of one GPU."""

from dataclasses import dataclass

__all__ = ["Gpu", "GpuProcess"]

_MIB = 1 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class GpuProcess:
    """A process that computes on a GPU."""

    pid: int
    """As the machine counts: inside a container it is no process that can be seen from here."""
    memory_mib: int | None = None
    """None where the driver does not say (Windows, WSL)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Gpu:
    """One GPU, or one MIG slice of a GPU that is cut into slices.

    A field that is None is one that the card or its driver does not tell.
    """

    index: int
    """Position in PCI bus order among the GPUs listed."""
    uuid: str
    name: str
    memory_total_mib: int
    memory_used_mib: int
    compute_capability: float
    driver: str
    """Version of NVIDIA's driver."""
    pci_bus_id: str | None = None
    """As ``nvidia-smi`` writes it: 00000000:65:00.0."""
    parent_uuid: str | None = None
    """Of a MIG slice: the card that it is cut from."""
    mig_profile: str | None = None
    """Of a MIG slice: its size, such as 1g.10gb."""
    mig_enabled: bool = False
    """Whether the card is cut into MIG slices, and cannot be used as a whole."""
    processes: tuple[GpuProcess, ...] | None = None
    """Processes that compute on it; a display server does not count."""
    utilisation_percent: int | None = None
    """Time in which the card computed, of the last second or less."""
    temperature_c: int | None = None
    power_w: float | None = None
    power_limit_w: float | None = None
    ecc_errors: int | None = None
    """Uncorrected memory errors since the driver was loaded."""
    compute_mode: str | None = None
    """``Default``, ``Exclusive_Process`` or ``Prohibited``."""
    persistence: bool | None = None
    """Whether the driver stays loaded while nobody uses the card."""
    throttle: tuple[str, ...] | None = None
    """Why the clocks are held down now, idling left out."""

    @property
    def kind(self) -> tuple[str, int]:
        """Name and memory: GPUs of one kind serve alike."""
        return (self.name, self.memory_total_mib)

    @property
    def memory_gb(self) -> float:
        """Memory in GB (10^9 bytes), the unit on the box and in declarations."""
        return self.memory_total_mib * _MIB / 1e9

    @property
    def free_gb(self) -> float:
        """Memory that no process uses now, in GB (10^9 bytes)."""
        return max(0, self.memory_total_mib - self.memory_used_mib) * _MIB / 1e9

    @property
    def used_gb(self) -> float:
        """Memory in use now, in GB (10^9 bytes)."""
        return self.memory_used_mib * _MIB / 1e9

    def describe(self) -> str:
        """Returns number, name and memory for people."""
        return f"GPU {self.index} ({self.name}, {self.memory_gb:.0f} GB)"
