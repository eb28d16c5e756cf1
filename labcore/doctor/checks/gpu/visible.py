"""Checks of which GPUs a process is shown, and in what order."""

from typing import Any

from labcore.devices.inventory.survey import read_visible
from labcore.doctor.check import check
from labcore.doctor.finding import Finding, ok, say, warning
from labcore.doctor.machine import Machine

_GUIDE = ("CUDA programming guide",)


@check("cvd-bad", "gpu", "CUDA_VISIBLE_DEVICES")
def _cvd_bad(machine: Machine) -> Finding | None:
    value = (machine.environ or {}).get("CUDA_VISIBLE_DEVICES")
    if value is None or not machine.cards:
        return None
    entries = [part.strip() for part in value.split(",")]
    if entries[0] in {"", "-1", "NoDevFiles", "none"}:
        return warning(
            f"CUDA_VISIBLE_DEVICES={value!r} hides every GPU",
            cause="an empty list, or -1, is a list of no devices; everything runs on the CPU",
            fix="unset CUDA_VISIBLE_DEVICES",
            sources=_GUIDE,
        )
    slices = [card for card in machine.cards if card.mig_profile is not None]
    good, problem = read_visible(value, machine.whole_cards, slices)
    evidence: dict[str, Any] = {"value": value, "gives": [card.uuid or card.name for card in good]}
    if not problem:
        names = ", ".join(card.name for card in good)
        return ok(f"CUDA_VISIBLE_DEVICES shows {names}", **evidence)
    effect = "shows fewer GPUs than it names" if good else "hides every GPU"
    return say(
        "warning" if good else "failure",
        f"CUDA_VISIBLE_DEVICES={value} {effect}: {problem}",
        cause="CUDA reads the list up to the first entry that names no GPU and ignores the rest; "
        "it refuses a list with a GPU twice as a whole",
        fix="unset CUDA_VISIBLE_DEVICES (the lab chooses), or name each GPU once, by number or "
        "UUID (nvidia-smi -L)",
        sources=_GUIDE,
        **evidence,
    )


@check("order", "gpu", "order of unlike cards")
def _order(machine: Machine) -> Finding | None:
    names = {card.name for card in machine.whole_cards}
    order = machine.variable("CUDA_DEVICE_ORDER")
    if len(names) < 2:
        return None
    if order == "PCI_BUS_ID":
        return ok("CUDA numbers the cards as nvidia-smi does", order=order)
    visible = machine.variable("CUDA_VISIBLE_DEVICES")
    if not any(part.strip().isdecimal() for part in visible.split(",")):
        return ok("the lab numbers the cards as nvidia-smi does", cards=sorted(names))
    return warning(
        f"CUDA_VISIBLE_DEVICES={visible} may mean other cards than nvidia-smi's",
        cause="with cards of several kinds CUDA numbers them fastest first, nvidia-smi by slot; "
        "the lab sets the order for its own runs, other programs do not",
        fix="export CUDA_DEVICE_ORDER=PCI_BUS_ID, or name cards by UUID (nvidia-smi -L)",
        sources=("GPUtil 18", "Slurm gres"),
        cards=sorted(names),
    )


@check("cvd-late", "gpu", "frameworks loaded too early")
def _cvd_late(machine: Machine) -> Finding | None:
    if not machine.preloaded:
        text = "no framework is loaded before the lab chooses the devices"
        return ok(text) if machine.origin == "here" else None
    names = ", ".join(machine.preloaded)
    return warning(
        f"{names} was loaded before the lab began",
        cause="a sitecustomize, usercustomize or .pth file of this Python imports it at every "
        "start; CUDA_VISIBLE_DEVICES and thread counts that the lab sets come too late for it",
        fix='take the import out of that file: python -c "import sitecustomize as s; '
        'print(s.__file__)", or look at the .pth files in site-packages',
        preloaded=list(machine.preloaded),
    )


@check("nvml-fooled", "gpu", "torch's answer without trying")
def _nvml_fooled(machine: Machine) -> Finding | None:
    if machine.variable("PYTORCH_NVML_BASED_CUDA_CHECK") != "1":
        return None
    return warning(
        "PYTORCH_NVML_BASED_CUDA_CHECK=1 makes torch say that CUDA works without trying it",
        cause="torch.cuda.is_available() then asks the management library only, and is True even "
        "where no kernel can start",
        fix="unset PYTORCH_NVML_BASED_CUDA_CHECK; lab doctor --deep runs a kernel",
    )
