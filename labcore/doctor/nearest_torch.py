"""The command for the nearest torch that goes with a machine."""

from labcore.doctor.machine import Machine
from labcore.doctor.tables import TORCH, Setup, least_change, series, torch_for, torch_pip

__all__ = ["torch_command"]


def torch_command(machine: Machine, capability: str | None) -> str:
    """Returns the command for the nearest torch that goes with the machine, else for the newest.

    Args:
        machine: With the torch that is there now, if any.
        capability: Of the card that it has to run on; None for any.
    """
    os, torch = machine.os or "linux", machine.torch
    row = TORCH.row(torch.version) if torch is not None else None
    cuda = torch.cuda or (row.pypi_cuda if row is not None else "") if torch is not None else ""
    if torch is not None and torch.cuda is not None and cuda:
        setup = Setup(
            os=os,
            python=machine.python,
            driver=machine.driver or None,
            gpu=capability,
            torch=series(torch.version),
            torch_cuda=cuda,
        )
        near = least_change(setup, keep=("driver", "python"))
        if near is not None and near.setup.torch is not None:
            return torch_pip(near.setup.torch, near.setup.torch_cuda, os)
        if not torch.cuda:  # a CPU build of a release whose CUDA build goes
            return torch_pip(series(torch.version), cuda, os)
    choice = torch_for(
        capability=capability, driver=machine.driver or None, os=os, python=machine.python
    )
    return choice.pip if choice is not None else ""
