"""How a compilation is spread: parallel jobs, and GPUs to compile for."""

from collections.abc import Sequence

from labcore.compat import arch_of, parse_version, toolkit_makes_code, torch_archs

__all__ = ["arch_list", "max_jobs"]

_GB_PER_JOB = 2.0
"""A compiler process of PyTorch3D takes 1.4 to 2.1 GB."""


def max_jobs(num_cores: int | None, memory_gb: float | None) -> int | None:
    """Returns how many compilers may run at once; None when the machine is not known."""
    if num_cores is None or memory_gb is None:
        return None
    return max(1, min(num_cores, int(memory_gb / _GB_PER_JOB)))


def arch_list(toolkit: str, capabilities: Sequence[str], torch: str, cuda: str) -> str:
    """Returns TORCH_CUDA_ARCH_LIST: the GPUs to make code for.

    Of a GPU that the toolkit does not know yet, the nearest older capability and PTX are taken.
    Without a GPU it is what torch itself was built for, as far as the toolkit makes it.

    Args:
        toolkit: Version of the CUDA toolkit.
        capabilities: Of the GPUs; none when they are not known.
        torch: Version of torch.
        cuda: CUDA of its build.
    """
    wanted = list(capabilities) or [
        arch for arch in torch_archs(torch, cuda) or () if not arch.endswith("+PTX")
    ]
    archs: list[str] = []
    for capability in wanted:
        state = toolkit_makes_code(toolkit, capability).state
        if state == "yes":
            archs.append(capability)
        elif state == "limited":
            archs.append(f"{_older(capability, toolkit)}+PTX")
    return ";".join(sorted(set(archs), key=lambda arch: parse_version(arch.removesuffix("+PTX"))))


def _older(capability: str, toolkit: str) -> str:
    """The highest capability of the same major version that a toolkit knows."""
    major, minor = capability.split(".")
    below = [f"{major}.{each}" for each in range(int(minor) - 1, -1, -1)]
    return next(
        each
        for each in below
        if (row := arch_of(each)) is not None
        and not row.tegra
        and toolkit_makes_code(toolkit, each).state == "yes"
    )
