"""Holds the tables to the wheels on PyPI; run by hand when a release is added, never by the tests.

    python env/compat/check_wheels.py [PACKAGE ...]

Compared are Python versions, by the tags of the wheels, and what the wheels ask for, by their
metadata. The index is pip's (``pip config set global.index-url``). CUDA builds of torch that are
not on PyPI cannot be seen from here. Exit code 1: a row says something else than a wheel.
"""

import io
import json
import subprocess
import sys
import urllib.request
import zipfile
from collections.abc import Iterator
from email.parser import Parser
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name, parse_wheel_filename
from packaging.version import Version

TABLES = Path(__file__).parent
MINORS = range(5, 16)
JSON = "application/vnd.pypi.simple.v1+json"


def main(names: list[str]) -> int:
    """Prints each row that a wheel contradicts; returns the exit code."""
    problems = [
        f"{package} {version}: {problem}"
        for package, version, row in rows()
        if not names or package in names
        for problem in problems_of(package, version, row)
    ]
    print("\n".join(problems) or "the tables say what the wheels say")
    return 1 if problems else 0


def rows() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yields package, release and what the tables say: ``python``, and what it asks for."""
    for row in table("torch"):
        yield "torch", row["newest"], {"python": row["python"]}
        if row["torchvision"]:
            yield "torchvision", row["torchvision"], {"goes_with": {"torch": row["newest"]}}
    for row in table("tensorflow"):
        asks = {name: row[name] for name in ("numpy", "protobuf", "keras") if row[name]}
        yield "tensorflow", row["newest"], {"python": row["python"], "asks": asks}
    for row in table("packages"):
        yield row["package"], row["version"], {"python": row["python"], "asks": row["asks"]}


def table(name: str) -> list[dict[str, Any]]:
    """Returns the rows of a table."""
    content: list[dict[str, Any]] = json.loads((TABLES / f"{name}.json").read_text("utf-8"))["rows"]
    return content


def problems_of(package: str, version: str, row: dict[str, Any]) -> Iterator[str]:
    """Yields how a row differs from the wheels of a release."""
    wheels = wheels_of(package, version)
    if not wheels:
        yield "there is no wheel of it"
        return
    if "python" in row:
        # A row stands for its series, of which some patches lack the wheel for an old Python.
        fitting = sorted({minor for each in series_of(package, version) for minor in pythons(each)})
        said = [minor for minor in MINORS if f"3.{minor}" in SpecifierSet(row["python"])]
        if said != fitting:
            yield f"the table says Python {short(said)}, the wheels {short(fitting)}"
    asked = asks(wheels) if row.get("asks") or row.get("goes_with") else {}
    for name, other in row.get("goes_with", {}).items():
        if other not in asked.get(canonicalize_name(name), SpecifierSet("<0")):
            yield f"the table says that {name} {other} goes with it, the wheel {name}{asked[name]}"
    for name, specifier in row.get("asks", {}).items():
        found = asked.get(canonicalize_name(name))
        if found is None or not same(SpecifierSet(specifier), found):
            yield f"the table says {name}{specifier}, the wheel {name}{found}"


def series_of(package: str, version: str) -> Iterator[list[dict[str, Any]]]:
    """Yields the wheels of each release of a series."""
    numbers = {
        parse_wheel_filename(each["filename"])[1]
        for each in index(package)
        if each["filename"].endswith(".whl")
    }
    for number in numbers:
        if number.release[:2] == Version(version).release[:2] and not number.is_prerelease:
            yield wheels_of(package, str(number))


def wheels_of(package: str, version: str) -> list[dict[str, Any]]:
    """Returns the wheels of a release: Linux x86-64 and those for any machine, if there are any."""
    files = index(package)
    found = []
    for each in files:
        if not each["filename"].endswith(".whl") or each.get("yanked"):
            continue
        _, number, _, tags = parse_wheel_filename(each["filename"])
        if number == Version(version):
            found.append({**each, "tags": tags})
    linux = [
        each
        for each in found
        if any(
            tag.platform == "any" or ("linux" in tag.platform and "x86_64" in tag.platform)
            for tag in each["tags"]
        )
    ]
    return linux or found


def pythons(wheels: list[dict[str, Any]]) -> list[int]:
    """Returns the minor versions of Python 3 that a wheel installs on."""
    fitting = set()
    for wheel in wheels:
        needed = SpecifierSet(wheel.get("requires-python") or "")
        for minor in MINORS:
            if f"3.{minor}.99" not in needed:
                continue
            for tag in wheel["tags"]:
                is_stable = tag.abi == "abi3" and int(tag.interpreter[3:] or 0) <= minor
                if tag.interpreter in {f"cp3{minor}", "py3"} or is_stable:
                    fitting.add(minor)
    return sorted(fitting)


def asks(wheels: list[dict[str, Any]]) -> dict[str, SpecifierSet]:
    """Returns what the newest wheel asks for without an extra."""
    with zipfile.ZipFile(Remote(wheels[-1]["url"].partition("#")[0])) as wheel:
        [name] = [each for each in wheel.namelist() if each.endswith(".dist-info/METADATA")]
        fields = Parser().parsestr(wheel.read(name).decode())
    found: dict[str, SpecifierSet] = {}
    for text in fields.get_all("Requires-Dist") or []:
        asked = Requirement(text)
        if asked.marker is None or asked.marker.evaluate(
            {"extra": "", "sys_platform": "linux", "python_version": "3.11"}
        ):
            name = canonicalize_name(asked.name)
            found[name] = found.get(name, SpecifierSet()) & asked.specifier
    return found


def same(one: SpecifierSet, other: SpecifierSet) -> bool:
    """Whether two ranges hold the same releases, of all that could be."""
    patches = [f"{a}.{b}.{c}" for a in range(8) for b in range(33) for c in range(7)]
    patches += [f"{each.version}" for each in [*one, *other]]
    return list(one.filter(patches)) == list(other.filter(patches))


class Remote(io.BytesIO):
    """A file on a server, of which the parts that are read are fetched."""

    def __init__(self, url: str) -> None:
        """Args: url: Where it is; the server has to know ranges."""
        super().__init__()
        self.url, self.place = url, 0
        request = urllib.request.Request(url, method="HEAD")
        with urllib.request.urlopen(request, timeout=60) as answer:
            self.size = int(answer.headers["Content-Length"])

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Moves to a place."""
        self.place = (
            offset + {io.SEEK_SET: 0, io.SEEK_CUR: self.place, io.SEEK_END: self.size}[whence]
        )
        return self.place

    def tell(self) -> int:
        """Returns the place."""
        return self.place

    def read(self, size: int | None = -1) -> bytes:
        """Fetches a part."""
        end = self.size if size is None or size < 0 else min(self.size, self.place + size)
        if end <= self.place:
            return b""
        request = urllib.request.Request(
            self.url, headers={"Range": f"bytes={self.place}-{end - 1}"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            if answer.status != 206:
                raise OSError(f"{self.url} cannot be read in parts")
            part: bytes = answer.read()
        self.place = end
        return part


def index(package: str) -> list[dict[str, Any]]:
    """Returns the files of a package, as pip's index lists them."""
    if package not in _INDEX:
        run = subprocess.run(
            [sys.executable, "-m", "pip", "config", "get", "global.index-url"],
            capture_output=True,
            text=True,
            check=False,
        )
        base = run.stdout.strip() or "https://pypi.org/simple"
        _INDEX[package] = json.loads(fetch(f"{base.rstrip('/')}/{package}/"))["files"]
    return _INDEX[package]


def fetch(url: str) -> str:
    """Returns the text at an address of the index."""
    request = urllib.request.Request(url, headers={"Accept": f"{JSON}, */*;q=0.1"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        text: str = answer.read().decode()
    return text


def short(minors: list[int]) -> str:
    """3.8 to 3.12, or every one where some between are missing."""
    if minors and minors == list(range(minors[0], minors[-1] + 1)):
        return f"3.{minors[0]} to 3.{minors[-1]}"
    return ", ".join(f"3.{minor}" for minor in minors) or "none"


_INDEX: dict[str, list[dict[str, Any]]] = {}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
