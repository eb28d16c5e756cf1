"""Reading what ``python -m torch.utils.collect_env`` prints, of torch 1.0 to today.

Projects print blocks of the same kind under other titles (vLLM, mmdetection, detectron2); lines
with the same keys are read from them too.
"""

import re
from dataclasses import replace

from labcore.doctor.machine import Card
from labcore.doctor.pasted.facts import Facts, os_of

__all__ = ["is_collect_env", "read_collect_env"]

_LINE = re.compile(r"^[ *\-|]*(?P<key>[A-Za-z][\w .()/-]{1,48}?)\s*: ?(?P<value>.*)$", re.MULTILINE)
_MARKS = re.compile(
    r"Collecting environment information\.\.\.|CUDA used to build PyTorch\s*:|"
    r"^\s*Is debug build\s*:",
    re.MULTILINE,
)
_VERSION = r"\d+\.\d+(?:\.\d+)*"
# The key of a line, and what its value tells: a named group is a fact.
_TOLD: tuple[tuple[str, str], ...] = (
    (
        "os",
        r"^(?!(?i:could not collect|n/a|none|)$)"
        r"(?P<os_name>.+?)(?:\s*\((?:\d+|(?P<architecture>[\w-]+))\))?$",
    ),
    ("python platform", r"^Linux-(?P<kernel>\S+?)-(?P<architecture>x86_64|aarch64|ppc64le)"),
    ("python platform", r"with-glibc(?P<glibc>\d+\.\d+)"),
    ("libc version", r"glibc-(?P<glibc>\d+\.\d+)"),
    ("python version", r"^(?P<python>\d+\.\d+(?:\.\d+)?)"),
    ("rocm used to build pytorch", r"^(?P<rocm>\d.*)"),
    ("nvidia driver version", rf"(?P<driver>{_VERSION})"),
    ("cuda runtime version", rf"(?P<toolkit>{_VERSION})"),
)
_PIP = re.compile(r"^\s*\[pip\d?\]\s+(?P<name>[\w.\-]+)==(?P<version>\S+)", re.MULTILINE)
_CONDA = re.compile(
    r"^\s*\[conda\]\s+(?P<name>[\w.\-]+)\s+(?P<version>\S+)(?:\s+(?P<build>\S+))?", re.MULTILINE
)
_CONDA_BUILD = re.compile(r"py[\d.]+_cuda(?P<cuda>[\d.]+)_cudnn(?P<cudnn>[\d.]+)")
_CONDA_FORGE = re.compile(r"cuda_?(?P<cuda>\d{3})py")
_GPU = re.compile(
    r"^\s*GPU (?P<indices>\d[\d,\s]*?)\s*: (?!.*\b(?i:AMD|Radeon|Intel|Instinct|gfx\d+|Apple)\b)"
    r"(?P<name>.+?)\s*(?:\(UUID.*)?$"
)
_MIG = re.compile(r"^\s*MIG\s+(?P<profile>\d+g\.\d+gb)")
_CUDNN_FILE = re.compile(
    r"^\s*(?P<path>(?:/|[A-Z]:\\)\S.*?(?:libcudnn\.so[\d.]*|libcudnn\S*\.dylib|cudnn64_\d+\.dll))",
    re.MULTILINE,
)


def is_collect_env(text: str) -> bool:
    """Whether a text holds such a block."""
    return _MARKS.search(text) is not None


def read_collect_env(text: str, facts: Facts) -> None:
    """Notes what the block tells."""
    values: dict[str, str] = {}
    for line in _LINE.finditer(text):
        values.setdefault(" ".join(line["key"].lower().split()), line["value"].strip())
    for key, pattern in _TOLD:
        facts.read(values.get(key, ""), pattern)
    facts.tell(os=os_of(values.get("os", "")) or os_of(values.get("python platform", "")))
    if "kernel" in facts:
        facts.tell(is_wsl="microsoft" in facts["kernel"].lower())
    if "conda" in values.get("python version", "").lower():
        facts.tell(is_conda=True)
    if values.get("cpu(s)", "").isdigit():
        facts.tell(cores=int(values["cpu(s)"]))
    available = values.get("is cuda available", "").lower()
    if available in {"true", "yes", "false", "no"}:
        facts.tell(cuda_available=available in {"true", "yes"})
    for gcc in (values.get("gcc version", ""), values.get("gcc", "")):
        versions = re.findall(r"(?<![\d.~-])(\d+\.\d+(?:\.\d+)?)(?![\w~])", gcc)
        facts.tell(gcc=versions[-1] if versions else None)
    # What the block says of torch is of the one that Python imports; a list may name another.
    torch = values.get("pytorch version", "")
    if torch[:1].isdigit():
        if (built := values.get("cuda used to build pytorch")) is not None:  # empty for "None"
            facts.read(built, r"^(?P<torch_cuda>(?:\d+\.\d+)?)")
        facts.tell_package("torch", torch.split()[0])
    _read_lists(text, facts)
    _read_cards(text, facts)
    facts.tell(cudnn_files=[found["path"] for found in _CUDNN_FILE.finditer(text)] or None)


def _read_lists(text: str, facts: Facts) -> None:
    for found in _PIP.finditer(text):
        facts.tell_package(found["name"], found["version"])
    for found in _CONDA.finditer(text):
        facts.tell_package(found["name"], found["version"])
        if found["name"] in {"pytorch", "torch"} and found["build"]:
            build = _CONDA_BUILD.search(found["build"])
            forge = _CONDA_FORGE.search(found["build"])
            if build is not None:
                cuda = ".".join(build["cuda"].split(".")[:2])
                facts.tell(torch_cuda=cuda, torch_cudnn=build["cudnn"])
            elif forge is not None:
                facts.tell(torch_cuda=f"{forge['cuda'][:2]}.{forge['cuda'][2]}")
            elif "cpu" in found["build"]:
                facts.tell(torch_cuda="")
        if found["name"] != "Could":
            facts.tell(is_conda=True)


def _read_cards(text: str, facts: Facts) -> None:
    _, *block = re.split(r"GPU models and configuration *:", text, maxsplit=1)
    cards: list[Card] = []
    for number, content in enumerate("".join(block).splitlines()[:80]):
        gpu, mig = _GPU.match(content), _MIG.match(content)
        if gpu is not None:
            cards += [
                Card(name=gpu["name"], index=int(index))
                for index in re.findall(r"\d+", gpu["indices"])
            ]
        elif mig is not None and cards:
            if cards[-1].mig_profile is None:
                cards[-1] = replace(cards[-1], mig_enabled=True)
            cards.append(Card(name=cards[-1].name, mig_profile=mig["profile"]))
        elif number > 0:
            break
    facts.tell(cards=tuple(cards) or None)
