"""The ``command`` of a sweep file: the lab command that W&B's own agent would run.

W&B's agent starts what ``command`` says. Here a trial is a lab run anyway, so a command means
something if it is one: its plugin and overrides are taken over, and the same file works with
``wandb agent``. What would start a script is refused.
"""

import os
import re

from labcore.errors import nearest, suggestion
from labcore.sweeps.file.cursor import Cursor

__all__ = ["read_command"]

_ENVVAR = re.compile(r"\$\{envvar:([^}]*)\}")
_PYTHON = re.compile(r"(.*/)?python[\d.]*(\.exe)?\Z")
_EXAMPLE = '["lab", "run", "plugin=NAME", "${args_no_hyphens}"]'
_ARGS = "${args_no_hyphens}"
_REFUSED = {
    "${args}": "it writes --name=value, and lab takes name=value",
    "${args_no_boolean_flags}": "it writes --name=value, and lab takes name=value",
    "${args_json}": "lab takes name=value, not JSON",
    "${args_json_file}": "lab takes name=value, not a file",
}
_MACROS = (
    "${env}",
    "${interpreter}",
    "${program}",
    "${envvar:NAME}",
    _ARGS,
    *_REFUSED,
)


def read_command(at: Cursor, program: str | None) -> tuple[str, ...]:
    """Reads the command and remarks on what has no meaning here.

    Args:
        at: Where it stands.
        program: The file's ``program``, which ``${program}`` stands for.

    Returns:
        The words after ``lab run``, macros filled in; ``plugin=`` may be among them.
    """
    if not isinstance(at.value, list) or not all(isinstance(word, str) for word in at.value):
        at.problem(f"expected a list of words, such as {_EXAMPLE}")
        return ()
    words = [(word, _fill_in(word, program)) for word in at.elements()]
    texts = [text for _, text in words]
    start = _after_lab_run(texts)
    if start is None:
        at.problem(
            f"lab starts no other program than its own; leave the command out, or write {_EXAMPLE}"
        )
        return ()
    overrides = []
    for word, text in words[start:]:
        if text in _REFUSED:
            word.problem(f"{_REFUSED[text]}; write {_ARGS}")
        elif text.startswith("${") and text != _ARGS:
            near = suggestion(nearest(text, _MACROS))
            word.problem(f"there is no macro {text}; {near or 'there are ' + ', '.join(_MACROS)}")
        elif text.startswith("-"):
            word.problem("an option of lab run has no place in a sweep; give it to lab sweep")
        elif text != _ARGS and "=" not in text:
            word.problem(f"{text!r} is not of the form NAME=VALUE")
        elif text != _ARGS:
            overrides.append(text)
    if not {_ARGS, *_REFUSED} & set(texts):
        at.problem(f"the values of a trial have no place in it; add {_ARGS} at the end")
    return tuple(overrides)


def _fill_in(word: Cursor, program: str | None) -> str:
    def variable(match: "re.Match[str]") -> str:
        value = os.environ.get(match[1])
        if value is None:
            word.problem(f"the environment variable {match[1]} is not set")
        return value or ""

    text: str = word.value
    if text == "${program}" and program is not None:
        return program
    return _ENVVAR.sub(variable, text)


def _after_lab_run(words: list[str]) -> int | None:
    """Returns where the words after ``lab run`` begin; None if it is another command."""
    rest = list(words)
    if rest[:1] in (["${env}"], ["/usr/bin/env"]):
        rest.pop(0)
    if rest and (rest[0] == "${interpreter}" or _PYTHON.match(rest[0])):
        if rest[1:3] != ["-m", "labcore"]:
            return None
        rest = ["lab", *rest[3:]]
    if rest[:2] != ["lab", "run"]:
        return None
    return len(words) - len(rest) + 2
