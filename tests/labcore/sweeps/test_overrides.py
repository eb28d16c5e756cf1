"""Typed values through Hydra's own parser, and back as the very same values."""

import enum
import math
from pathlib import PurePosixPath

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import QuotedString
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from labcore.config.overrides import read_overrides
from labcore.errors import UsageError
from labcore.sweeps.overrides import as_override, as_overrides, as_value

SPECIAL = "'\"\\{}[](),:=$~ \t\n#&*?|%@.-+/"
texts = st.one_of(
    st.text(alphabet=st.one_of(st.characters(codec="utf-8"), st.sampled_from(SPECIAL))),
    st.text(alphabet="${}\\'x", max_size=8),
    st.sampled_from(["null", "True", "FALSE", "1", "-1", "1e5", "1_000", "nan", "-inf", ".5", ""]),
)
scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), texts)
keys = st.one_of(
    st.from_regex(r"[A-Za-z_][A-Za-z0-9_.*/ {}=:,\\-]*[A-Za-z0-9_]", fullmatch=True), st.integers()
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(keys, inner, max_size=4)),
    max_leaves=10,
)


def is_same(left, right):
    if type(left) is not type(right):
        return False
    if isinstance(left, float):
        return left == right or (math.isnan(left) and math.isnan(right))
    if isinstance(left, list):
        return len(left) == len(right) and all(map(is_same, left, right))
    if isinstance(left, dict):
        return len(left) == len(right) and all(
            is_same(a, b) and is_same(left[a], right[b]) for a, b in zip(left, right, strict=True)
        )
    return left == right


def plain(value):
    if isinstance(value, QuotedString):
        return value.text
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, dict):
        return {plain(key): plain(each) for key, each in value.items()}
    return value


def as_config_has_it(parsed):
    """The value that an option has in the end: references are followed."""
    return OmegaConf.to_container(OmegaConf.create({"value": parsed}), resolve=True)["value"]


@settings(max_examples=500, deadline=None)
@given(values)
def test_an_override_sets_the_very_value(value):
    try:
        override = as_override("some.option", value)
    except UsageError:
        assume(False)  # a key that Hydra reads as a number or as true
    parsed = OverridesParser.create().parse_override(override)
    assert parsed.get_key_element() == "some.option"
    assert not parsed.is_sweep_override()
    assert is_same(as_config_has_it(plain(parsed.value())), value)


@settings(max_examples=200, deadline=None)
@given(values)
def test_what_lab_run_makes_of_an_override_is_the_same(value):
    try:
        override = as_override("some.option", value)
    except UsageError:
        assume(False)
    (given_,), problems = read_overrides([override], [])
    assert problems == []
    assert is_same(as_config_has_it(plain(given_.values()[0])), value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (False, "false"),
        (3, "3"),
        (1e-05, "1e-05"),
        (math.inf, "inf"),
        (math.nan, "nan"),
        ("flat", "flat"),
        ("None", "None"),
        ("true", "'true'"),
        ("3", "'3'"),
        ("a,b", "'a,b'"),
        ("it's", r"'it\'s'"),
        ("C:\\", r"'C:\\'"),
        ("", "''"),
        ([1, "a b", [None]], "[1,'a b',[null]]"),
        ((1, 2), "[1,2]"),
        ({"lr": 0.1, "betas": [0.9, 0.99]}, "{lr:0.1,betas:[0.9,0.99]}"),
        (PurePosixPath("/a/b"), "'/a/b'"),
        ([], "[]"),
        ({}, "{}"),
    ],
)
def test_values_are_written_in_hydras_words(value, text):
    assert as_value(value) == text


def test_a_choice_of_a_group_stays_a_word():
    assert as_overrides({"model": "flat", "hooks": ["default", "wandb"], "optimizer.lr": 0.1}) == [
        "model=flat",
        "hooks=[default,wandb]",
        "optimizer.lr=0.1",
    ]


def test_a_reference_is_taken_as_text():
    parsed = OverridesParser.create().parse_override(as_override("name", "${seed}-x"))
    assert OmegaConf.create({"name": plain(parsed.value()), "seed": 1}).name == "${seed}-x"


def test_a_member_of_an_enum_goes_by_its_name():
    assert as_value(enum.Enum("Kind", {"tall": 7}).tall) == "tall"


class Scalar:
    """As NumPy's scalars are seen from here."""

    def __init__(self, value):
        self._value = value

    def tolist(self):
        return self._value


def test_numpys_scalars_and_arrays_are_what_they_hold():
    assert as_value(Scalar(0.5)) == "0.5"
    assert as_value({"a": Scalar([1, 2])}) == "{a:[1,2]}"


@pytest.mark.ml
def test_real_numpy_values_are_written_as_pythons():
    np = pytest.importorskip("numpy")
    assert as_value(np.float64(0.1)) == "0.1"
    assert as_value(np.float32(0.5)) == "0.5"
    assert as_value(np.int64(3)) == "3"
    assert as_value(np.bool_(True)) == "true"
    assert as_value(np.str_("a,b")) == "'a,b'"
    assert as_value(np.array([1.5, 2.0])) == "[1.5,2.0]"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (object(), "lr cannot be set from here: a config holds no object; use text"),
        ({"1": 2}, "the mapping's key '1' as something else than text"),
        ({"true": 2}, "'true' as something else than text"),
        ({"": 2}, "no way to write the mapping's key ''"),
        ({"it's": 2}, "no way to write"),
        ({(1, 2): 2}, "a key of type tuple"),
        ([{1j}], "a config holds no set"),
    ],
)
def test_what_cannot_be_written_is_told(value, words):
    with pytest.raises(UsageError, match="cannot be set from here") as caught:
        as_override("lr", value)
    assert words in str(caught.value)
