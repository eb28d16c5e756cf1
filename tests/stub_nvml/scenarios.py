"""Machines for the stub of NVIDIA's management library, as the text that it reads."""

from collections.abc import Mapping

__all__ = ["SCENARIOS", "gpu", "machine", "mig_slice"]

GEFORCE_LACKS = "ecc,mig"


def gpu(number: int, *, name: str = "NVIDIA_GeForce_RTX_3090", **values: object) -> str:
    """A card with the number in its UUID and bus address; values as in nvml.c."""
    standard: dict[str, object] = {
        "uuid": f"GPU-{number:08x}-aaaa-bbbb-cccc-{number:012x}",
        "name": name,
        "total": 24_576,
        "used": 300,
        "cc": "8.6",
        "bus": f"00000000:{number + 1:02X}:00.0",
        "temp": 34,
        "power": 28_000,
        "limit": 350_000,
        "persistence": 1,
        "lack": GEFORCE_LACKS,
    }
    return "gpu " + _pairs({**standard, **values})


def mig_slice(card: int, number: int, profile: str, total: int, **values: object) -> str:
    """A slice of the card above it."""
    standard: dict[str, object] = {
        "uuid": f"MIG-{card:08x}-{number:04x}-5555-6666-{number:012x}",
        "name": f"NVIDIA_A100-SXM4-80GB_MIG_{profile}",
        "total": total,
        "used": 25,
    }
    return "slice " + _pairs({**standard, **values})


def machine(*lines: str, driver: str = "580.65.06", cuda: int = 13_000, init: int = 0) -> str:
    """A whole scenario."""
    return "\n".join([f"init {init}", f"driver {driver}", f"cuda {cuda}", *lines]) + "\n"


def _pairs(values: Mapping[str, object]) -> str:
    return " ".join(
        f"{key}={each}"
        for key, value in values.items()
        for each in (value if isinstance(value, list | tuple) else [value])
    )


def _server() -> str:
    """Eight cards: 0 and 1 cut into slices, 2 in MIG mode with no slice made, 7 an H100 cut."""
    a100 = {"name": "NVIDIA_A100-SXM4-80GB", "total": 81_920, "cc": "8.0", "lack": ""}
    lines = [gpu(0, mig=1, ecc=0, util=0, **a100)]
    lines += [mig_slice(0, number, "1g.10gb", 9_856) for number in range(7)]
    lines += [gpu(1, mig=1, **a100)]
    lines += [mig_slice(1, 10, "3g.40gb", 40_192, used=21_000, proc="5151:20970")]
    lines += [mig_slice(1, 11, "2g.20gb", 19_968), mig_slice(1, 12, "2g.20gb", 19_968)]
    lines += [gpu(2, mig=1, **a100)]
    lines += [gpu(3, ecc=3, **a100)]
    lines += [gpu(4, used=79_000, util=97, temp=71, proc=["7001:40000", "7002:38500"], **a100)]
    lines += [gpu(5, temp=88, util=100, used=61_000, throttle=0x40, proc="7100:60500", **a100)]
    lines += [gpu(6, mode=2, **a100)]
    h100 = {**a100, "name": "NVIDIA_H100_80GB_HBM3", "cc": "9.0", "total": 81_559}
    lines += [gpu(7, mig=1, **h100)]
    lines += [
        mig_slice(7, number, "1g.10gb", 9_984, name="NVIDIA_H100_80GB_HBM3_MIG_1g.10gb")
        for number in (20, 21)
    ]
    return machine(*lines)


SCENARIOS: dict[str, str] = {
    # No driver at all is the absence of the stub; these are a library without its other half.
    "driver_not_loaded": machine(init=9),
    "no_permission": machine(init=4),
    "version_mismatch": machine(init=18),
    "unknown_error": machine(init=999),
    "no_cards": machine(),
    "one_24gb": machine(gpu(0)),
    "two_24gb_one_busy": machine(
        # Above the largest process id of Linux, so that it is never one of this machine.
        gpu(0, used=9_216, util=93, temp=67, power=321_000, proc="4999999:8900"),
        gpu(1),
    ),
    "three_plain": machine(gpu(0), gpu(1), gpu(2)),
    "eight_with_mig": _server(),
    "old_driver": machine(
        gpu(0, name="Tesla_K80", total=11_441, used=0, cc="3.7", lack="mig,power"),
        driver="418.87.01",
        cuda=10_010,
    ),
    "fallen_off_the_bus": machine(gpu(0), gpu(1, error=15), gpu(2)),
    "laptop": machine(
        gpu(
            0,
            name="NVIDIA_GeForce_GTX_950M",
            total=2_048,
            used=420,
            cc="5.0",
            lack="ecc,mig,power,limit,util,mode,persistence,throttle,proc,temp",
        ),
        driver="470.42.01",
        cuda=11_040,
    ),
    "small_and_big": machine(
        gpu(0, name="NVIDIA_RTX_A6000", total=49_140),
        gpu(1, name="NVIDIA_GeForce_RTX_3060", total=12_288),
        gpu(2, name="NVIDIA_GeForce_RTX_3090"),
    ),
}
"""By name. A driver too old is ``old_driver`` read through the library built as an old one."""
