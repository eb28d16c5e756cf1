"""Tables of results as they are read: marks, intervals, formats."""

import csv
import xml.etree.ElementTree as ET

import pytest

pytest.importorskip("numpy")
pytest.importorskip("scipy", reason="the extra musicvae brings it")

from labcore.kit.tables import Metric, ResultTable  # after the skip

METRICS = (
    Metric(key="abs_rel", title="AbsRel", better="lower"),
    Metric(key="delta1", better="higher", digits=2),
    Metric(key="parameters", digits=0),
)


def table_of(*rows, **options):
    table = ResultTable(METRICS, systems="network", **options)
    for system, *values in rows:
        table.add(system, dict(zip(("abs_rel", "delta1", "parameters"), values, strict=False)))
    return table


ONCE = (("small", 0.12, 0.812, 1e6), ("large", 0.11, 0.808, 2e6), ("constant", 0.39, 0.5))


def test_markdown_has_the_best_of_each_metric_bold_and_ties_alike():
    assert table_of(*ONCE).to_markdown() == (
        "| network | AbsRel | delta1 | parameters |\n"
        "| --- | ---: | ---: | ---: |\n"
        "| small | 0.120 | **0.81** | 1000000 |\n"
        "| large | **0.110** | **0.81** | 2000000 |\n"
        "| constant | 0.390 | 0.50 |  |\n"
    )


def test_csv_has_plain_numbers():
    rows = list(csv.reader(table_of(*ONCE).to_csv().splitlines()))
    assert rows[0] == ["network", "AbsRel", "delta1", "parameters"]
    assert rows[3] == ["constant", "0.390", "0.50", ""]


def test_html_is_well_formed_and_has_the_best_of_each_metric_strong():
    tree = ET.fromstring(table_of(*ONCE, ("<b>&", 0.9)).to_html())
    assert [e.text for e in tree.iter("strong")] == ["0.81", "0.110", "0.81"]
    assert [e.text for e in tree.iter("th")][-1] == "<b>&"


def test_turned_it_has_metrics_below_each_other_with_the_same_marks():
    assert table_of(*ONCE, turned=True).to_markdown().splitlines()[2:4] == [
        "| AbsRel | 0.120 | **0.110** | 0.390 |",
        "| delta1 | **0.81** | **0.81** | 0.50 |",
    ]


def test_several_seeds_give_mean_interval_and_their_number():
    seeds = [("small", value) for value in (0.10, 0.12, 0.14)]
    lines = table_of(*seeds, ("large", 0.2)).to_markdown().splitlines()
    # t(0.975, 2) = 4.302653 times 0.02 / sqrt(3)
    assert lines[2] == "| small | **0.120 ± 0.050** |  |  | 3 |"
    assert lines[3] == "| large | 0.200 |  |  | 1 |"


def test_in_csv_an_interval_is_a_column_of_its_own():
    table = table_of(("small", 0.1, 0.5), ("small", 0.3, 0.5), ("large", 0.2))
    small, large = csv.DictReader(table.to_csv().splitlines())
    assert (small["AbsRel"], small["AbsRel ±95%"]) == ("0.200", "1.271")  # 12.7062 times 0.1
    assert (large["AbsRel"], large["AbsRel ±95%"]) == ("0.200", "")
    assert (small["delta1"], small["delta1 ±95%"]) == ("0.50", "")  # the same every time


@pytest.mark.parametrize("turned", [False, True])
def test_one_system_alone_is_not_the_best_of_anything(turned):
    assert "**" not in table_of(ONCE[0], turned=turned).to_markdown()


def test_what_is_no_number_is_never_the_best():
    lines = table_of(("a", float("nan")), ("b", 0.3), ("c", 0.2)).to_markdown().splitlines()
    assert lines[2:] == ["| a |  |  |  |", "| b | 0.300 |  |  |", "| c | **0.200** |  |  |"]


def test_bars_in_names_do_not_break_a_markdown_table():
    assert r"| p(x\|z) | 1.000 |" in table_of(("p(x|z)", 1.0)).to_markdown()


def test_it_is_saved_in_the_format_that_the_suffix_names(tmp_path):
    table = table_of(*ONCE)
    for name, text in (
        ("a.csv", table.to_csv()), ("a.md", table.to_markdown()), ("a.html", table.to_html()),
    ):  # fmt: skip
        assert table.save(tmp_path / name).read_text(encoding="utf-8") == text
    with pytest.raises(ValueError, match=r"\.csv, \.md, \.html, not as a\.xlsx"):
        table.save(tmp_path / "a.xlsx")
