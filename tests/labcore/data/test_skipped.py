"""The list of what was left out: kept, shown, and too long."""

from pathlib import Path

import pytest

from labcore.data.skipped import Skipped, SkippedFiles, read_rows, write_rows
from labcore.errors import RunFailed


class Run:
    """Stands in for a run: keeps what is shown."""

    def __init__(self, folder: Path, *, is_main: bool = True) -> None:
        self.folder = folder
        self.is_main = is_main
        self.shown: list[dict[str, object]] = []

    def artifact_path(self, name: str) -> Path:
        return self.folder / name

    def add_artifact(self, path: Path, **options: object) -> None:
        self.shown.append({"path": path, **options})


def listed(**options) -> SkippedFiles:
    skipped = SkippedFiles(max_share=0.2, option="data.max_rejected", what="songs", **options)
    skipped.add("a.mid", ValueError("no header"))
    skipped.add("b.mid", "metre 3/4", kind="unused")
    skipped.add("b.mid", "metre 2/4", kind="unused")
    return skipped


def test_the_list_lies_in_the_run_and_is_a_table_of_its_report(tmp_path):
    run = Run(tmp_path)
    listed().report(run, total=10)
    assert (tmp_path / "skipped.csv").read_text().splitlines() == [
        "name,reason,kind",
        "a.mid,no header,unreadable",
        "b.mid,metre 3/4,unused",
        "b.mid,metre 2/4,unused",
    ]
    (shown,) = run.shown
    assert (shown["kind"], shown["caption"]) == ("table", "1 of 10 songs cannot be read")


def test_past_the_limit_the_run_fails_with_what_to_do_and_keeps_the_list(tmp_path):
    run = Run(tmp_path)
    with pytest.raises(RunFailed, match=r"1 of 4 songs cannot be read \(25%\)") as caught:
        listed().report(run, total=4)
    assert "data.max_rejected=0.2 allows" in caught.value.message
    assert str(tmp_path / "skipped.csv") in caught.value.message
    assert caught.value.fix == "replace the broken songs, or raise data.max_rejected"
    assert run.shown


def test_exactly_the_limit_is_allowed_and_what_is_unused_does_not_count(tmp_path):
    listed().report(Run(tmp_path), total=5)
    assert (listed().count(), listed().count("unused")) == (1, 1)


def test_a_limit_without_an_option_names_none():
    with pytest.raises(RunFailed, match="more than is allowed") as caught:
        SkippedFiles([Skipped("a", "b")], max_share=0).check(1)
    assert caught.value.fix == "replace the broken files"


def test_nothing_left_out_leaves_nothing(tmp_path):
    run = Run(tmp_path)
    SkippedFiles(max_share=0).report(run, total=0)
    assert (list(tmp_path.iterdir()), run.shown) == ([], [])


def test_a_helper_process_writes_nothing_and_fails_alike(tmp_path):
    run = Run(tmp_path, is_main=False)
    with pytest.raises(RunFailed):
        listed().report(run, total=1)
    assert (list(tmp_path.iterdir()), run.shown) == ([], [])


def test_a_list_is_read_back_as_it_was_written(tmp_path):
    rows = [Skipped('a,\n"b"', "ü"), Skipped("c", "", "partly")]
    write_rows(tmp_path / "list.csv", rows)
    assert read_rows(tmp_path / "list.csv") == rows


@pytest.mark.parametrize("content", [b"name,reason,kind\na,b,c,d\n", b"\xff\xfe", None])
def test_a_damaged_list_is_none(tmp_path, content):
    if content is not None:
        (tmp_path / "list.csv").write_bytes(content)
    assert read_rows(tmp_path / "list.csv") is None
