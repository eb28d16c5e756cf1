"""C++ symbols as a linker writes them: the qualified name inside, and whose it is.

Only names are read (Itanium ABI, as GCC and Clang write them on Linux and macOS), not the types of
arguments: enough to say which function of which library is missing.
"""

import re

__all__ = ["TORCH_NAMESPACES", "is_torch_symbol", "qualified_name", "symbol_story"]

TORCH_NAMESPACES = ("c10", "at", "torch", "caffe2")

_START = re.compile(r"_Z(?:T[VTISv]|TW|GV|Th[n\d]+_|Tv[n\d]+_[n\d]+_)?")
_LENGTH = re.compile(r"\d+")
_FILLER = re.compile(r"S[tabsiod]|S[0-9A-Z]*_")
_ARGUMENT = re.compile(r"L[a-z]n?\d*E|S[0-9A-Z]*_|S[tabsiod]|T\d*_|D[a-zA-Z]")
"""Inside template arguments: a literal (Lb1E), a substitution, a parameter, a two-letter type."""
_C_NAMES = re.compile(r"TH(?:P|C|CP)[A-Z_]\w*")
"""Torch's C functions and its Python binding's: THPVariableClass."""

# Pattern in the mangled name, and what it means: the first that fits.
_STORIES: tuple[tuple[str, str], ...] = (
    (
        r"c10_cuda_check_implementation\w*_jb$",
        "torch 2.11 and 2.12 have this function in this form, 2.13 and later do not",
    ),
    (
        r"NSt7__cxx1112basic_string|B5cxx11",
        "It takes a std::string of the new C++ ABI (cxx11): the extension was compiled with it, "
        "and this torch with the old one, as the pip wheels of Linux were until torch 2.5, or "
        "its release has another signature here",
    ),
    (
        r"(?:ERK|E|_)Ss(?:$|[A-Z_])",
        "It takes a std::string of the old C++ ABI: the extension was compiled with "
        "_GLIBCXX_USE_CXX11_ABI=0, and this torch with the new one, as the pip wheels are from "
        "torch 2.6 or 2.7 on, or its release has another signature here",
    ),
    (
        r"^_ZNK?2at6Tensor(?:7is_cuda|8data_ptrI|4item|5dtype|6device|6layout|7options|9is_sparse)",
        "at::Tensor had this function until torch 1.9; from 1.10 on it is at::TensorBase's: the "
        "extension was built for 1.9 or older, and a newer torch is here",
    ),
    (
        r"2at10TensorBase",
        "at::TensorBase came with torch 1.10: the extension was built for 1.10 or newer, and "
        "an older torch, or one that changed it since, is here",
    ),
    (
        r"6SymInt",
        "c10::SymInt came with torch 1.13 or so: the extension was built for that or newer, and "
        "another torch is here",
    ),
    (
        r"2at4_ops",
        "at::_ops changes with most releases of torch: the extension was built for another one",
    ),
)


def qualified_name(symbol: str) -> str:
    """Returns ``c10::cuda::device_count`` for ``_ZN3c104cuda12device_countEv``.

    Arguments are left out and template arguments shortened to ``<...>``. A symbol that is not
    mangled, or in a way not known here, comes back as it is.
    """
    start = _START.match(symbol)
    if start is None:
        return symbol
    position = start.end()
    nested = symbol.startswith("N", position)
    if nested:
        position = _skip_qualifiers(symbol, position + 1)
    parts = _components(symbol, position, nested)
    return "::".join(parts) or symbol


def is_torch_symbol(symbol: str) -> bool:
    """Whether one of torch's libraries should define this symbol."""
    name = qualified_name(symbol)
    return name.split("::", 1)[0] in TORCH_NAMESPACES or _C_NAMES.match(name) is not None


def symbol_story(symbol: str) -> str | None:
    """Returns a sentence on where a missing symbol belongs; None when its name tells nothing."""
    return next((story for pattern, story in _STORIES if re.search(pattern, symbol)), None)


def _skip_qualifiers(symbol: str, position: int) -> int:
    while symbol[position : position + 1] in {"K", "V", "r", "R", "O"}:
        position += 1
    return position


def _skip_template(symbol: str, position: int) -> int:
    """Returns where the template arguments that start here end."""
    depth = 0
    while position < len(symbol):
        token = _ARGUMENT.match(symbol, position)
        length = _LENGTH.match(symbol, position)
        if token is not None:
            position = token.end()
        elif length is not None:
            position = length.end() + int(length[0])
        else:
            depth += {"I": 1, "N": 1, "F": 1, "J": 1, "X": 1, "E": -1}.get(symbol[position], 0)
            position += 1
            if depth == 0:
                break
    return position


def _components(symbol: str, position: int, nested: bool) -> list[str]:
    parts: list[str] = []
    while position < len(symbol):
        length = _LENGTH.match(symbol, position)
        if length is not None:
            position = length.end() + int(length[0])
            parts.append(symbol[length.end() : position])
        elif parts and symbol[position] == "B":  # an ABI tag: B5cxx11
            tag = _LENGTH.match(symbol, position + 1)
            position = tag.end() + int(tag[0]) if tag else len(symbol)
            continue
        elif parts and symbol[position] == "I":
            parts[-1] += "<...>"
            position = _skip_template(symbol, position)
        elif parts and symbol[position] in "CD" and symbol[position + 1 : position + 2].isdigit():
            parts.append(("~" if symbol[position] == "D" else "") + parts[-1])
            break
        elif (filler := _FILLER.match(symbol, position)) is not None and not parts:
            parts.append("std")
            position = filler.end()
        else:
            if nested and symbol[position] != "E" and parts:
                parts.append("operator")
            break
        if not nested:
            break
    return parts
