"""From options to hooks: what is there, what is wrong, all at once."""

import subprocess
import sys
from types import SimpleNamespace

import pytest

from labcore.errors import UsageError
from labcore.hooks import build_hooks, hookimpl
from labcore.hooks.build import BUILT_IN
from labcore.plugin import load_object


class Shout:
    """A hook of a plugin."""

    def __init__(self, *, loud: bool = False, words: list[str] | None = None, top: int = 3):
        if top < 1:
            raise ValueError(f"top is {top}; it must be at least 1")
        self.loud = loud
        self.words = words

    @hookimpl
    def run_started(self, run):
        pass


@pytest.fixture
def plugin(monkeypatch):
    monkeypatch.setitem(sys.modules, "toy_hooks", SimpleNamespace(Shout=Shout))
    requires = SimpleNamespace(framework="torch")
    hooks = {"shout": "toy_hooks:Shout", "lost": "toy_hooks:Lost"}
    return SimpleNamespace(name="toy", hooks=hooks, requires=requires)


def test_hooks_are_built_with_their_options(plugin):
    hooks = build_hooks(plugin, {"shout": {"loud": True, "words": ["a"]}, "timing": {"every": 5}})
    assert set(hooks.names()) == {"jsonl", "shout", "timing"}
    assert hooks.get("shout").loud is True


def test_null_turns_a_hook_off_but_never_the_metrics_file(plugin):
    hooks = build_hooks(plugin, {"timing": None, "jsonl": None})
    assert hooks.names() == ("jsonl",)


def test_all_that_is_wrong_is_said_at_once(plugin):
    options = {
        "shuot": {},
        "shout": {"lout": True, "words": "text"},
        "timing": {"every": 2.5},
        "lost": {},
        "console": {"mode": "fancy"},
    }
    with pytest.raises(UsageError) as caught:
        build_hooks(plugin, options)
    text = str(caught.value)
    assert "no hook 'shuot'; did you mean shout?" in text
    assert "no option 'lout'; it has loud, words, top" in text
    assert "hooks.shout.words is 'text'; it takes list of text or null" in text
    assert "hooks.timing.every is 2.5; it takes integer" in text
    assert "hook lost" in text
    assert "mode is 'fancy'" in text


def test_the_injected_console_and_clock_are_no_options(plugin):
    with pytest.raises(UsageError, match="it has mode, every_s, metrics"):
        build_hooks(plugin, {"console": {"clock": 1}})


def test_a_value_that_the_hook_refuses_names_the_hook(plugin):
    with pytest.raises(UsageError, match=r"hooks\.shout: top is 0"):
        build_hooks(plugin, {"shout": {"top": 0}})


def test_taps_come_with_their_options(plugin):
    hooks = build_hooks(plugin, {}, taps={"encoder.*": ["stats"]}, taps_every=7)
    assert "taps" in hooks.names()
    assert "taps" not in build_hooks(plugin, {}, taps={}).names()


def test_taps_on_a_plugin_of_another_framework_are_refused_before_anything_starts(plugin):
    plugin.requires.framework = "tensorflow"
    with pytest.raises(UsageError, match="taps= watches layers of torch, and toy has none"):
        build_hooks(plugin, {}, taps={"dense": ["stats"]})
    assert build_hooks(plugin, {}).names() == ("jsonl",)


def test_a_kind_of_tap_that_does_not_exist_is_refused_with_the_nearest(plugin):
    with pytest.raises(UsageError, match="did you mean histogram"):
        build_hooks(plugin, {}, taps={"encoder": ["histogramm"]})


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_built_in_hook_can_be_had_with_its_defaults(plugin, name):
    load_object(BUILT_IN[name])
    assert name in build_hooks(plugin, {name: {}}).names()


def test_building_every_hook_imports_no_framework_and_no_logger():
    code = (
        "import sys; from types import SimpleNamespace as N\n"
        "from labcore.hooks import BUILT_IN, build_hooks\n"
        "plugin = N(hooks={}, requires=N(framework='torch'))\n"
        "build_hooks(plugin, {n: {} for n in BUILT_IN}, taps={'a': ['stats']})\n"
        "heavy = {'torch', 'numpy', 'tensorflow', 'wandb', 'tensorboard'} & set(sys.modules)\n"
        "sys.exit(','.join(sorted(heavy)) or 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
