"""Overrides of all kinds, against the configs of two plugins: ``python -m tests.fuzz.overrides``.

Each case is a few overrides as somebody may type them; composing gives a config or one clear error.
"""

import functools
import random
import sys
import tempfile
from pathlib import Path

from labcore.config import compose, list_options
from labcore.discovery import FoundPlugin, find_plugins
from tests.fuzz.harness import fuzz_by_hand, mutated

__all__ = ["make_case", "run_case"]

_VALUES = [
    *("1", "-1", "0", "1.5", "1e400", "nan", "true", "null", "", "a", "x" * 300, "9" * 400),
    *("1" * 4301, "[1,2]", "[]", "{a:1}", "{}", "{a:{b:[1]}}", "${seed}", "${now:%Y}", "${nope}"),
    *("${oc.env:HOME}", "${oc.decode:1}", "${.}", "${", "$", "'a b'", "'a", '"', "a,b", "1,2"),
    *("range(1,5)", "range(0,1e9)", "choice(a,b)", "glob(*)", "interval(0,1)", "sort(3,1)", "=3"),
    *("*", "&a", "shuffle(1,2)", "tag(a,1,2)", "int(x)", "json_str(1)", "extend_list(1)", "\\"),
    *("\x1b[31m", "[" * 200, "(" * 200, "{a:" * 100, "2d", "auto", "cuda:0", "???", "\n", "é"),
]  # fmt: skip
_WORDS = tuple(word.encode() for word in ("=", "~", "+", "++", ".", ",", "[", "${", "@", ":", "'"))


@functools.cache
def plugins() -> tuple[FoundPlugin, ...]:
    found = find_plugins()
    return tuple(found[name] for name in ("musicvae", "render") if found[name].plugin)


@functools.cache
def names(number: int) -> list[str]:
    found = plugins()[number]
    assert found.plugin is not None
    assert found.config_dir is not None
    options = [option.path for option in list_options(found.plugin, docs=False)]
    sections = {path.rpartition(".")[0] for path in options} - {""}
    groups = [folder.name for folder in found.config_dir.iterdir() if folder.is_dir()]
    hydras = ["hydra.searchpath", "hydra.job.name", "hooks", "hooks.wandb", "hooks.nope"]
    return [*options, *sections, *groups, *hydras, "nope", ""]


def make_case(rng: random.Random) -> tuple[int, list[str]]:
    """Makes the number of a plugin, and overrides."""
    number = rng.randrange(len(plugins()))
    overrides = []
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        prefix = rng.choice(("", "", "", "", "", "+", "++", "~", "+-"))
        text = f"{prefix}{rng.choice(names(number))}={rng.choice(_VALUES)}"
        if rng.random() < 0.3:
            text = mutated(text.encode(), rng, words=_WORDS, most=2).decode(errors="replace")
        overrides.append(text)
    return number, overrides


def run_case(case: tuple[int, list[str]]) -> None:
    """Composes, and writes the config down as a run would."""
    number, overrides = case
    found = plugins()[number]
    composed = compose(found, [f"plugin={found.name}", "preset=smoke", *overrides])
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "config.yaml").write_text(composed.to_yaml(), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(fuzz_by_hand("overrides", make_case, run_case))
