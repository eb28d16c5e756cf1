"""The machine that a plan is for: this one, or one that is described."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from labcore.doctor.tables import OsName, find_card, near_cards, parse_version
from labcore.errors import UsageError, suggestion

if TYPE_CHECKING:
    from labcore.doctor.machine import Machine


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """A machine, as far as it matters to a build; None is not known."""

    os: OsName
    python: str | None = None
    driver: str | None = None
    cards: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    """Of the cards, each once, lowest first."""
    torch: str | None = None
    torch_cuda: str | None = None
    """CUDA of the torch build; empty for a CPU build."""
    has_torch: bool = False
    """Whether that torch is installed already."""
    toolkit: str | None = None
    toolkit_root: str | None = None
    toolkit_is_found: bool = True
    """Whether torch's extension builder finds that toolkit by itself."""
    gcc: str | None = None
    num_cores: int | None = None
    memory_gb: float | None = None
    has_cub_home: bool = False
    is_here: bool = False
    """Whether it is this machine."""


def target_of(machine: "Machine") -> Target:
    """Returns this machine as a target."""
    cards = machine.cards or ()
    capabilities = {card.compute_capability for card in cards if card.compute_capability}
    torch = machine.torch
    toolkit = machine.toolkit
    return Target(
        os=machine.os or "linux",
        python=machine.python,
        driver=machine.driver or None,
        cards=tuple(dict.fromkeys(card.name for card in cards)),
        capabilities=tuple(sorted(capabilities, key=parse_version)),
        torch=None if torch is None else torch.version.partition("+")[0],
        torch_cuda=None if torch is None else torch.cuda,
        has_torch=torch is not None,
        toolkit=None if toolkit is None else toolkit.version,
        toolkit_root=None if toolkit is None else toolkit.root,
        toolkit_is_found=toolkit is None or toolkit.root == machine.cuda_home,
        gcc=machine.gcc or None,
        num_cores=machine.usable_cores or machine.cores,
        memory_gb=machine.usable_memory_gb,
        has_cub_home=bool((machine.environ or {}).get("CUB_HOME")),
        is_here=True,
    )


def described(
    here: Target,
    *,
    os: OsName | None = None,
    python: str | None = None,
    torch: str | None = None,
    cuda: str | None = None,
    gpu: str | None = None,
) -> Target:
    """Returns the target that options describe; what they leave open is as it is here.

    Of another operating system nothing is as it is here.

    Args:
        here: This machine.
        os: Operating system.
        python: Python version.
        torch: Version of torch.
        cuda: CUDA of the torch build, and toolkit to build with.
        gpu: Name of a card, or a compute capability.

    Raises:
        UsageError: The card is unknown.
    """
    target = here if os is None or os == here.os else Target(os=os)
    if gpu is not None:
        found = find_card(gpu)
        if found is None:
            hint = suggestion(near_cards(gpu))
            raise UsageError(
                f"there is no card {gpu!r} in the table" + (f"; {hint}" if hint else ""),
                fix="name its compute capability, --gpu 8.6; "
                "https://developer.nvidia.com/cuda-gpus lists them",
            )
        name, arch = found
        target = replace(
            target, cards=(name,), capabilities=(arch.compute_capability,), driver=None
        )
    if python is not None:
        target = replace(target, python=python)
    if torch is not None and not _is_same(torch, target.torch):
        target = replace(target, torch=torch, torch_cuda=None, has_torch=False)
    if cuda is not None:
        target = _with_cuda(target, cuda, keep_torch=torch is not None)
    changed = (os, python, torch, cuda, gpu) != (None,) * 5
    return replace(target, is_here=target.is_here and not changed)


def _with_cuda(target: Target, cuda: str, *, keep_torch: bool) -> Target:
    """A build for another CUDA is another torch, which has to be installed or chosen."""
    if target.torch_cuda is not None and _is_same(cuda, target.torch_cuda):
        same_build = target
    else:
        torch = target.torch if keep_torch else None
        same_build = replace(target, torch=torch, torch_cuda=cuda, has_torch=False)
    if target.toolkit is not None and _is_same(cuda, target.toolkit):
        return same_build
    return replace(same_build, toolkit=cuda, toolkit_root=None)


def _is_same(asked: str, known: str | None) -> bool:
    """Whether 2.12 asks for 2.12.1."""
    if not known:
        return False
    wanted = parse_version(asked).release
    return parse_version(known).release[: len(wanted)] == wanted
