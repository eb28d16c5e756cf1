"""Versions that other outputs tell: nvidia-smi, nvcc, pip and conda lists, banners, paths."""

import re

from labcore.doctor.machine import Card
from labcore.doctor.pasted.facts import Facts, normalised, os_of

__all__ = ["read_fragments", "read_hints"]

_SMI = re.compile(
    r"NVIDIA-SMI\s+[\d.]+\s+(?:KMD Version|Driver Version)\s*:\s*(?P<driver>[\d.]+)\s+"
    r"CUDA (?:UMD )?Version\s*:\s*(?P<cuda>\d+\.\d+)"
)
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
_NVCC = re.compile(r"Cuda compilation tools, release (?P<version>\d+\.\d+)(?:, V(?P<full>[\d.]+))?")
_GCC = re.compile(
    r"^\s*(?:gcc|g\+\+|cc|c\+\+)(?:-\d+)? \([^\n]*\) (?P<version>\d+\.\d+\.\d+)", re.M
)
_WATCHED = (
    r"torch|torchvision|torchaudio|pytorch|pytorch-cuda|cudatoolkit|tensorflow(?:-gpu|-cpu)?"
    r"|tf[-_]keras|tensorflow[-_]model[-_]optimization|keras|numpy|protobuf|pytorch3d|easypytorch3d"
    r"|nvidia[-_][\w-]+|triton|pynvml|nvidia-ml-py|opencv-python(?:-headless)?|wandb|lightning"
    r"|xformers|flash[-_]attn|ninja|setuptools|pyopengl|pyrender"
)
_LISTED = re.compile(
    rf"^[ \t]*(?P<name>{_WATCHED})[ \t]+(?P<version>\d[\w.+!]*)(?:[ \t]+(?P<build>[^\n]*))?$",
    re.MULTILINE | re.IGNORECASE,
)
_FROZEN = re.compile(
    rf"(?<![\w\-\[])(?P<name>{_WATCHED})==(?P<version>\d[\w.+!]*[\w])", re.IGNORECASE
)
_INSTALLED = re.compile(r"Successfully installed (?P<names>[^\n]+)")
_STARTED = re.compile(
    r"(?:Created (?:device|TensorFlow device)[^\n]*?|pciBusID: \S+ )name: (?P<name>[^,\n]+?)"
    r"(?:,[^\n]*?compute capability| computeCapability): (?P<capability>\d+\.\d)"
)

# Pattern with the value, and the fact: as tools print it or forms ask for it ...
_CERTAIN: tuple[tuple[str, str], ...] = (
    (r"kernel reported version is: (\d+\.[\d.]*\d)", "driver"),
    (r"NVRM version: NVIDIA UNIX [^\n]*?Kernel Module\s+(\d+\.[\d.]+)", "driver"),
    (
        r"(?m)^[\s*-]*(?:(?i:nvidia )?(?i:driver)(?i: version)?)\**\s*[:=]\s*(\d{3}\.[\d.]*\d)",
        "driver",
    ),
    (r"torch\.version\.cuda\W{1,12}(\d+\.\d)", "torch_cuda"),
    (r"used to compile PyTorch \((\d+\.\d+)\)", "torch_cuda"),
    (r"[Tt]he detected CUDA version \((\d+\.\d+)\)", "toolkit"),
    (r"\bPython (3\.\d+\.\d+)\b", "python"),
    (r"(?m)^[\s*-]*(?i:python)(?i: version)?\**\s*[:=]\s*v?(3\.\d+(?:\.\d+)?)", "python"),
    (r"(?mi)^\s*#+\s*python version\s*\n\s*(?:python )?(3\.\d+(?:\.\d+)?)", "python"),
    (r"compiler: gcc (\d+\.\d+\.\d+)", "gcc"),
    (r"\bCompiler Version (19\.\d+\.\d+)", "msvc"),
    (r"cudnn\.version\(\)\W{1,8}(\d{4,5})\b", "torch_cudnn"),
)
# ... and as paths and people give it away.
_GIVEN_AWAY: tuple[tuple[str, str], ...] = (
    (r"[Dd]river(?: [Vv]ersion)?\s*[:=]?\s*(\d{3}\.\d+(?:\.\d+)?)", "driver"),
    (r"[\\/]CUDA[\\/]v?(\d+\.\d)\b", "toolkit"),
    (r"/cuda-(\d+\.\d)/(?:bin|include|targets|lib64)\b", "toolkit"),
    (r"lib/python(3\.\d+)/", "python"),
    (r"[\\/]VC[\\/]Tools[\\/]MSVC[\\/](14\.\d+)\.", "msvc"),
)
_VERSION_ATTRIBUTES = re.compile(
    r"\b(?P<name>torch|torchvision|tensorflow|tf|numpy|np|pytorch3d|keras|tf\.version)"
    r"\.(?:__version__|VERSION)\W{1,20}?(?P<version>\d+\.\d+[\w.+]*)"
)
_NAMES = (
    r"(?P<name>PyTorch3D|PyTorch|torchvision|torch|tensorflow-gpu|TensorFlow|TF|tf-keras|Keras"
    r"|NumPy|protobuf)"
)
_NUMBER = r"v?(?P<version>\d+\.\d+(?:\.\d+)?(?:\+\w+)?)"
_ASKED = re.compile(
    rf"^[\s*-]*{_NAMES}(?: version)?(?: \([^)\n]*\))?\**\s*[:=]\s*{_NUMBER}", re.I | re.M
)
_HEADED = re.compile(  # a form of GitHub: the question is a heading, the answer a paragraph
    rf"^\s*#+\s*{_NAMES}(?: version)?\s*\n\s*(?:v\S+-\S+ )?{_NUMBER}\s*$", re.I | re.M
)
_SAID = re.compile(
    rf"(?<![\w/.\-]){_NAMES}(?: version)?(?:\s*[:=@]+\s*|\s+|-|(?<=tf)){_NUMBER}(?![\w-])",
    re.IGNORECASE,
)
_SAID_CUDA = re.compile(r"\bCUDA(?: toolkit)?(?: version)?[ :=v]*(\d{1,2}\.\d)\b", re.IGNORECASE)
_SYSTEMS = (
    ("windows", r"\b(?:Windows|Win) ?(?:10|11|8(?:\.1)?|7|Server)\b|\bPS [A-Z]:\\|\bcmd\.exe\b"),
    (
        "macos",
        r"\bmac ?OS\b|\bmac ?book|\bM[1-4] ?(?:Mac|Pro|Max|Air|Ultra|chip)\b|\bApple M[1-4]\b"
        r"|\b(?:Ventura|Sonoma|Sequoia)\b",
    ),
    (
        "linux",
        r"\b(?:Ubuntu|Debian|CentOS|Fedora|Arch Linux|RHEL|Rocky|Manjaro|Pop!_OS|WSL ?2?)\b",
    ),
)
_FOUND_DRIVER = re.compile(r"found version (\d{4,5})\)")
_MINOR_PYTHON = re.compile(r"(?:cpython-|\bcp|[Pp]ython)(3)(\d{1,2})(?=[-\\/.m])")
_CAPABLE = re.compile(
    r"(?P<name>(?:NVIDIA |GeForce|Tesla|Quadro|RTX|GTX|TITAN|[AHBLTV]\d{2,3}\b)[^\n]{0,60}?) "
    r"with CUDA capability sm_(?P<capability>\d{2,3})"
)
_ARCHS = re.compile(
    r"PyTorch install(?:ation)? supports CUDA capabilities((?:\s+(?:sm|compute)_\d+a?)+)"
)
_CARD_SAID = re.compile(
    r"\b(?:NVIDIA )?(?:GeForce )?(?:RTX|GTX?) ?(?:A?\d{3,4})(?: ?(?:Ti|SUPER|M))?\b(?: Laptop GPU)?"
    r"|\bTesla [KPMVT]\d{1,3}\b|\b(?:A100|H100|V100|P100|L40S|L4|T4|K80|A10G|B200|H200)\b"
    r"|\b(?:Quadro )?(?:RTX )?A[2-6]000\b|\bTITAN (?:RTX|V|Xp)\b"
)


def read_fragments(text: str, facts: Facts) -> None:
    """Notes what the outputs of known tools tell."""
    smi = _SMI.search(text)
    if smi is not None:
        facts.tell(driver=smi["driver"], driver_cuda=smi["cuda"])
    table = [
        Card(
            name=row["name"],
            index=int(row["index"]),
            memory_mib=int(row["total"]),
            memory_used_mib=int(row["used"]),
        )
        for row in _SMI_CARD.finditer(text)
    ]
    listed = [
        Card(name=row["name"], index=int(row["index"]), uuid=row["uuid"])
        for row in _SMI_LIST.finditer(text)
    ]
    facts.tell(cards=table or listed or None)
    nvcc = _NVCC.search(text)
    if nvcc is not None:
        facts.tell(toolkit=nvcc["full"] or nvcc["version"])
    gcc = _GCC.search(text)
    facts.tell(gcc=gcc["version"] if gcc else None)
    for row in (*_LISTED.finditer(text), *_FROZEN.finditer(text)):
        facts.tell_package(row["name"], row["version"])
    for row in _INSTALLED.finditer(text):
        for name, version in re.findall(r"([A-Za-z][\w.-]*?)-(\d[\w.+]*)(?=\s|$)", row["names"]):
            facts.tell_package(name, version)
    _read_values(_CERTAIN, text, facts)
    for row in _VERSION_ATTRIBUTES.finditer(text):
        name = {"tf": "tensorflow", "tf.version": "tensorflow", "np": "numpy"}.get(row["name"])
        facts.tell_package(name or row["name"], row["version"].rstrip("."))
    for row in (*_ASKED.finditer(text), *_HEADED.finditer(text)):
        facts.tell_package(row["name"], row["version"])
    _read_gpu(text, facts)


def read_hints(text: str, facts: Facts) -> None:
    """Notes what paths and people's own words give away: good for advice, not for a verdict."""
    _read_values(_GIVEN_AWAY, text, facts)
    said: dict[str, list[str]] = {}
    for row in _SAID.finditer(text):
        said.setdefault(normalised(row["name"]), []).append(row["version"])
    for name, versions in said.items():
        # Who names two ("2.10 works, 2.11 does not") leaves open which one is there.
        longest = max(versions, key=len)
        if all(longest.startswith(each) for each in versions):
            facts.tell_package(name, longest)
    if ("tensorflow" in facts.packages or "tensorflow-gpu" in facts.packages) and (
        "torch" not in facts.packages
    ):
        toolkits = set(_SAID_CUDA.findall(text))
        facts.tell(toolkit=toolkits.pop() if len(toolkits) == 1 else None)
    minor = _MINOR_PYTHON.search(text)
    facts.tell(python=f"{minor[1]}.{minor[2]}" if minor else None)
    _read_system(text, facts)
    cards = list(dict.fromkeys(" ".join(hit[0].split()) for hit in _CARD_SAID.finditer(text)))
    facts.tell(said_card=cards[0] if cards else None, has_one_card=len(cards) == 1 or None)


def _read_values(patterns: tuple[tuple[str, str], ...], text: str, facts: Facts) -> None:
    for pattern, fact in patterns:
        found = re.search(pattern, text)
        if found is not None:
            facts.tell(**{fact: found[1]})


def _read_system(text: str, facts: Facts) -> None:
    if facts.os is None:
        name = re.search(
            r"(?:\bOS\b|[Oo]perating [Ss]ystem|OS Platform and Distribution)[^\n:]*:\**\s*([^\n]+)",
            text,
        )
        facts.tell(os=os_of(name[1]) if name else None)
    if facts.os is None:
        named = {os for os, pattern in _SYSTEMS if re.search(pattern, text)}
        if "windows" in named and re.search(r"\bWSL ?2?\b", text):
            named.discard("windows")
        facts.tell(os=named.pop() if len(named) == 1 else None)
    if facts.os is None:
        marks = {
            "windows": r"(?m)(?:^|[\s'\"(])[A-Z]:[\\/]{1,2}\w[\w .-]*[\\/]|\bwin[-_]amd64\b"
            r"|\bWinError\b",
            "macos": r"/opt/homebrew/|macosx-\d+|/Users/\w+/(?:miniforge|opt|Library)|-darwin\.so",
            "linux": r"x86_64-linux-gnu|\.so(?:\.\d+)*\b|/home/\w+|/usr/(?:local|lib)/|manylinux",
        }
        facts.tell(os=next((each for each, mark in marks.items() if re.search(mark, text)), None))
    if re.search(r"microsoft-standard(?:-WSL2)?|\bWSL ?2?\b|/usr/lib/wsl/", text):
        facts.tell(is_wsl=True)


def _read_gpu(text: str, facts: Facts) -> None:
    number = _FOUND_DRIVER.search(text)
    if number is not None:
        facts.tell(driver_cuda=f"{int(number[1]) // 1000}.{int(number[1]) % 1000 // 10}")
    archs = _ARCHS.search(text)
    facts.tell(torch_archs=tuple(archs[1].split()) if archs else None)
    capable = _CAPABLE.search(text)
    started = _STARTED.search(text)
    if capable is not None:
        code = capable["capability"]
        name = re.sub(r"^.*(?:UserWarning|warning):?\s*", "", capable["name"]).strip()
        facts.tell(cards=[Card(name=name, compute_capability=f"{code[:-1]}.{code[-1]}")])
    elif started is not None:
        card = Card(name=started["name"], compute_capability=started["capability"])
        facts.tell(cards=[card])
