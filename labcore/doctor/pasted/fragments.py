"""Versions that other outputs tell: nvidia-smi, nvcc, pip and conda lists, banners, paths."""

import re

from labcore.doctor.machine import Card
from labcore.doctor.pasted.facts import Facts, cuda_of_number, normalised, os_of

__all__ = ["read_fragments", "read_hints"]

_SMI_CARD = re.compile(
    r"^\s*\|\s+(?P<index>\d+)\s+(?P<name>[A-Z][\w .\-]+?)\s+(?:On|Off|WDDM|TCC|MCDM|N/A)\s+\|"
    r"[^|\n]*\|[^|\n]*\|\s*\n\s*\|[^|\n]*\|\s*(?P<used>\d+)MiB\s*/\s*(?P<total>\d+)MiB",
    re.MULTILINE,
)
_SMI_LIST = re.compile(
    r"^\s*GPU (?P<index>\d+): (?P<name>(?:NVIDIA|GeForce|Tesla|Quadro|A\d+|RTX)[^\n(]*?)\s*"
    r"\(UUID: (?P<uuid>GPU-[\w-]+)\)",
    re.MULTILINE,
)
_WATCHED = (
    r"torch|torchvision|torchaudio|pytorch|pytorch-cuda|cudatoolkit|tensorflow(?:-gpu|-cpu)?"
    r"|tf[-_]keras|tensorflow[-_]model[-_]optimization|keras|numpy|protobuf|pytorch3d|easypytorch3d"
    r"|nvidia[-_][\w-]+|triton|pynvml|nvidia-ml-py|opencv-python(?:-headless)?|wandb|lightning"
    r"|xformers|flash[-_]attn|ninja|setuptools|pyopengl|pyrender"
)
_INSTALLED = re.compile(r"Successfully installed (?P<names>[^\n]+)")
_WITH_VERSION = re.compile(r"(?P<name>[A-Za-z][\w.-]*?)-(?P<version>\d[\w.+]*)(?=\s|$)")
_STARTED = re.compile(
    r"(?:Created (?:device|TensorFlow device)[^\n]*?|pciBusID: \S+ )name: (?P<name>[^,\n]+?)"
    r"(?:,[^\n]*?compute capability| computeCapability): (?P<capability>\d+\.\d)"
)

# Named groups are facts: as tools print them or forms ask for them ...
_CERTAIN = (
    r"NVIDIA-SMI\s+[\d.]+\s+(?:KMD Version|Driver Version)\s*:\s*(?P<driver>[\d.]+)\s+"
    r"CUDA (?:UMD )?Version\s*:\s*(?P<driver_cuda>\d+\.\d+)",
    r"Cuda compilation tools, release (?:[\d.]+, V)?(?P<toolkit>\d+(?:\.\d+)+)",
    r"(?m)^\s*(?:gcc|g\+\+|cc|c\+\+)(?:-\d+)? \([^\n]*\) (?P<gcc>\d+\.\d+\.\d+)",
    r"kernel reported version is: (?P<driver>\d+\.[\d.]*\d)",
    r"NVRM version: NVIDIA UNIX [^\n]*?Kernel Module\s+(?P<driver>\d+\.[\d.]+)",
    r"(?mi)^[\s*-]*(?:nvidia )?driver(?: version)?\**\s*[:=]\s*(?P<driver>\d{3}\.[\d.]*\d)",
    r"torch\.version\.cuda\W{1,12}(?P<torch_cuda>\d+\.\d)",
    r"used to compile PyTorch \((?P<torch_cuda>\d+\.\d+)\)",
    r"[Tt]he detected CUDA version \((?P<toolkit>\d+\.\d+)\)",
    r"\bPython (?P<python>3\.\d+\.\d+)\b",
    r"(?m)^[\s*-]*(?i:python)(?i: version)?\**\s*[:=]\s*v?(?P<python>3\.\d+(?:\.\d+)?)",
    r"(?mi)^\s*#+\s*python version\s*\n\s*(?:python )?(?P<python>3\.\d+(?:\.\d+)?)",
    r"compiler: gcc (?P<gcc>\d+\.\d+\.\d+)",
    r"\bCompiler Version (?P<msvc>19\.\d+\.\d+)",
    r"cudnn\.version\(\)\W{1,8}(?P<torch_cudnn>\d{4,5})\b",
    r"PyTorch install(?:ation)? supports CUDA capabilities"
    r"(?P<torch_archs>(?:\s+(?:sm|compute)_\d+a?)+)",
)
# ... and as paths and people give them away.
_GIVEN_AWAY = (
    r"[Dd]river(?: [Vv]ersion)?\s*[:=]?\s*(?P<driver>\d{3}\.\d+(?:\.\d+)?)",
    r"[\\/]CUDA[\\/]v?(?P<toolkit>\d+\.\d)\b",
    r"/cuda-(?P<toolkit>\d+\.\d)/(?:bin|include|targets|lib64)\b",
    r"lib/python(?P<python>3\.\d+)/",
    r"[\\/]VC[\\/]Tools[\\/]MSVC[\\/](?P<msvc>14\.\d+)\.",
)
_NAMES = (
    r"(?P<name>PyTorch3D|PyTorch|torchvision|torch|tensorflow-gpu|TensorFlow|TF|tf-keras|Keras"
    r"|NumPy|protobuf)"
)
_NUMBER = r"v?(?P<version>\d+\.\d+(?:\.\d+)?(?:\+\w+)?)"
_PACKAGES = (
    # Lists of pip and conda, requirements, what somebody printed, and forms; GitHub's have the
    # question as a heading and the answer as a paragraph.
    rf"(?mi)^[ \t]*(?P<name>{_WATCHED})[ \t]+(?P<version>\d[\w.+!]*)(?:[ \t]+[^\n]*)?$",
    rf"(?i)(?<![\w\-\[])(?P<name>{_WATCHED})==(?P<version>\d[\w.+!]*[\w])",
    r"\b(?P<name>torch|torchvision|tensorflow|tf|numpy|np|pytorch3d|keras|tf\.version)"
    r"\.(?:__version__|VERSION)\W{1,20}?(?P<version>\d+\.\d+[\w.+]*)",
    rf"(?mi)^[\s*-]*{_NAMES}(?: version)?(?: \([^)\n]*\))?\**\s*[:=]\s*{_NUMBER}",
    rf"(?mi)^\s*#+\s*{_NAMES}(?: version)?\s*\n\s*(?:v\S+-\S+ )?{_NUMBER}\s*$",
)
_SAID = re.compile(
    rf"(?<![\w/.\-]){_NAMES}(?: version)?(?:\s*[:=@]+\s*|\s+|-|(?<=tf)){_NUMBER}(?![\w-])",
    re.IGNORECASE,
)
_SAID_CUDA = re.compile(r"\bCUDA(?: toolkit)?(?: version)?[ :=v]*(\d{1,2}\.\d)\b", re.IGNORECASE)
_SYSTEMS = {
    "windows": r"\b(?:Windows|Win) ?(?:10|11|8(?:\.1)?|7|Server)\b|\bPS [A-Z]:\\|\bcmd\.exe\b",
    "macos": r"\bmac ?OS\b|\bmac ?book|\bM[1-4] ?(?:Mac|Pro|Max|Air|Ultra|chip)\b|\bApple M[1-4]\b"
    r"|\b(?:Ventura|Sonoma|Sequoia)\b",
    "linux": r"\b(?:Ubuntu|Debian|CentOS|Fedora|Arch Linux|RHEL|Rocky|Manjaro|Pop!_OS|WSL ?2?)\b",
}
_MARKS = {
    "windows": r"(?m)(?:^|[\s'\"(])[A-Z]:[\\/]{1,2}\w[\w .-]*[\\/]|\bwin[-_]amd64\b|\bWinError\b",
    "macos": r"/opt/homebrew/|macosx-\d+|/Users/\w+/(?:miniforge|opt|Library)|-darwin\.so",
    "linux": r"x86_64-linux-gnu|\.so(?:\.\d+)*\b|/home/\w+|/usr/(?:local|lib)/|manylinux",
}
_FOUND_DRIVER = re.compile(r"found version (\d{4,5})\)")
_MINOR_PYTHON = re.compile(r"(?:cpython-|\bcp|[Pp]ython)(3)(\d{1,2})(?=[-\\/.m])")
_CAPABLE = re.compile(
    r"(?P<name>(?:NVIDIA |GeForce|Tesla|Quadro|RTX|GTX|TITAN|[AHBLTV]\d{2,3}\b)[^\n]{0,60}?) "
    r"with CUDA capability sm_(?P<capability>\d{2,3})"
)
_CARD_SAID = re.compile(
    r"\b(?:NVIDIA )?(?:GeForce )?(?:RTX|GTX?) ?(?:A?\d{3,4})(?: ?(?:Ti|SUPER|M))?\b(?: Laptop GPU)?"
    r"|\bTesla [KPMVT]\d{1,3}\b|\b(?:A100|H100|V100|P100|L40S|L4|T4|K80|A10G|B200|H200)\b"
    r"|\b(?:Quadro )?(?:RTX )?A[2-6]000\b|\bTITAN (?:RTX|V|Xp)\b"
)


def read_fragments(text: str, facts: Facts) -> None:
    """Notes what the outputs of known tools tell."""
    facts.read(text, *_CERTAIN)
    for line in _INSTALLED.finditer(text):
        for row in _WITH_VERSION.finditer(line["names"]):
            facts.tell_package(row["name"], row["version"])
    for pattern in _PACKAGES:
        for row in re.finditer(pattern, text):
            facts.tell_package(row["name"], row["version"].rstrip("."))
    number = _FOUND_DRIVER.search(text)
    facts.tell(driver_cuda=cuda_of_number(number[1]) if number else None)
    facts.tell(cards=_cards(text) or None)


def _cards(text: str) -> tuple[Card, ...]:
    table = tuple(
        Card(
            name=row["name"],
            index=int(row["index"]),
            memory_mib=int(row["total"]),
            memory_used_mib=int(row["used"]),
        )
        for row in _SMI_CARD.finditer(text)
    )
    listed = tuple(
        Card(name=row["name"], index=int(row["index"]), uuid=row["uuid"])
        for row in _SMI_LIST.finditer(text)
    )
    if table or listed:
        return table or listed
    if (capable := _CAPABLE.search(text)) is not None:
        code = capable["capability"]
        name = re.sub(r"^.*(?:UserWarning|warning):?\s*", "", capable["name"]).strip()
        return (Card(name=name, compute_capability=f"{code[:-1]}.{code[-1]}"),)
    if (started := _STARTED.search(text)) is not None:
        return (Card(name=started["name"], compute_capability=started["capability"]),)
    return ()


def read_hints(text: str, facts: Facts) -> None:
    """Notes what paths and people's own words give away: good for advice, not for a verdict."""
    facts.read(text, *_GIVEN_AWAY)
    said: dict[str, list[str]] = {}
    for row in _SAID.finditer(text):
        said.setdefault(normalised(row["name"]), []).append(row["version"])
    for name, versions in said.items():
        # Who names two ("2.10 works, 2.11 does not") leaves open which one is there.
        longest = max(versions, key=len)
        if all(longest.startswith(each) for each in versions):
            facts.tell_package(name, longest)
    if facts.packages.keys() & {"tensorflow", "tensorflow-gpu"} and "torch" not in facts.packages:
        toolkits = set(_SAID_CUDA.findall(text))
        facts.tell(toolkit=toolkits.pop() if len(toolkits) == 1 else None)
    minor = _MINOR_PYTHON.search(text)
    facts.tell(python=f"{minor[1]}.{minor[2]}" if minor else None)
    facts.tell(os=_asked_os(text) or _named_os(text) or _marked_os(text))
    if re.search(r"microsoft-standard(?:-WSL2)?|\bWSL ?2?\b|/usr/lib/wsl/", text):
        facts.tell(is_wsl=True)
    cards = dict.fromkeys(" ".join(hit[0].split()) for hit in _CARD_SAID.finditer(text))
    facts.tell(said_cards=tuple(cards))


def _asked_os(text: str) -> str | None:
    """The system that a form asks for."""
    name = re.search(
        r"(?:\bOS\b|[Oo]perating [Ss]ystem|OS Platform and Distribution)[^\n:]*:\**\s*([^\n]+)",
        text,
    )
    return os_of(name[1]) if name else None


def _named_os(text: str) -> str | None:
    """The system that people write of, where it is but one."""
    named = {os for os, pattern in _SYSTEMS.items() if re.search(pattern, text)}
    if re.search(r"\bWSL ?2?\b", text):
        named.discard("windows")
    return named.pop() if len(named) == 1 else None


def _marked_os(text: str) -> str | None:
    """The system whose paths and files a text shows."""
    return next((os for os, mark in _MARKS.items() if re.search(mark, text)), None)
