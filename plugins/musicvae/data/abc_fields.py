"""The header fields of ABC that need reading: key and metre."""

import re

__all__ = ["ACCIDENTALS", "key_signature", "read_metre"]

ACCIDENTALS = {"^^": 2, "^": 1, "=": 0, "_": -1, "__": -2}
_FIFTHS = {"F": -1, "C": 0, "G": 1, "D": 2, "A": 3, "E": 4, "B": 5}
_MODES = {"maj": 0, "ion": 0, "lyd": 1, "mix": -1, "dor": -2, "min": -3, "aeo": -3, "phr": -4,
          "loc": -5}  # fmt: skip
_SHARPS = "FCGDAEB"
_KEY = re.compile(r"\s*([A-G])([#b]?)\s*([A-Za-z]*)")
_EXPLICIT = re.compile(r"(\^\^|\^|__|_|=)([A-Ga-g])")


def key_signature(text: str) -> dict[str, int]:
    """Reads a K field: semitones by which each letter is raised, letters left natural omitted.

    >>> key_signature("A Dorian")
    {'F': 1}
    """
    if text.strip().startswith("HP"):  # Highland pipes, written without a signature
        return {}
    if text.strip().startswith("Hp"):
        return {"F": 1, "C": 1}
    match = _KEY.match(text)
    signature: dict[str, int] = {}
    if match is not None:
        tonic, accidental, word = match.groups()
        fifths = _FIFTHS[tonic] + {"#": 7, "b": -7, "": 0}[accidental]
        fifths += -3 if word == "m" else _MODES.get(word[:3].lower(), 0)
        letters = _SHARPS if fifths > 0 else _SHARPS[::-1]
        for index in range(abs(fifths)):
            signature[letters[index % 7]] = signature.get(letters[index % 7], 0) + (
                1 if fifths > 0 else -1
            )
    for mark, letter in _EXPLICIT.findall(text):
        signature[letter.upper()] = ACCIDENTALS[mark]
    return {letter: shift for letter, shift in signature.items() if shift}


def read_metre(text: str) -> tuple[int, int]:
    """Reads an M field; free or unreadable metre is (0, 4)."""
    text = text.strip()
    if text.startswith("C|"):
        return 2, 2
    if text.startswith("C"):
        return 4, 4
    match = re.match(r"\(?\s*(\d+(?:\s*\+\s*\d+)*)\s*\)?\s*/\s*(\d+)", text)
    if match is None or int(match[2]) == 0:
        return 0, 4
    return sum(int(part) for part in match[1].split("+")), int(match[2])
