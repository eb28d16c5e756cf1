"""Tables from CSV, TSV and JSON."""

import json

import pytest

from labcore.report.tables import read_table


def test_a_csv_has_a_header_and_rows_with_quoted_cells(tmp_path):
    (tmp_path / "t.csv").write_text('name,value\n"a, b",1.5\n\nc,2\n')
    table = read_table(tmp_path / "t.csv")
    assert table.header == ["name", "value"]
    assert table.rows == [["a, b", "1.5"], ["c", "2"]]
    assert list(table.numeric) == [False, True]
    assert table.note == ""


def test_a_tsv_is_cut_at_tabs(tmp_path):
    (tmp_path / "t.tsv").write_text("a\tb\n1,5\t2\n")
    assert read_table(tmp_path / "t.tsv").rows == [["1,5", "2"]]


def test_the_first_fifty_rows_are_shown_and_the_rest_counted(tmp_path):
    (tmp_path / "t.csv").write_text("n\n" + "".join(f"{i}\n" for i in range(1_234)))
    table = read_table(tmp_path / "t.csv")
    assert len(table.rows) == 50
    assert table.note == "the first 50 of 1,234 rows"


def test_rows_of_unequal_length_are_filled_up(tmp_path):
    (tmp_path / "t.csv").write_text("a\n1,2,3\n4\n")
    table = read_table(tmp_path / "t.csv")
    assert table.header == ["a", "", ""]
    assert table.rows == [["1", "2", "3"], ["4", "", ""]]


@pytest.mark.parametrize(
    ("content", "header", "rows"),
    [
        ([{"a": 1, "b": None}, {"c": True}], ["a", "b", "c"], [["1", "", ""], ["", "", "yes"]]),
        ({"x": {"a": 1}, "y": {"a": 2}}, ["", "a"], [["x", "1"], ["y", "2"]]),
        ({"a": [1, 2], "b": [3]}, ["a", "b"], [["1", "3"], ["2", ""]]),
        ({"loss": 0.123456, "name": "n"}, ["name", "value"], [["loss", "0.1235"], ["name", "n"]]),
        ([[1, 2], [3, 4]], ["", ""], [["1", "2"], ["3", "4"]]),
    ],
)
def test_json_rows_columns_and_pairs_are_tables(tmp_path, content, header, rows):
    (tmp_path / "t.json").write_text(json.dumps(content))
    table = read_table(tmp_path / "t.json")
    assert [*table.header] == (header if any(header) else [])
    assert table.rows == rows


@pytest.mark.parametrize("content", ["", "{", "3", "[]"])
def test_json_that_is_no_table_gives_none(tmp_path, content):
    (tmp_path / "t.json").write_text(content)
    assert read_table(tmp_path / "t.json") is None


def test_an_empty_csv_gives_none(tmp_path):
    (tmp_path / "t.csv").write_text("")
    assert read_table(tmp_path / "t.csv") is None


def test_a_cell_without_end_is_cut(tmp_path):
    (tmp_path / "t.csv").write_text("a\n" + "x" * 100_000 + "\n")
    assert len(read_table(tmp_path / "t.csv").rows[0][0]) < 400
