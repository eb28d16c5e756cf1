"""C++ symbols as a linker writes them: the qualified name inside, and whose it is.

Only names are read (Itanium ABI, as GCC and Clang write them on Linux and macOS), not the types of
arguments: enough to say which function of which library is missing.
"""

import re

__all__ = ["TORCH_NAMESPACES", "is_torch_symbol", "qualified_name"]

TORCH_NAMESPACES = ("c10", "at", "torch", "caffe2")

_START = re.compile(r"_Z(?:T[VTISv]|TW|GV|Th[n\d]+_|Tv[n\d]+_[n\d]+_)?")
_LENGTH = re.compile(r"\d+")
_FILLER = re.compile(r"S[tabsiod]|S[0-9A-Z]*_")
_ARGUMENT = re.compile(r"L[a-z]n?\d*E|S[0-9A-Z]*_|S[tabsiod]|T\d*_|D[a-zA-Z]")
"""Inside template arguments: a literal (Lb1E), a substitution, a parameter, a two-letter type."""
_C_NAMES = re.compile(r"TH(?:P|C|CP)[A-Z_]\w*")
"""Torch's C functions and its Python binding's: THPVariableClass."""


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
