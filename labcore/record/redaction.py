"""Keeping secrets out of run folders: the one place that decides what a secret is.

Everything that a run writes down passes through here. A secret is known by its name
(``db.password``, ``HF_TOKEN``, ``?sig=``), by its shape (a login inside a URL, ``Bearer ...``, the
tokens of well-known services), or because it is the value of a secret met before: of an environment
variable, of an option. What is masked is gone: nothing brings it back but giving it again.
"""

import functools
import logging
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = [
    "MASK",
    "RedactingFormatter",
    "is_secret_name",
    "recordable_variables",
    "redact_arguments",
    "redact_text",
    "redact_tree",
    "remember",
]

MASK = "***"

_ANYWHERE = re.compile(r"\w*(?:secrets?|passwords?|passwd|passphrase|credentials?|apikey|token)")
"""A word that makes a name secret wherever it stands in it: ``secret_access_id``."""
_AT_END = re.compile(r"\w*auth|key|pass|pwd|pat|sig|bearer|authorization|cookie")
"""A word that does so only at the end: ``api_key``, not ``key_path``."""
_HARMLESS = re.compile(
    r"(?:true|false|none|null|str|int|float|bool|bytes|any|[-+.\d]{0,5}(?:e[-+]?\d+)?"
    r"|\d+(?:\.\d+)+[\w.+-]{0,8})[,;:)]*",
    re.IGNORECASE,
)
"""Values that no secret has: ``max_token=100``, ``password: str``, ``google-auth: 2.4.1``."""
_CODE_NAME = re.compile(r"(?:.*\.)?(?:key|pat|sig|token|auth)")
"""Names that code gives to other things."""
_CODE = re.compile(r"[\w.]*[(\[{].*")
"""A call, a type with brackets, the start of a tuple."""
_NAME = re.compile(r"(?<![\w.\-/+~])([\w.\-/+~]+)[\"']?[ \t]*(?:=(?!=)|:(?!=))[ \t]*")
_VALUE = re.compile(
    r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|\{.{0,2000}\}|\[.{0,2000}\]"
    r"|(?:bearer|basic|token)\s+\S+|[^\s,}\]]+",
    re.IGNORECASE,
)
_SHAPES = (
    # A login inside a URL; its password may hold / and @, so the last @ ends it.
    (re.compile(r"(://)[^\s\"'<>:@/]{0,256}:[^\s\"'<>]{0,256}@"), rf"\g<1>{MASK}@"),
    (re.compile(r"(://)[^\s\"'<>:@/]{12,256}@"), rf"\g<1>{MASK}@"),
    (re.compile(r"([?&][\w.%-]*(?:sig|signature|credential)=)[^\s&\"'<>]+", re.I), rf"\1{MASK}"),
    (re.compile(r"\b(bearer|basic)(\s+)(?=[^\s,;]{0,99}\d)[^\s,;\"']{6,}", re.I), rf"\1\2{MASK}"),
    (re.compile(r"\b(bearer\s+)[^\s,;\"']{8,}", re.I), rf"\1{MASK}"),
    (re.compile(r"\b(wandb\w*\W+(?:\w+\W+){0,3})[0-9a-f]{40}\b", re.I), rf"\1{MASK}"),
    (
        re.compile(
            r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?:.*?-----END [A-Z ]*PRIVATE KEY-----|.*)", re.S
        ),
        MASK,
    ),
    (
        re.compile(
            r"(?<![A-Za-z0-9])(?:"
            r"hf_[A-Za-z0-9]{16,}|gh[pousr]_[A-Za-z0-9]{16,}|github_pat_\w{20,}|glpat-[\w-]{16,}"
            r"|sk-(?=[\w-]{0,99}\d)[\w-]{20,}|wandb_v\d_\w{16,}|npm_[A-Za-z0-9]{30,}|pypi-[\w-]{30,}"
            r"|xox[abeoprs]-[\w-]{10,}|(?:AKIA|ASIA)[0-9A-Z]{16}|AIza[\w-]{35}|ya29\.[\w-]{20,}"
            r"|eyJ[\w-]{8,512}\.[\w-]{8,}\.[\w-]*"
            r")"
        ),
        MASK,
    ),
)
_RECORDED = ("CUDA_", "OMP_", "MKL_", "TF_", "NVIDIA_", "LAB_", "PYTORCH_", "NCCL_")
_RECORDED_NAMES = frozenset({"SLURM_JOB_ID", "SLURM_PROCID", "RANK", "LOCAL_RANK", "WORLD_SIZE"})

_met: set[str] = set()
"""Values of secrets that this process has met."""


@functools.lru_cache(maxsize=4096)
def is_secret_name(name: str) -> bool:
    """Whether an option or variable called ``name`` holds a secret, judged by its words.

    ``api_key`` and ``hooks.wandb.token`` do; ``num_tokens`` and ``tokenizer`` do not.
    """
    for part in re.split(r"[./+~:]+", name.lower()):
        words = [each.rstrip("0123456789") for each in re.split(r"[^a-z0-9]+", part) if each]
        if any(map(_ANYWHERE.fullmatch, words)) or (words and _AT_END.fullmatch(words[-1])):
            return True
    return False


def remember(value: object) -> None:
    """Has a value masked wherever it turns up in this process from now on."""
    text = str(value).strip("'\"")
    if _is_telling(text):
        _met.add(text)


def redact_text(text: str, *, is_code: bool = False) -> str:
    """Masks the secrets in a text: by shape, by ``name=value`` or ``name: value``, and by value.

    Args:
        text: Any text.
        is_code: Whether it is mostly code, where ``key=len`` and ``token: Token`` are no secrets.
    """
    return _redact(text, _known_values(), is_code)


def _redact(text: str, values: Sequence[str], is_code: bool = False) -> str:
    for value in values:
        text = text.replace(value, MASK)
    return _redact_shapes(text, is_code)


# The rows of a manifest are written again with every file that is added.
@functools.lru_cache(maxsize=2048)
def _redact_shapes(text: str, is_code: bool) -> str:
    for pattern, masked in _SHAPES:
        text = pattern.sub(masked, text)
    clean: list[str] = []
    position = 0
    while (name := _NAME.search(text, position)) is not None:
        clean.append(text[position : name.end()])
        position = name.end()
        value = _value_at(text, position) if is_secret_name(name[1]) else ""
        if is_code and value[:1] not in ("'", '"'):
            is_word = _CODE_NAME.fullmatch(name[1]) is not None and not re.search(r"\d", value)
            value = "" if is_word or _CODE.fullmatch(value) else value
        if _is_secret(value):
            clean.append(MASK)
            position += len(value)
    return "".join([*clean, text[position:]])


def redact_tree(tree: Any, name: str = "") -> Any:
    """Masks the secrets in nested mappings and lists; a secret name masks all that is below it."""
    return _redact_below(tree, name, _known_values())


def _redact_below(tree: Any, name: str, values: list[str]) -> Any:
    if isinstance(tree, Mapping):
        return {
            key: _redact_below(value, name if is_secret_name(name) else str(key), values)
            for key, value in tree.items()
        }
    if isinstance(tree, list | tuple):
        return [_redact_below(value, name, values) for value in tree]
    if tree is None or isinstance(tree, bool | float):
        return tree
    is_word = name in {"key", "pat", "sig"} and str(tree).isalpha()  # ``key: C``
    if is_secret_name(name) and _is_secret(str(tree)) and not is_word:
        remember(tree)
        values[:] = _known_values()
        return MASK
    return _redact(tree, values) if isinstance(tree, str) else tree


def redact_arguments(arguments: Sequence[str]) -> list[str]:
    """Masks secrets on a command line, in all the ways that one is written there."""
    clean: list[str] = []
    hide_next = False
    for argument in arguments:
        name, assigned, value = argument.partition("=")
        if hide_next and not argument.startswith("-"):
            remember(argument)
            clean.append(MASK)
        elif assigned and is_secret_name(name) and not _HARMLESS.fullmatch(value):
            remember(value)
            clean.append(f"{name}={MASK}")
        else:
            clean.append(redact_text(argument))
        hide_next = argument.startswith("-") and not assigned and is_secret_name(name)
    return clean


def recordable_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Returns the environment variables that matter to a run and hold no secret.

    The list says what may be written, not what may not: an unknown variable stays out.
    """
    return {
        name: redact_text(value)
        for name, value in sorted(environ.items())
        if (name.startswith(_RECORDED) or name in _RECORDED_NAMES) and not is_secret_name(name)
    }


class RedactingFormatter(logging.Formatter):
    """Formats the lines of a log without the secrets in them."""

    def format(self, record: logging.LogRecord) -> str:
        """Returns the line."""
        return redact_text(super().format(record))


def _value_at(text: str, position: int) -> str:
    match = _VALUE.match(text, position)
    return match[0] if match is not None else ""


def _is_secret(value: str) -> bool:
    """Whether the value of a secret name is one, and not a number, a version or a type."""
    return len(value) > 2 if value[:1] in ("'", '"') else not _HARMLESS.fullmatch(value)


def _known_values() -> list[str]:
    """The values of the secrets met so far and of those in the environment now, longest first."""
    variables = {
        value
        for name, value in os.environ.items()
        if is_secret_name(name) and name not in {"PWD", "OLDPWD"} and _is_telling(value)
    }
    return sorted(_met | variables, key=len, reverse=True)


def _is_telling(value: str) -> bool:
    """Whether a value can be looked for in any text; short words would be masked inside others."""
    is_ordinary = (value.isalpha() and len(value) < 16) or (value.isdecimal() and len(value) < 8)
    return 6 <= len(value) < 1000 and not is_ordinary and MASK not in value
