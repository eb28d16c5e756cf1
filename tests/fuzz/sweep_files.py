"""Damaged sweep files, in JSON and YAML: ``python -m tests.fuzz.sweep_files --cases 10000``."""

import copy
import json
import random
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from labcore.errors import LabError
from labcore.sweeps.file.read import read_sweep
from tests.fuzz.harness import fuzz_by_hand, mutated

__all__ = ["NAME", "make", "reader"]

NAME = "sweep files"

_SWEEP = {
    "name": "s",
    "program": "train.py",
    "method": "bayes",
    "metric": {"name": "val/loss", "goal": "minimize", "target": 0.1},
    "run_cap": 20,
    "parameters": {
        "lr": {"distribution": "log_uniform_values", "min": 1e-5, "max": 0.1},
        "width": {"values": [8, 16, 32.5, None, True, "a"]},
        "p": {"values": [1, 2], "probabilities": [0.25, 0.75]},
        "steps": {"min": 1, "max": 100},
        "q": {"distribution": "q_uniform", "min": 0, "max": 1, "q": 0.1},
        "n": {"distribution": "q_log_normal", "mu": 0, "sigma": 1, "q": 2},
        "b": {"distribution": "beta", "a": 2, "b": 3},
        "i": {"distribution": "inv_log_uniform", "min": 0, "max": 2},
        "opt": {"parameters": {"beta": {"min": 0.5, "max": 0.9}, "kind": {"value": "sgd"}}},
    },
    "early_terminate": {"type": "hyperband", "max_iter": 27, "s": 2, "eta": 3, "strict": False},
    "command": ["${env}", "lab", "run", "plugin=toy", "${args_no_hyphens}"],
}
_YAML = b"""\
name: s
method: random
metric: {name: val/loss, goal: maximize}
base: &base {min: 1, max: 2.5}
parameters:
  lr: {<<: *base, distribution: uniform}
  width: &w
    values: [8, 1e-3, yes, 012, 1:30, .inf, 2024-01-01, 'x', "y"]
  depth: *w
  opt:
    parameters:
      mu: {mu: 0.0, sigma: 1.0, distribution: normal}
early_terminate:
  type: hyperband
  min_iter: 3
run_cap: 10
"""
_TEXTS = (
    json.dumps(_SWEEP, indent=1).encode(),
    json.dumps(_SWEEP).encode(),
    json.dumps(_SWEEP, indent=1).encode(),
    _YAML,
)
_WORDS = tuple(
    word.encode()
    for word in (
        *("{", "}", "[", "]", ":", ": ", ",", "- ", "\n", "\n  ", "#", '"', "'", "|", ">", "?"),
        *("&a", "*a", "&base [*base, *base]", "<<: *base", "<<: [*w, *base]", "---\n", "\t", "%"),
        *("[" * 60, "{" * 3000, '{"a":' * 50, "[[[[" * 2000, "- " * 100, "? " * 80),
        *("null", "true", "~", "nan", ".nan", "NaN", "Infinity", "-.inf", "1e400", "-1e-400"),
        *("0", "-1", "1.5", "1e5", "0x10", "0b1", "0o7", "1_000", "190:20:30", "1" * 400),
        *(
            "9" * 5000,
            "1e999",
            "5e-324",
            "1.7e308",
            "-1.7e308",
            str(2**63),
            str(-(2**63)),
            "2" * 18,
        ),
        *("!!int ", "!!float x", '!!timestamp "x"', "!!python/name:os.system ", "!!set ", "!a "),
        *("!!binary x", "!!null x", "!!bool 3", "!!omap [1]", "!!merge x", "!!value x", "= : 3"),
        *("\\ud800", "\\u0000", "\x00", "\x1b[31m", "\ufeff", "é", "\\", "x" * 10_000),
        *("min", "max", "value", "values", "probabilities", "parameters", "distribution", "q"),
        *("a", "mu", "sigma", "eta", "s", "strict", "min_iter", "max_iter", "method", "grid"),
        *(
            "uniform",
            "q_beta",
            "q_normal",
            "log_uniform",
            "q_log_uniform",
            "inv_log_uniform_values",
        ),
        *("${envvar:NOT_SET}", "${args}", "plugin=", "a.b", "..", "opt.beta", "run_cap"),
    )
)

_KEYS = ("min", "max", "value", "values", "q", "a", "mu", "sigma", "distribution", "é", "a.b", "")
_ODD = (
    *(None, True, False, [], {}, "", "a", "1e-3", "\ud800", "x" * 10_000, [[1]], {"a": 1}),
    *(0, -1, 1, 2, 3, 1000, 2**31, 2**62, 2**63, -(2**63), 10**100, 10**4000),
    *(0.5, -0.5, 1e-5, 1e-300, 5e-324, 1e300, 1.7e308, -1.7e308, float("nan"), float("inf")),
    *("uniform", "q_uniform", "log_uniform", "inv_log_uniform", "beta", "q_beta", "normal"),
    *("q_normal", "log_normal", "int_uniform", "categorical", "constant", "grid", "random"),
)


def make(rng: random.Random) -> tuple[str, bytes]:
    """Returns the ending and the bytes of a file; one in fifty is an alias bomb of its own."""
    if rng.randrange(50) == 0:
        return ".yaml", _bomb(rng)
    if rng.random() < 0.5:
        return ".json", json.dumps(_altered(rng)).encode()
    text = rng.choice(_TEXTS)
    is_json = text.startswith(b"{") and rng.random() < 0.7
    return ".json" if is_json else ".yaml", mutated(text, rng, words=_WORDS, most=5)


def _altered(rng: random.Random) -> Any:
    """Returns a sweep that is JSON, with some parts replaced by others."""
    sweep = json.loads(json.dumps(_SWEEP))
    for _ in range(rng.randint(1, 3)):
        part = sweep
        while True:
            keys = list(part) if isinstance(part, dict) else list(range(len(part)))
            key = rng.choice(keys)
            if not part[key] or not isinstance(part[key], dict | list) or rng.random() < 0.1:
                break
            part = part[key]
        if isinstance(part, dict) and rng.random() < 0.2:
            part[rng.choice(_KEYS)] = copy.deepcopy(rng.choice(_ODD))
        elif rng.random() < 0.1:
            del part[key]
            part = sweep if part else sweep.setdefault("again", {"x": 1})
        else:
            part[key] = copy.deepcopy(rng.choice(_ODD))
        if not all(sweep.values()):
            break
    return sweep


def _bomb(rng: random.Random) -> bytes:
    count, width = rng.randint(2, 40), rng.randint(1, 9)
    lines = ["l0: &l0 {x: 1, value: 2}"]
    for at in range(1, count):
        inner = ", ".join(f"*l{at - 1}" for _ in range(width))
        shape = rng.choice(("[{}]", "{{<<: [{}]}}", "{{values: [{}]}}"))
        lines.append(f"l{at}: &l{at} {shape.format(inner)}")
    return "\n".join([*lines, "method: grid", f"parameters: *l{count - 1}"]).encode()


def reader(folder: Path) -> Callable[[tuple[str, bytes]], None]:
    """Returns what reads a case, through a file in a folder."""

    def run(case: tuple[str, bytes]) -> None:
        ending, data = case
        path = folder / f"sweep{ending}"
        path.write_bytes(data)
        try:
            sweep = read_sweep(path)
        except LabError as error:
            text = str(error).encode()  # it can be printed
            if len(text) > 200_000:
                raise ValueError("nobody reads so long an error") from error
            raise
        for distribution in sweep.parameters.values():
            for u in (0.0, 0.02, 0.5, 0.98, 1.0):
                distribution.quantile(u)

    return run


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        sys.exit(fuzz_by_hand(NAME, make, reader(Path(name))))
