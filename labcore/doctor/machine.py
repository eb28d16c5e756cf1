"""What is known of a machine: the facts that checks judge.

None means that it is not known, an empty value that there is none: a machine read from a pasted
report has many unknowns, this machine few.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

__all__ = [
    "Card", "CompiledExtension", "DriverTrouble", "Library", "Machine", "TensorFlowBuild",
    "Toolkit", "TorchBuild",
]  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Card:
    """A GPU, or a MIG slice of one."""

    name: str
    uuid: str | None = None
    index: int | None = None
    compute_capability: str | None = None
    """As NVIDIA writes it: 8.6."""
    memory_mib: int | None = None
    memory_used_mib: int | None = None
    mig_profile: str | None = None
    """Of a slice: 1g.10gb; None on a whole card."""
    mig_enabled: bool = False
    """Of a whole card that is cut into slices."""
    ecc_errors: int | None = None
    """Uncorrected memory errors since the driver was loaded."""
    persistence: bool | None = None
    compute_mode: str | None = None
    """Default, Exclusive_Process or Prohibited."""
    throttle: tuple[str, ...] = ()
    """Why the clocks are held down now, in NVIDIA's words, idling left out."""
    temperature_c: int | None = None
    num_processes: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class DriverTrouble:
    """Why NVIDIA's management library does not answer."""

    code: int
    """NVML's number: 4 no permission, 9 driver not loaded, 12 library not found, 18 version
    mismatch, 999 unknown."""
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class TorchBuild:
    """What the installed torch was built with, read without importing it."""

    version: str
    cuda: str | None = None
    """CUDA version of the build, 13.0; empty for a CPU build; None when unknown."""
    hip: str = ""
    """ROCm version of a build for AMD."""
    cudnn: str | None = None
    archs: tuple[str, ...] | None = None
    """Kernels in it: sm_86, compute_90."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TensorFlowBuild:
    """What the installed TensorFlow was built with."""

    version: str
    cuda: str | None = None
    cudnn: str | None = None
    archs: tuple[str, ...] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Toolkit:
    """A CUDA toolkit."""

    version: str
    root: str
    cub: str | None = None
    """Version of its CUB, 1.15.0."""
    thrust: str | None = None
    has_nvcc: bool | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Library:
    """A shared library of CUDA that the loader can meet."""

    name: str
    """File name: libcudnn.so.9."""
    path: str
    where: Literal["wheel", "ld_library_path", "system", "conda"]
    version: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class CompiledExtension:
    """Whether a compiled extension fits the torch beside it: ELF symbols and needed libraries."""

    package: str
    path: str
    missing_symbols: tuple[str, ...] = ()
    """Symbols of torch that it wants and this torch does not export, demangled where possible."""
    missing_libraries: tuple[str, ...] = ()
    """Needed libraries that neither torch, nor the CUDA wheels, nor the loader has."""
    has_cuda: bool | None = None
    needs_cuda_runtime: str | None = None
    """libcudart.so.13."""
    has_runpath: bool | None = None
    """Whether it finds torch's libraries by itself, with torch not imported first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Machine:
    """Everything that checks may ask about."""

    origin: Literal["here", "report"]

    os: Literal["linux", "windows", "macos"] | None = None
    os_name: str | None = None
    """For people: Debian GNU/Linux 12."""
    kernel: str | None = None
    architecture: str | None = None
    glibc: str | None = None
    is_wsl: bool | None = None
    container: str | None = None
    """docker, podman, kubernetes ...; empty outside one."""
    cores: int | None = None
    usable_cores: int | None = None
    memory_gb: float | None = None
    memory_limit_gb: float | None = None
    """Limit of the control group (container, job); None without one."""
    open_files: int | None = None
    """How many files a process may have open (the soft limit)."""
    encoding: str | None = None
    """Of file names and output: utf-8."""
    shm_gb: float | None = None
    """Size of /dev/shm."""
    disk_free_gb: Mapping[str, float] = field(default_factory=dict)
    """Folder that the lab writes to, to the space left there."""
    is_cluster: str | None = None
    """slurm, ray ...; empty outside a job."""

    nvidia_pci: int | None = None
    """NVIDIA display devices on the PCI bus, driver or no driver."""
    kernel_driver: str | None = None
    """Version of the loaded kernel module; empty when none is loaded."""
    nvml_library: str | None = None
    """Version in the file name of libnvidia-ml.so.1; empty when there is no such library."""
    driver: str | None = None
    """Version that the driver's library reports; empty when there is no driver."""
    driver_cuda: str | None = None
    """Highest CUDA version of the driver: a ceiling, not an installed toolkit."""
    driver_trouble: DriverTrouble | None = None
    cards: tuple[Card, ...] | None = None
    lost_cards: tuple[str, ...] = ()
    device_nodes: Mapping[str, bool] | None = None
    """/dev/nvidia* to whether this user may open it."""
    libcuda: str | None = None
    """Where libcuda.so.1 comes from; empty when it is not found."""

    python: str | None = None
    in_venv: bool | None = None
    is_conda: bool | None = None
    packages: Mapping[str, str] | None = None
    """Normalised distribution name to version."""
    requirements: Mapping[str, tuple[str, ...]] | None = None
    """Normalised distribution name to its Requires-Dist."""
    owners: Mapping[str, tuple[str, ...]] | None = None
    """Files under site-packages/nvidia that two distributions claim, to their names."""
    modules: Mapping[str, str] = field(default_factory=dict)
    """Top-level module to the distribution or file that provides it, for those that get confused
    (pynvml)."""
    preloaded: tuple[str, ...] = ()
    """Frameworks that were imported before the doctor began, which imports none."""
    has_bytecode: bool | None = None
    """Whether the compiled byte code of the big packages is on disk."""

    torch: TorchBuild | None = None
    """None also when torch is not installed: ``packages`` tells."""
    tensorflow: TensorFlowBuild | None = None
    extensions: tuple[CompiledExtension, ...] | None = None
    toolkits: tuple[Toolkit, ...] | None = None
    """Toolkits found, the one that nvcc on PATH belongs to first."""
    cuda_home: str | None = None
    """The toolkit that torch's extension builder would take; empty when it would find none."""
    gcc: str | None = None
    msvc: str | None = None
    has_ninja: bool | None = None
    cub_home_version: str | None = None
    """CUB version in CUB_HOME; empty when the folder holds none."""
    libdevice: str | None = None
    """Where XLA finds libdevice.10.bc; empty when it is nowhere that it looks."""
    libraries: tuple[Library, ...] | None = None

    environ: Mapping[str, str] | None = None
    """Environment variables that matter here; never secrets."""
    tools: Mapping[str, str] | None = None
    """Command or library (git, ffmpeg, libfluidsynth) to its version or path; empty when it is
    missing."""
    wandb_login: bool | None = None
    """Whether a W&B key is to be had; the key itself is never read into here."""
    wandb_mode: str | None = None
    """What the environment or W&B's settings file ask for: online, offline, disabled; empty when
    nothing does."""
    cache_dirs: Mapping[str, bool] = field(default_factory=dict)
    """Cache folder of weights and data, to whether it may be written."""

    probes: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    """Results of the deep tier's children, by probe."""

    def version(self, package: str) -> str | None:
        """Returns the version of an installed distribution, or None; ``packages`` may be unknown.

        Args:
            package: Normalised name: ``tf-keras``.
        """
        return (self.packages or {}).get(package)

    def variable(self, name: str) -> str:
        """Returns an environment variable; empty when it is unset or the environment unknown."""
        return (self.environ or {}).get(name, "")

    @property
    def toolkit(self) -> Toolkit | None:
        """The toolkit whose nvcc a build takes: that of CUDA_HOME, else the first with an nvcc."""
        having = [each for each in self.toolkits or () if each.has_nvcc is not False]
        home = (self.cuda_home or "").rstrip("/\\")
        at_home = [each for each in having if each.root.rstrip("/\\") == home]
        return next(iter([*at_home, *having]), None)

    @property
    def pytorch3d(self) -> CompiledExtension | None:
        """PyTorch3D's compiled part."""
        return next((each for each in self.extensions or () if each.package == "pytorch3d"), None)

    @property
    def usable_memory_gb(self) -> float | None:
        """Memory that programs here may have: the machine's, or the limit of the container."""
        known = [each for each in (self.memory_gb, self.memory_limit_gb) if each is not None]
        return min(known, default=None)

    @property
    def whole_cards(self) -> tuple[Card, ...]:
        """The cards themselves, slices left out."""
        return tuple(card for card in self.cards or () if card.mig_profile is None)
