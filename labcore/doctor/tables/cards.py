"""Finding a card by the name that people and programs give it."""

import re

from labcore.errors import nearest

__all__ = ["best_names", "key_of", "maker_of"]

_SECOND_NAMES = re.compile(
    r"\(tm\)|\(r\)|\bnvidia\b|\bgeforce\b|\btesla\b|\bgraphics\b|\bcard\b|\bgpu\b|\blaptop\b"
    r"|\bnotebook\b|\bmobile\b|\bgeneration\b|\b(?:workstation|server) edition\b|\bedition\b"
    r"|\bwith\b|\bdesign\b|\blhr\b|\boem\b|\bsxm\d?\b|\bpcie?\b|\bnvl\b|\bhbm\d?\w?\b"
    r"|\b\d+ ?gi?b\b|\bsuperchip\b"
)
_MAX_Q = re.compile(r"\bmax q\b")
_SLICE = re.compile(r"\bmig \d+g\b.*")


_MAKERS = {
    "Apple": re.compile(r"(?:apple )?m[1-9](?: (?:pro|max|ultra))?(?: gpu)?|apple.*"),
    "AMD": re.compile(
        r".*\b(?:amd|radeon|instinct|firepro|ryzen|vega(?: \d+)?|mi\d{2,3}[a-z]?|gfx\d+\w*)\b.*"
        r"|rx ?\d{3,4}(?: ?xtx?)?|r[579] \w+"
    ),
    "Intel": re.compile(r".*\b(?:intel|arc|iris|uhd)\b.*"),
}


def maker_of(name: str) -> str:
    """Returns who makes a card, by its name: Apple, AMD or Intel, else NVIDIA."""
    plain = re.sub(r"[-_()\[\],]+", " ", name.lower()).strip()
    return next((maker for maker, form in _MAKERS.items() if form.fullmatch(plain)), "NVIDIA")


def key_of(name: str) -> str:
    """Returns what is left of a card's name without the words that do not change what it is.

    ``NVIDIA GeForce RTX 3080 Laptop GPU`` and ``rtx3080`` are both ``rtx3080``;
    ``Tesla V100-SXM2-16GB`` is ``v100``.
    """
    plain = name.lower().replace("(tm)", "").replace("(r)", "")
    plain = re.sub(r"[-_/()\[\],]+", " ", plain)
    plain = _SLICE.sub("", plain)
    plain = _SECOND_NAMES.sub(" ", plain)
    # A Max-Q model is the card of that name, run slower; only one name has it as its own.
    if "rtx pro" not in plain:
        plain = _MAX_Q.sub(" ", plain)
    return re.sub(r"\s+", "", plain)


def best_names(name: str, cards: dict[str, str], count: int = 3) -> list[str]:
    """Returns the names of cards most like one that is unknown.

    Args:
        name: As somebody typed it.
        cards: Key to name.
        count: At most so many.
    """
    key = key_of(name)
    digits = re.search(r"\d{3,4}", key)
    # For a person the cards with its number are nearest; without one, those that look alike.
    same = [each for each in cards if digits and digits[0] in each]
    found = sorted(same, key=lambda each: (key not in each, len(each)))
    found = found or nearest(key, cards, count)
    return [cards[each] for each in found][:count]
