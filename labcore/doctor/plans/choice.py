"""Choosing the versions that a plan leaves open."""

from collections.abc import Iterator
from dataclasses import replace

from labcore.doctor.plans.target import Target
from labcore.doctor.tables import (
    PYTORCH3D,
    TORCH,
    TorchRow,
    best_build,
    family,
    fits,
    fitting_builds,
    pytorch3d_for,
    pytorch3d_with,
    torch_runs_on,
)

_GOES = ("yes", "limited")


def choose(target: Target, pytorch3d: str | None) -> tuple[Target, str] | None:
    """Returns the target with a torch build, and the PyTorch3D release to get.

    A torch that is installed or named stays; else it is the newest that goes with everything.

    Args:
        target: The machine.
        pytorch3d: Version; the newest that goes with the torch when None.
    """
    if target.has_torch and not _installed_suits(target):
        target = replace(target, torch=None, torch_cuda=None, has_torch=False)
    if target.torch is None:
        newest = _newest(target, pytorch3d)
        return None if newest is None else (_with_fitting_toolkit(newest[0]), newest[1])
    cuda = target.torch_cuda
    if target.os == "macos":
        cuda = ""
    elif cuda is None:
        lowest = target.capabilities[0] if target.capabilities else None
        build = best_build(target.torch, capability=lowest, driver=target.driver, os=target.os)
        cuda = None if build is None else build.cuda
    version = pytorch3d or _newest_pytorch3d(target, target.torch, cuda)
    return _with_fitting_toolkit(replace(target, torch_cuda=cuda)), version


def _installed_suits(target: Target) -> bool:
    """Whether the installed torch has code for every card; one without CUDA needs none."""
    torch, cuda = target.torch or "", target.torch_cuda
    states = [torch_runs_on(torch, cuda, each).state for each in target.capabilities if cuda]
    return not {"no", "doubtful"} & set(states)


def _with_fitting_toolkit(target: Target) -> Target:
    """Leaves out a toolkit that torch would refuse: extensions need the family of its build."""
    if target.toolkit and target.torch_cuda and family(target.toolkit) != family(target.torch_cuda):
        return replace(target, toolkit=None, toolkit_root=None)
    return target


def _newest(target: Target, pytorch3d: str | None) -> tuple[Target, str] | None:
    for wanted in (("yes",), _GOES):
        for row in reversed(TORCH.rows):
            if target.python is not None and not fits(target.python, row.python):
                continue
            for cuda in _builds(target, row):
                version = pytorch3d or _newest_pytorch3d(target, row.newest, cuda)
                verdict = pytorch3d_with(version, row.newest, cuda, target.os, target.python)
                if verdict.state in wanted:
                    return replace(target, torch=row.newest, torch_cuda=cuda), version
    return None


def _builds(target: Target, row: TorchRow) -> Iterator[str]:
    """CUDA versions of the builds that run on the target, best first."""
    if target.os == "macos" or target.torch_cuda == "":
        yield ""
        return
    for build in fitting_builds(row, target.capabilities, target.driver, target.os):
        if target.torch_cuda is None or row.build(target.torch_cuda) == build:
            yield build.cuda


def _newest_pytorch3d(target: Target, torch: str, cuda: str | None) -> str:
    fitting = pytorch3d_for(torch, cuda, target.os, target.python)
    return fitting[0] if fitting else PYTORCH3D.last
