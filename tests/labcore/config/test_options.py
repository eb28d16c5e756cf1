"""Options as data, and their help texts."""

import dataclasses
from dataclasses import dataclass, field
from typing import Any

import pytest

from labcore.config import Option, field_docs, list_options
from labcore.config.options import type_words
from labcore.discovery import FoundPlugin


@dataclass(kw_only=True)
class Base:
    first: int = 1
    """First,
    on two lines."""
    second: str = ""
    third: float = 0.0
    """Third."""

    def method(self) -> None:
        """Not a field."""


@dataclass(kw_only=True)
class Child(Base):
    third: float = 1.0
    """Third, said better."""
    fourth: list[int] = field(default_factory=list)
    """Fourth."""


def test_the_string_under_a_field_is_its_help_text() -> None:
    assert field_docs(Base) == {"first": "First, on two lines.", "third": "Third."}


def test_a_subclass_inherits_and_replaces_help_texts() -> None:
    docs = field_docs(Child)
    assert (docs["first"], docs["third"], docs["fourth"]) == (
        "First, on two lines.",
        "Third, said better.",
        "Fourth.",
    )


def test_a_class_without_source_has_no_help_texts() -> None:
    assert field_docs(dataclasses.make_dataclass("Made", [("a", int, 1)])) == {}


@pytest.mark.parametrize(
    ("hint", "words"),
    [
        (int, "integer"),
        (float | None, "number or null"),
        (bool, "true|false"),
        (list[str], "list of text"),
        (dict[str, list[str]], "mapping of text to list of text"),
        (dict[str, Any], "mapping of text to anything"),
    ],
)
def test_types_are_told_in_words(hint: Any, words: str) -> None:
    assert type_words(hint) == words


@pytest.fixture
def options(toy: FoundPlugin) -> dict[str, Option]:
    assert toy.plugin is not None
    return {option.path: option for option in list_options(toy.plugin)}


def test_options_have_path_type_default_and_help(options: dict[str, Option]) -> None:
    option = options["optim.lr"]
    assert (option.type, option.default, option.doc, option.section) == (
        "number",
        0.1,
        "Learning rate.",
        "optim",
    )


def test_enums_list_their_choices(options: dict[str, Option]) -> None:
    option = options["net.kind"]
    assert (option.type, option.default, option.choices) == ("flat|tall", "flat", ("flat", "tall"))


def test_the_plugins_own_options_come_first_and_the_cores_last(options: dict[str, Option]) -> None:
    sections = list(dict.fromkeys(option.section for option in options.values()))
    assert sections == ["toy", "net", "optim", "every run"]


def test_every_core_option_is_documented(options: dict[str, Option]) -> None:
    core = [option for option in options.values() if option.section == "every run"]
    assert all(option.doc for option in core)
