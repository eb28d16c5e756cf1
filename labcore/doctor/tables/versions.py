"""Version numbers as people and programs write them."""

import functools
import re

from packaging.specifiers import SpecifierSet
from packaging.version import Version

__all__ = ["cuda_of_tag", "family", "fits", "parse_version", "release", "series", "span"]

_NUMBER = re.compile(r"v?(\d+(?:\.\d+)*)", re.IGNORECASE)
_TAG = re.compile(r"cu(?:da)?[-_ ]?(\d{2,3})", re.IGNORECASE)


@functools.lru_cache(maxsize=1024)
def parse_version(text: str) -> Version:
    """Reads a version, without the local and vendor parts that follow the number.

    Args:
        text: ``2.0.1+cu117``, ``v0.7.4``, ``535.183.01``, ``0.7.9.post1``, ``11.7``, ``cu117``.

    Raises:
        ValueError: There is no version in the text.
    """
    tag = _TAG.fullmatch(text.strip())
    found = _NUMBER.match(_from_tag(tag[1]) if tag else text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no version")
    return Version(found[1])


def cuda_of_tag(text: str) -> str:
    """Returns the CUDA version that a text means, as ``major.minor`` or longer where it says more.

    Args:
        text: ``cu117``, ``117``, ``11.7``, ``CUDA 11.7``, ``12.1.105``, ``2.0.1+cu117``.

    Raises:
        ValueError: The text names no CUDA version.
    """
    plain = text.strip().lower()
    if "+" in plain:
        plain = plain.partition("+")[2]
    plain = re.sub(r"^cuda[-_ ]?", "", plain)
    tag = re.fullmatch(r"(?:cu)?(\d{2,3})", plain)
    if tag and not (plain.isdecimal() and int(plain) < 60):
        return _from_tag(tag[1])
    number = re.fullmatch(r"v?(\d+(?:\.\d+)*)", plain)
    if number is None:
        raise ValueError(f"{text!r} names no CUDA version; write it as 11.7 or cu117")
    return number[1] if "." in number[1] else f"{number[1]}.0"


def family(cuda: str) -> int:
    """Returns the major version of CUDA, within which programs and drivers mix."""
    return parse_version(cuda_of_tag(cuda)).major


def release(text: str) -> tuple[int, ...]:
    """Returns the numbers of a version, for comparing: drivers have no other order."""
    return parse_version(text).release


@functools.lru_cache(maxsize=1024)
def series(text: str) -> str:
    """Returns the ``major.minor`` of a version."""
    version = parse_version(text)
    return f"{version.major}.{version.minor}"


@functools.lru_cache(maxsize=1024)
def _specifier(text: str) -> SpecifierSet:
    return SpecifierSet(text)


@functools.lru_cache(maxsize=4096)
def fits(version: str, specifier: str) -> bool:
    """Whether a version is in a range like ``>=3.8,<3.11``."""
    return _specifier(specifier).contains(parse_version(version), prereleases=True)


def span(specifier: str) -> str:
    """Returns a range for people: ``>=3.8,<3.12`` is ``3.8 to 3.11``."""
    bounds = dict(re.findall(r"(>=|<=|<|==)\s*([\w.]+)", specifier))
    low = bounds.get(">=")
    high = bounds.get("<=")
    if high is None and "<" in bounds:
        above = parse_version(bounds["<"])
        whole = above.minor > 0
        high = f"{above.major}.{above.minor - 1}" if whole else None
        if high is None:
            return f"{low} and newer, before {bounds['<']}" if low else f"before {bounds['<']}"
    if low is None:
        return f"{high} and older" if high else specifier
    if high is None:
        return f"{low} and newer"
    return low if low == high else f"{low} to {high}"


def _from_tag(digits: str) -> str:
    """117 is 11.7, 92 is 9.2."""
    return f"{digits[:-1]}.{digits[-1]}"
