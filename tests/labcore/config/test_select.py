"""Which plugin, which preset."""

import pytest

from labcore import LabError, UsageError
from labcore.config import choose_preset, peek, select_plugin
from labcore.discovery import FoundPlugin
from labcore.errors import nearest, nearest_option


@pytest.fixture
def plugins(toy: FoundPlugin) -> dict[str, FoundPlugin]:
    broken = FoundPlugin(name="broken", origin="test", error="ImportError: no", fix="pip install x")
    return {"broken": broken, "toy": toy}


def test_the_plugin_is_the_one_named(plugins: dict[str, FoundPlugin], toy: FoundPlugin) -> None:
    assert select_plugin(plugins, ["steps=1", "plugin=toy"]) is toy


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ([], r"which plugin\?(.|\n)*choose one of: broken, toy"),
        (["toy"], r"which plugin\?(.|\n)*write plugin=toy"),
        (["plugin="], r"which plugin\?"),
        (["plugin=toi"], r"there is no plugin(.|\n)*did you mean toy\?(.|\n)*broken, toy"),
        (["plugin=toy,broken"], "a command runs one plugin"),
    ],
)
def test_a_missing_or_wrong_plugin_gets_the_list(
    plugins: dict[str, FoundPlugin], overrides: list[str], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        select_plugin(plugins, overrides)


def test_a_broken_plugin_says_why_and_what_to_do(plugins: dict[str, FoundPlugin]) -> None:
    with pytest.raises(LabError, match=r"ImportError: no\n  fix: pip install x"):
        select_plugin(plugins, ["plugin=broken"])


@pytest.mark.parametrize(
    ("available", "paper_fits", "chosen"),
    [
        (["laptop", "paper", "smoke"], True, "paper"),
        (["laptop", "paper", "smoke"], False, "laptop"),
        (["paper", "smoke"], False, "smoke"),
        (["smoke"], True, "smoke"),
        (["odd"], False, "odd"),
        ([], True, "none"),
    ],
)
def test_auto_takes_paper_where_it_fits_and_else_laptop(
    available: list[str], paper_fits: bool, chosen: str
) -> None:
    assert choose_preset(available, paper_fits=paper_fits) == chosen


@pytest.mark.parametrize(
    ("overrides", "value"),
    [
        (["device=cpu"], "cpu"),
        (["+device='cuda:1'"], "cuda:1"),
        (["x.device=cpu"], None),
        ([], None),
    ],
)
def test_a_value_can_be_had_before_anything_is_parsed(
    overrides: list[str], value: str | None
) -> None:
    assert peek(overrides, "device") == value


def test_the_nearest_names_come_best_first_and_far_ones_not_at_all() -> None:
    assert nearest("laptpo", ["laptop", "paper", "lapdog"]) == ["laptop"]
    assert nearest("zzz", ["laptop", "paper"]) == []


def test_an_option_is_found_by_its_last_part() -> None:
    known = ["model.size", "optim.lr", "optim.lr_min", "net.width"]
    assert nearest_option("lr", known)[0] == "optim.lr"
    assert nearest_option("net.widht", known)[0] == "net.width"
    assert nearest_option("model.width", known)[0] == "net.width"
