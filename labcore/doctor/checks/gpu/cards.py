"""Checks of the state that the cards are in."""

from collections.abc import Iterator

from labcore.doctor.check import check
from labcore.doctor.finding import Finding, failure, ok, warning
from labcore.doctor.machine import Card, Machine

_BAD_THROTTLE = ("thermal", "hardware", "brake")
"""A power cap by software is a card at full work, and no fault."""


@check("gpu-lost", "gpu", "cards that do not answer")
def _lost(machine: Machine) -> Finding | None:
    if not machine.lost_cards:
        return ok("every card answers", gpus=len(machine.cards)) if machine.cards else None
    return failure(
        f"a card does not answer: {'; '.join(machine.lost_cards)}",
        cause="it has fallen off the bus: heat, power, riser cable or a driver fault; sudo dmesg "
        "has a line with Xid that says which",
        fix="power the machine off and on (a reboot may not do); when it comes back, watch power "
        "and temperature, and try another slot or cable",
        lost=list(machine.lost_cards),
    )


@check("ecc", "gpu", "memory errors of the cards")
def _ecc(machine: Machine) -> Finding | None:
    counted = [card for card in machine.cards or () if card.ecc_errors is not None]
    bad = [card for card in counted if card.ecc_errors]
    if not bad:
        return ok("no uncorrected memory error", gpus=len(counted)) if counted else None
    return failure(
        f"uncorrected memory errors on {_named(bad)}",
        cause="values in its memory were lost since the driver was loaded; a process that "
        "meets one is killed, and results before that are in doubt",
        fix=f"stop the work on it, then sudo nvidia-smi --gpu-reset -i {bad[0].index or 0}; "
        "when they come back, have the card replaced (nvidia-smi -q -d ECC,ROW_REMAPPER)",
        errors={card.uuid or card.name: card.ecc_errors for card in bad},
    )


@check("persistence", "gpu", "persistence mode")
def _persistence(machine: Machine) -> Finding | None:
    known = [card for card in machine.whole_cards if card.persistence is not None]
    off = [card for card in known if not card.persistence]
    if not known or machine.os != "linux" or machine.is_wsl:
        return None
    if not off:
        return ok("the driver stays loaded between runs (persistence mode)")
    # A display server keeps the driver loaded, and a container cannot change it.
    if machine.variable("DISPLAY") or machine.variable("WAYLAND_DISPLAY") or machine.container:
        return ok("persistence mode is off; the display keeps the driver loaded")
    return warning(
        "the driver is unloaded whenever no process uses the card (persistence mode is off)",
        cause="on a machine without a display the first CUDA call of each run takes seconds longer",
        fix="sudo systemctl enable --now nvidia-persistenced, or sudo nvidia-smi -pm 1",
        cards=[card.name for card in off],
    )


@check("throttle", "gpu", "clocks held down by heat or power", "whole_cards")
def _throttle(machine: Machine, cards: tuple[Card, ...]) -> Iterator[Finding]:
    held = False
    for card in cards:
        reasons = [each for each in card.throttle if any(word in each for word in _BAD_THROTTLE)]
        if not reasons:
            continue
        held = True
        heat = f" at {card.temperature_c} C" if card.temperature_c is not None else ""
        yield warning(
            f"{card.name} is held down{heat}: {', '.join(reasons)}",
            cause="its clocks are lowered to protect it: steps take longer, and timings are not "
            "worth reporting",
            fix="look after its fans, dust, room and power cables (nvidia-smi -q -d "
            "PERFORMANCE,TEMPERATURE,POWER)",
            uuid=card.uuid,
            reasons=list(card.throttle),
        )
    if not held:
        yield ok("no card is held down by heat or power")


@check("compute-mode", "gpu", "compute mode")
def _compute_mode(machine: Machine) -> Iterator[Finding]:
    for card in machine.cards or ():
        mode = (card.compute_mode or "").lower()
        selector = card.uuid or str(card.index if card.index is not None else 0)
        default = f"sudo nvidia-smi -i {selector} -c DEFAULT"
        if mode == "prohibited":
            text = "takes no work: its compute mode is Prohibited"
            fix = f"{default}, or use another card"
        elif mode.startswith("exclusive") and card.num_processes:
            text = "is taken: one process at a time, and one is on it"
            fix = f"wait for it (nvidia-smi shows who), or {default}"
        else:
            continue
        cause = 'CUDA says "all CUDA-capable devices are busy or unavailable"'
        yield warning(f"{card.name} {text}", cause=cause, fix=fix, uuid=card.uuid)


@check("mig", "gpu", "MIG slices", "cards")
def _mig(machine: Machine, cards: tuple[Card, ...]) -> Finding | None:
    parents = [card for card in cards if card.mig_enabled]
    if not parents:
        return None
    slices = [card for card in cards if card.mig_profile is not None]
    asked = [part.strip() for part in machine.variable("CUDA_VISIBLE_DEVICES").split(",")]
    named = [card.name for card in parents if any(part and _is(card, part) for part in asked)]
    if not slices:
        return warning(
            f"{_named(parents)} is in MIG mode, but has no slice",
            cause="a card in MIG mode cannot be used as a whole, so CUDA finds no device on it",
            fix="sudo nvidia-smi mig -cgi 19 -C (nvidia-smi mig -lgip lists the numbers), or turn "
            "it off: sudo nvidia-smi -mig 0",
        )
    if named:
        return warning(
            f"CUDA_VISIBLE_DEVICES names {named[0]}, which is cut into MIG slices",
            cause="CUDA takes no card that is cut; it takes one slice, by its UUID",
            fix="unset CUDA_VISIBLE_DEVICES and let the lab choose, or export "
            f"CUDA_VISIBLE_DEVICES={slices[0].uuid}",
            sources=("CUDA programming guide",),
        )
    if sum(part.startswith("MIG-") for part in asked) > 1:
        return warning(
            "CUDA_VISIBLE_DEVICES names several MIG slices",
            cause="a process uses one slice: CUDA takes the first and ignores the rest",
            fix="one slice for each process: export CUDA_VISIBLE_DEVICES=" + asked[0],
            sources=("CUDA programming guide",),
        )
    return ok(f"{len(slices)} MIG slices, one for a process")


def _is(card: Card, entry: str) -> bool:
    """A number means a whole card, by position; in MIG mode too."""
    if entry.isdecimal():
        return card.index == int(entry)
    return entry.startswith("GPU-") and (card.uuid or "").startswith(entry)


def _named(cards: list[Card]) -> str:
    return ", ".join(dict.fromkeys(card.name for card in cards))
