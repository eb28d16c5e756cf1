"""Which layers a path names."""

import pytest
from torch import nn

from labcore.errors import UsageError
from labcore.hooks.taps import resolve_paths
from labcore.hooks.taps.paths import layer_names, unwrap


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(4, 4, batch_first=True)
        self.head = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 4))


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = Block()
        self.decoder = Block()
        self.blocks = nn.ModuleList(nn.Linear(4, 4) for _ in range(11))


@pytest.fixture
def model():
    return Model()


def layers(model, path):
    return list(resolve_paths(model, [path])[path])


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("encoder.lstm", ["encoder.lstm"]),
        ("encoder.head.2", ["encoder.head.2"]),
        ("encoder.head[2]", ["encoder.head.2"]),
        ("encoder.head[-1]", ["encoder.head.2"]),
        ("encoder.head.-3", ["encoder.head.0"]),
        ("blocks[-1]", ["blocks.10"]),
        ("decoder.*", ["decoder.lstm", "decoder.head"]),
        ("*.lstm", ["encoder.lstm", "decoder.lstm"]),
        ("enc*.l?tm", ["encoder.lstm"]),
        (
            "decoder.**",
            ["decoder.lstm", "decoder.head", "decoder.head.0", "decoder.head.1", "decoder.head.2"],
        ),
        ("**.0", ["encoder.head.0", "decoder.head.0", "blocks.0"]),
        ("*.head[-1]", ["encoder.head.2", "decoder.head.2"]),
        ("blocks.[1-3]", ["blocks.1", "blocks.2", "blocks.3"]),
        (".", ["."]),
    ],
)
def test_a_path_names_these_layers(model, path, expected):
    assert layers(model, path) == expected


def test_every_plain_name_is_what_named_modules_gives(model):
    expected = dict(model.named_modules())
    del expected[""]
    assert layer_names(model) == list(expected)
    for name, module in expected.items():
        assert resolve_paths(model, [name])[name] == {name: module}


def test_every_layer_below_is_found_once_by_two_stars(model):
    found = layers(model, "**")
    assert sorted(found) == sorted(layer_names(model))
    assert len(set(found)) == len(found)


def test_all_unknown_paths_are_told_at_once_with_the_nearest(model):
    with pytest.raises(UsageError) as caught:
        resolve_paths(model, ["encoder.lsmt", "decoder.lstm", "decodr.*", "blocks[99]", "qqq.head"])
    problems = caught.value.problems
    assert len(problems) == 4
    assert "'encoder.lsmt'; did you mean encoder.lstm" in problems[0]
    assert "decoder" in problems[1]
    assert "blocks." in problems[2]
    assert "encoder.head" in problems[3]


def test_a_model_that_is_not_of_torch_is_refused_in_words():
    with pytest.raises(UsageError, match=r"watches layers of torch.* is a object of builtins"):
        resolve_paths(object(), ["dense"])


def test_wrappers_are_looked_through(model):
    fabric = pytest.importorskip("lightning_fabric", reason="needs lightning-fabric")
    wrapped = fabric.Fabric(accelerator="cpu", devices=1).setup_module(model)
    assert type(wrapped) is not Model
    assert unwrap(wrapped) is model
    assert layers(wrapped, "*.lstm") == ["encoder.lstm", "decoder.lstm"]
    compiled = nn.Module()  # as torch.compile wraps, whose import takes seconds
    compiled._orig_mod = model
    assert unwrap(compiled) is model
    assert layers(nn.DataParallel(model), "encoder.lstm") == ["encoder.lstm"]


def test_a_child_that_happens_to_be_called_module_keeps_its_name():
    model = nn.Sequential()
    model.add_module("module", nn.Linear(1, 1))
    assert layer_names(model) == ["module"]
