"""Runs held against one another: groups, what is shared, the best, and the page."""

import csv
import io
import math
import re
import statistics

import pytest

from labcore.record.store import list_runs
from labcore.report.compare import build, compare, read_runs, write_csv
from labcore.report.compare.labels import group_labels, write_spread

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def compared(tmp_path):
    """Compares every run that was added, oldest first."""

    def work():
        left_out = {}
        return compare(read_runs(list_runs(tmp_path / "runs"), left_out))

    return work


def figure(comparison, name):
    (found,) = [figure for figure in comparison.figures if figure.name == name]
    return found


def names(folders):
    return sorted(folder.name for folder in folders)


def test_runs_that_differ_only_in_their_seed_are_a_group(add_run, compared):
    add_run("a", seed=1, options={"lr": 0.1}, created=1.0)
    add_run("b", seed=1, options={"lr": 0.2}, created=2.0)
    add_run("c", seed=2, options={"lr": 0.1}, created=3.0)
    add_run("d", seed=2, options={"lr": 0.1}, created=4.0, preset="laptop")
    comparison = compared()
    groups = [[run.folder.name for run in group.runs] for group in comparison.groups]
    assert groups == [["a", "c"], ["b"], ["d"]]
    assert comparison.options == ["lr"]


def test_where_a_run_is_computed_and_who_watches_it_is_no_difference(add_run, compared):
    watched = {"device": {"name": "cuda"}, "threads": 4, "hooks": {"wandb": {"mode": "online"}}}
    add_run("a", seed=1, options={"device": {"name": "cpu"}, "threads": 1, "hooks": {"wandb": {}}})
    add_run("b", seed=2, options=watched | {"name": "words"})
    comparison = compared()
    assert len(comparison.groups) == 1
    assert comparison.options == []


def test_a_group_has_the_mean_and_the_sample_deviation_of_its_finite_values(add_run, compared):
    losses = [0.5, 0.25, 0.9]
    for seed, loss in enumerate(losses):
        add_run(f"r{seed}", seed=seed, val=[1.0, loss])
    add_run("r9", seed=9, val=[1.0, math.nan])
    comparison = compared()
    spread = comparison.groups[0].spread(figure(comparison, "val/loss"))
    assert spread.mean == pytest.approx(sum(losses) / 3)
    assert spread.deviation == pytest.approx(statistics.stdev(losses))
    assert write_spread(spread, 4) == "0.55 ±0.33 (3 of 4)"


@pytest.mark.parametrize(("goal", "best"), [("minimize", "b"), ("maximize", "c")])
def test_the_best_run_and_group_follow_the_goal(add_run, compared, goal, best):
    train = {"train": {"monitor": "loss", "goal": goal}}
    for name, value in [("a", 0.5), ("b", 0.2), ("c", 0.9)]:
        add_run(
            name, options={**train, "lr": name}, figures={"val/loss": value, "val/other": value}
        )
    comparison = compared()
    found = figure(comparison, "val/loss")
    assert names(found.best) == [best]
    assert found.best_groups == {"abc".index(best) + 1}
    assert not figure(comparison, "val/other").best
    assert comparison.figures[0].name == "val/loss"


def test_trainings_that_do_not_agree_on_what_is_good_have_no_best(add_run, compared):
    for name, goal in [("a", "minimize"), ("b", "maximize")]:
        train = {"monitor": "loss", "goal": goal}
        add_run(name, options={"train": train}, figures={"val/loss": 1.0})
    comparison = compared()
    assert comparison.monitor == ""
    assert not figure(comparison, "val/loss").best


def test_a_best_value_that_is_not_the_last_is_a_figure_of_its_own(add_run, compared):
    add_run("a", val=[3.0, 1.0, 2.0])
    add_run("b", options={"lr": 1}, val=[3.0, 1.5])
    comparison = compared()
    assert names(figure(comparison, "val/loss").best) == ["b"]
    assert names(figure(comparison, "best val/loss").best) == ["a"]


def test_of_different_plugins_only_what_they_share_is_compared(add_run, compared):
    for name, seed in [("a", 1), ("b", 2)]:
        own = {"val/own": 1.0}
        add_run(name, seed=seed, options={"own": seed, "lr": 1}, figures={"val/loss": 1.0, **own})
    add_run("c", plugin="other", options={"lr": 2}, figures={"val/loss": 2.0, "val/its": 1.0})
    comparison = compared()
    assert [figure.name for figure in comparison.figures] == ["val/loss"]
    assert comparison.options == ["lr"]
    assert comparison.num_left_out == 2


def test_options_of_one_variant_are_compared_among_its_runs(add_run, compared):
    add_run("a", options={"model": {"name": "bts", "bins": 1}}, created=1.0)
    add_run("b", options={"model": {"name": "bts", "bins": 2}}, created=2.0)
    add_run("c", options={"model": {"name": "other", "depth": 3}}, created=3.0)
    comparison = compared()
    assert comparison.options == ["model.name", "model.bins"]
    assert list(group_labels(comparison).values()) == [
        *("1 model=bts, bins=1", "2 model=bts, bins=2", "3 model=other"),
    ]


def test_the_csv_has_a_row_for_each_run_in_full_precision(add_run, compared):
    add_run("a", seed=1, options={"lr": 0.1}, figures={"val/loss": 1 / 3}, created=1.0)
    add_run("b", seed=1, options={"lr": 0.2}, figures={"val/loss": 2.0}, created=2.0)
    stream = io.StringIO()
    write_csv(compared(), stream)
    rows = list(csv.DictReader(io.StringIO(stream.getvalue())))
    assert [row["run"] for row in rows] == ["toy/a", "toy/b"]
    assert [float(row["val/loss"]) for row in rows] == [1 / 3, 2.0]
    assert [row["lr"] for row in rows] == ["0.1", "0.2"]
    assert [row["group"] for row in rows] == ["1", "2"]


def test_the_page_shows_curves_on_one_axis_and_pictures_side_by_side(
    add_run, add_artifact, compared, open_page, tmp_path
):
    for seed, losses in [(1, [3.0, 2.0]), (2, [3.0, 1.0, 0.5])]:
        folder = add_run(f"r{seed}", seed=seed, val=losses, created=seed)
        add_artifact(folder, "s/1.png", PNG, "image", title="sample", section="Samples")
        add_artifact(folder, f"own{seed}.png", PNG, "image", title=f"own {seed}")
    page = open_page(build(tmp_path / "runs/compare/x.html", compared()))
    assert len(page.find("figure", **{"class": "chart"})) == 1
    assert len([tag for tag in page.find("g") if tag["class"].startswith("line")]) == 2
    assert page.find("g", **{"class": "c1"})
    assert page.find("g", **{"class": "c2"})
    assert "1.25 ±1.1" in page.text
    assert len(page.find("img")) == 2
    assert "Samples" in page.text
    links = [tag["href"] for tag in page.find("a") if "1.png" in (tag["href"] or "")]
    assert "../toy/r1/artifacts/s/1.png" in links
    assert not [href for href in links if not (tmp_path / "runs/compare" / href).exists()]
    assert not re.search(r"https?://", page.source)


def test_sounds_of_all_runs_share_one_budget_title_by_title(
    add_run, add_artifact, compared, open_page, tmp_path, monkeypatch
):
    monkeypatch.setattr("labcore.report.compare.page.Budget.take", lambda self, size: size < 5)
    for seed in (1, 2):
        folder = add_run(f"r{seed}", seed=seed)
        add_artifact(folder, "a.png", b"four", "image", title="small")
        add_artifact(folder, "b.png", b"larger", "image", title="large")
    page = open_page(build(tmp_path / "page.html", compared()))
    assert len(page.find("img")) == 2
    assert page.text.count("too large for the page; it is beside it") == 2


def test_what_is_damaged_is_said_on_the_page(add_run, compared, open_page, tmp_path):
    folder = add_run("a", val=[2.0, 1.0])
    add_run("b", seed=1, val=[2.0, 1.0])
    (folder / "artifacts").mkdir()
    (folder / "artifacts/manifest.json").write_text("{")
    with (folder / "metrics.jsonl").open("a") as stream:
        stream.write('\n{"step": 3, "pha')
    left_out = {tmp_path / "toy/c": "it is gone"}
    page = open_page(build(tmp_path / "page.html", compared(), left_out))
    assert "The artifacts of toy/a are left out" in page.text
    assert "Damaged lines of metrics.jsonl that were skipped: 1." in page.text
    assert "toy/c is left out: it is gone" in page.text


def test_hostile_text_comes_out_as_text(add_run, add_artifact, compared, open_page, tmp_path):
    evil = "<script>alert(1)</script>\"'{{ 7 * 7 }}"
    for seed in (1, 2):
        options = {evil: f"{evil}{seed}"}
        folder = add_run(f"r{seed}", seed=seed, options=options, preset=evil, figures={evil: 1.0})
        add_artifact(folder, "a.png", PNG, "image", title=evil, section=evil)
    page = open_page(build(tmp_path / "page.html", compared()))
    assert len(page.find("script")) == 2
    assert "{{ 7 * 7 }}" in page.text
    assert not [name for _, attrs in page.tags for name in attrs if name.startswith("on")]


def test_many_runs_have_a_line_with_a_band_for_each_group(add_run, compared, open_page, tmp_path):
    for number in range(15):
        options = {"lr": number // 3, "mode": "other" if number < 3 else "same"}
        add_run(
            f"r{number:02d}", seed=number % 3, options=options, val=[9.0, number], created=number
        )
    page = open_page(build(tmp_path / "page.html", compared()))
    assert len([tag for tag in page.find("g") if tag["class"].startswith("line")]) == 5
    assert len(page.find("path", **{"class": "band"})) == 5
    assert "2 lr=1 4" in page.text  # the mean of 3, 4 and 5
    assert "mode=same" not in page.text


def test_many_groups_have_a_row_each(add_run, compared, open_page, tmp_path):
    for number in range(9):
        options = {"lr": number}
        add_run(f"r{number}", options=options, figures={"val/loss": number + 0.5}, created=number)
    page = open_page(build(tmp_path / "page.html", compared()))
    assert "7 lr=6 seed 0 6.5 8 lr=7 seed 0 7.5" in page.text


def test_more_groups_than_colours_are_dashed_and_dotted(add_run, compared, open_page, tmp_path):
    for number in range(26):
        add_run(f"r{number:02d}", options={"lr": number}, val=[2.0, 1.0], created=number)
    page = open_page(build(tmp_path / "page.html", compared()))
    classes = [tag["class"] for tag in page.find("g") if tag["class"].startswith("line")]
    assert [classes[at] for at in (0, 8, 23, 24)] == ["line c1", "line c9", "line c24", "line c1"]
