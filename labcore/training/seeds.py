"""One seed made of several numbers."""

import hashlib

__all__ = ["mix"]


def mix(*numbers: int) -> int:
    """Makes one seed of several numbers, such that other numbers give an unrelated seed.

    Args:
        numbers: Any integers that fit 128 bits, such as a seed, an epoch and an index.

    Returns:
        A number from 0 to 2**63 - 1, the same on every machine.
    """
    data = b"".join(number.to_bytes(16, "little", signed=True) for number in numbers)
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little") >> 1
