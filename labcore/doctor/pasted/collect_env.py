"""Reading what ``python -m torch.utils.collect_env`` prints, of torch 1.0 to today.

Projects print blocks of the same kind under other titles (vLLM, mmdetection, detectron2); lines
with the same keys are read from them too.
"""

import re

from labcore.doctor.machine import Card
from labcore.doctor.pasted.facts import Facts, os_of

__all__ = ["is_collect_env", "read_collect_env"]

_LINE = re.compile(r"^[ *\-|]*(?P<key>[A-Za-z][\w .()/-]{1,48}?)\s*: ?(?P<value>.*)$", re.MULTILINE)
_MARKS = re.compile(
    r"Collecting environment information\.\.\.|CUDA used to build PyTorch\s*:|"
    r"^\s*Is debug build\s*:",
    re.MULTILINE,
)
_NOTHING = {"", "n/a", "none", "could not collect", "no cuda", "no magma"}
_PIP = re.compile(r"^\s*\[pip\d?\]\s+(?P<name>[\w.\-]+)==(?P<version>\S+)", re.MULTILINE)
_CONDA = re.compile(
    r"^\s*\[conda\]\s+(?P<name>[\w.\-]+)\s+(?P<version>\S+)(?:\s+(?P<build>\S+))?", re.MULTILINE
)
_CONDA_BUILD = re.compile(r"py[\d.]+_cuda(?P<cuda>[\d.]+)_cudnn(?P<cudnn>[\d.]+)")
_CONDA_FORGE = re.compile(r"cuda_?(?P<cuda>\d{3})py")
_GPU = re.compile(r"^\s*GPU (?P<indices>\d[\d,\s]*?)\s*: (?P<name>.+?)\s*(?:\(UUID.*)?$")
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
        values.setdefault(_key(line["key"]), line["value"].strip())
    _system(values, facts)
    _packages(text, facts)
    _torch(values, facts)
    _gpus(text, values, facts)
    _compilers(values, facts)
    facts.cudnn_files += [found["path"] for found in _CUDNN_FILE.finditer(text)]


def _key(key: str) -> str:
    return re.sub(r"\s+", " ", key.strip().lower())


def _known(value: str | None) -> str | None:
    return None if value is None or value.lower() in _NOTHING else value


def _system(values: dict[str, str], facts: Facts) -> None:
    name = _known(values.get("os"))
    platform = _known(values.get("python platform"))
    if name is not None:
        found = re.fullmatch(r"(?P<name>.+?)\s*\((?P<arch>[\w-]+)\)", name)
        facts.tell(os=os_of(name), os_name=found["name"] if found else name)
        if found and not found["arch"].isdigit():
            facts.tell(architecture=found["arch"])
    if platform is not None:
        facts.tell(os=os_of(platform))
        kernel = re.match(r"Linux-(?P<kernel>\S+?)-(?P<arch>x86_64|aarch64|ppc64le)", platform)
        if kernel is not None:
            facts.tell(kernel=kernel["kernel"], architecture=kernel["arch"])
            facts.tell(is_wsl="microsoft" in kernel["kernel"].lower())
        glibc = re.search(r"with-glibc(\d+\.\d+)", platform)
        facts.tell(glibc=glibc[1] if glibc else None)
    libc = re.search(r"glibc-(\d+\.\d+)", values.get("libc version", ""))
    facts.tell(glibc=libc[1] if libc else None)
    python = re.match(r"(\d+\.\d+(?:\.\d+)?)", values.get("python version", ""))
    facts.tell(python=python[1] if python else None)
    if "conda" in values.get("python version", "").lower():
        facts.tell(is_conda=True)
    cores = values.get("cpu(s)", "")
    facts.tell(cores=int(cores) if cores.isdigit() else None)


def _packages(text: str, facts: Facts) -> None:
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


def _torch(values: dict[str, str], facts: Facts) -> None:
    version = _known(values.get("pytorch version"))
    if version is not None:
        # The block's own line is what python imports; a list may name another.
        facts.packages.pop("torch", None)
        facts.tell_package("torch", version.split()[0])
    built = values.get("cuda used to build pytorch")
    if built is not None and version is not None:
        cuda = re.match(r"\d+\.\d+", built)
        facts.torch_cuda = cuda[0] if cuda else ""
    rocm = _known(values.get("rocm used to build pytorch"))
    facts.is_rocm = facts.is_rocm or rocm is not None
    available = values.get("is cuda available", "").lower()
    if available in {"true", "yes", "false", "no"}:
        facts.tell(cuda_available=available in {"true", "yes"})


def _gpus(text: str, values: dict[str, str], facts: Facts) -> None:
    driver = _known(values.get("nvidia driver version"))
    facts.tell(driver=_version(driver))
    toolkit = _known(values.get("cuda runtime version"))
    facts.tell(toolkit=_version(toolkit))
    if "gpu models and configuration" not in values:
        return
    start = text.index("GPU models and configuration")
    cards: list[Card] = []
    for number, line in enumerate(text[start:].splitlines()[:80]):
        content = line.split(":", 1)[1] if number == 0 else line
        gpu, mig = _GPU.match(content), _MIG.match(content)
        if gpu is not None and _is_nvidia(gpu["name"]):
            cards += [
                Card(name=gpu["name"], index=int(index))
                for index in re.findall(r"\d+", gpu["indices"])
            ]
        elif mig is not None and cards:
            last = cards[-1]
            whole = last.mig_profile is None and not last.mig_enabled
            if whole:
                cards[-1] = Card(name=last.name, index=last.index, mig_enabled=True)
            cards.append(Card(name=last.name, mig_profile=mig["profile"]))
        elif number > 0:
            break
    if cards:
        facts.tell(cards=cards)


def _is_nvidia(name: str) -> bool:
    return not re.search(r"\b(?:AMD|Radeon|Intel|Instinct|gfx\d+|Apple)\b", name, re.IGNORECASE)


def _compilers(values: dict[str, str], facts: Facts) -> None:
    gcc = _known(values.get("gcc version")) or _known(values.get("gcc"))
    if gcc is not None:
        versions = re.findall(r"(?<![\d.~-])(\d+\.\d+(?:\.\d+)?)(?![\w~])", gcc)
        facts.tell(gcc=versions[-1] if versions else None)


def _version(text: str | None) -> str | None:
    found = re.search(r"\d+\.\d+(?:\.\d+)*", text or "")
    return found[0] if found else None
