"""Keeping secrets out of run folders."""

import re
from collections.abc import Mapping, Sequence

__all__ = ["MASK", "is_secret_name", "recordable_variables", "redact_arguments", "redact_text"]

MASK = "***"

_FORBIDDEN = r"key|token|secret|password|passwd|credential"
_SECRET_WORD = re.compile(
    r"(?:\w*(?:secrets?|passwords?|passwd|credentials?|apikey|token)|key)\Z", re.IGNORECASE
)
_NAME = re.compile(r"([\w.\-/+~]+)\s*[=:]\s*")
_VALUE = re.compile(r"\"[^\"]*\"|'[^']*'|\{.*\}|\[.*\]|[^\s,}\]]+")
_URL_LOGIN = re.compile(r"(://)[^/\s:@]*:[^/\s@]+@")
_ALLOWED = ("CUDA_", "OMP_", "MKL_", "TF_", "NVIDIA_", "LAB_", "PYTORCH_", "NCCL_")
_ALLOWED_NAMES = frozenset({"SLURM_JOB_ID", "SLURM_PROCID", "RANK", "LOCAL_RANK", "WORLD_SIZE"})


def is_secret_name(name: str) -> bool:
    """Whether an option or variable called ``name`` holds a secret, judged by its words.

    ``api_key`` and ``hooks.wandb.token`` do; ``num_tokens`` and ``tokenizer`` do not.
    """
    return any(_SECRET_WORD.match(word) for word in re.split(r"[^A-Za-z0-9]+", name))


def redact_text(text: str) -> str:
    """Masks logins inside URLs, and values written as ``name=value`` or ``name: value``."""
    text = _URL_LOGIN.sub(rf"\g<1>{MASK}@", text)
    clean: list[str] = []
    position = 0
    while (name := _NAME.search(text, position)) is not None:
        clean.append(text[position : name.end()])
        position = name.end()
        value = _VALUE.match(text, position)
        if value is not None and is_secret_name(name[1]):
            clean.append(MASK)
            position = value.end()
    return "".join([*clean, text[position:]])


def redact_arguments(arguments: Sequence[str]) -> list[str]:
    """Masks secrets on a command line, in all the ways that one is written there."""
    clean: list[str] = []
    hide_next = False
    for argument in arguments:
        name, assigned, _ = argument.partition("=")
        if hide_next and not argument.startswith("-"):
            clean.append(MASK)
        elif assigned and is_secret_name(name):
            clean.append(f"{name}={MASK}")
        else:
            clean.append(redact_text(argument))
        hide_next = argument.startswith("-") and not assigned and is_secret_name(name)
    return clean


def recordable_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Returns the environment variables that matter to a run and hold no secret.

    The list says what may be written, not what may not: an unknown variable stays out. Of those,
    any whose name merely contains KEY, TOKEN, SECRET or PASSWORD is left out too.
    """
    return {
        name: redact_text(value)
        for name, value in sorted(environ.items())
        if (name.startswith(_ALLOWED) or name in _ALLOWED_NAMES)
        and not re.search(_FORBIDDEN, name, re.IGNORECASE)
    }
