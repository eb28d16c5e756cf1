"""The page of a sweep: what it says, and that it can be made of any sweep."""

import dataclasses
import html.parser
import json
import math
import re
import runpy
import shlex
from pathlib import Path

import pytest

from labcore.sweeps.distributions import Categorical, Constant, Normal, make
from labcore.sweeps.report import Parameter, SweepResults, TrialRow, build

SAMPLE = runpy.run_path(str(Path(__file__).with_name("sample_sweep.py")))
sample_sweep = SAMPLE["sample_sweep"]


class Page(html.parser.HTMLParser):
    """Tags with their attributes, and the text between them."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.source = path.read_text(encoding="utf-8")
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self._inside = ""
        self.feed(self.source)
        self.text = " ".join(" ".join(self.texts).split())

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._inside = tag

    def handle_endtag(self, tag):
        self._inside = ""

    def handle_data(self, data):
        if self._inside not in {"style", "script"}:
            self.texts.append(data)

    def marks(self, tag: str, word: str = "mark") -> list[dict[str, str | None]]:
        return [
            a for name, a in self.tags if name == tag and word in (a.get("class") or "").split()
        ]


def page_of(folder: Path, results: SweepResults) -> Page:
    return Page(build(folder, results))


def small(*trials: TrialRow, goal: str = "minimize", **changes) -> SweepResults:
    fields = {
        "name": "s",
        "plugin": "p",
        "metric": "loss",
        "goal": goal,
        "parameters": [Parameter(name="optimizer.lr", low=1e-4, high=0.1, log=True)],
        "trials": trials,
    }
    return SweepResults(**{**fields, **changes})


def trial(number: int, best: float | None, state: str = "completed", **changes) -> TrialRow:
    curve = () if best is None else ((1, 10, best + 1), (2, 20, best))
    fields = {"values": {"optimizer.lr": 0.001 * (number + 1)}, "metric": best, "curve": curve}
    return TrialRow(number=number, state=state, best_metric=best, **{**fields, **changes})


@pytest.mark.parametrize(("goal", "best"), [("minimize", 1), ("maximize", 0)])
def test_the_best_trial_is_the_one_that_the_goal_says(tmp_path, goal, best):
    page = page_of(tmp_path, small(trial(0, 5.0), trial(1, 2.0), trial(2, 3.0), goal=goal))
    assert f"Best trial: {best}" in page.text


def test_a_trial_that_diverged_or_failed_is_never_the_best(tmp_path):
    trials = [trial(0, 5.0), trial(1, 1.0, "diverged"), trial(2, 2.0, "failed", error="no memory")]
    page = page_of(tmp_path, small(*trials))
    assert "Best trial: 0" in page.text
    assert "trial 2 no memory" in page.text


def test_the_command_of_the_best_trial_sets_its_very_values(tmp_path):
    values = {"optimizer.lr": 0.1 + 0.2, "model": "a b", "sizes": [1, 2], "none": None, "on": True}
    results = small(
        trial(0, 1.0, values=values),
        parameters=[Parameter(name=name) for name in values],
        overrides=("plugin=p", "preset=smoke"),
    )
    page = page_of(tmp_path, results)
    line = re.search(r"lab run .*?(?= copy)", page.text)
    assert line is not None
    words = shlex.split(line[0])
    assert words[:4] == ["lab", "run", "plugin=p", "preset=smoke"]
    assert words[4:] == [
        "optimizer.lr=0.30000000000000004",
        "model='a b'",
        "sizes=[1,2]",
        "none=null",
        "on=true",
    ]


def test_every_trial_with_a_value_is_in_every_chart_and_every_trial_in_the_table(tmp_path):
    results = sample_sweep(60)
    page = page_of(tmp_path, results)
    ranked = {str(row.number) for row in results.ranked()}
    curved = {str(row.number) for row in results.trials if row.curve}
    lines = [
        mark["data-trial"] for mark in page.marks("path") if "stop" not in mark["class"].split()
    ]
    assert {number for number in ranked if lines.count(number) == 2} == ranked
    assert set(lines) >= curved
    dots = [mark["data-trial"] for mark in page.marks("circle")]
    num_charts = 1 + len(results.varying)
    assert all(dots.count(number) == num_charts for number in ranked)
    rows = [
        attrs["data-trial"] for tag, attrs in page.tags if tag == "tr" and "data-trial" in attrs
    ]
    assert rows == [str(row.number) for row in results.trials]


def test_early_stops_end_in_a_cross_and_whole_trials_do_not(tmp_path):
    results = sample_sweep(60)
    page = page_of(tmp_path, results)
    crosses = {int(mark["data-trial"] or -1) for mark in page.marks("path", "stop")}
    assert crosses == {t.number for t in results.trials if t.state in ("stopped", "diverged")}


def test_the_share_saved_by_early_stops_counts_the_logs_left_out(tmp_path):
    whole = tuple((log, log, 1.0) for log in range(1, 11))
    results = small(
        trial(0, 1.0, curve=whole),
        trial(1, 2.0, curve=whole),
        trial(2, 3.0, "stopped", curve=whole[:4]),
        trial(3, 3.0, "stopped", curve=whole[:2]),
    )
    # 6 and 8 of 40 logs were not made.
    assert "saved by early stops 35%" in page_of(tmp_path, results).text


def test_a_sweep_with_no_trial_says_so_and_is_still_a_page(tmp_path):
    page = page_of(tmp_path, small(state="running"))
    assert "It was still going when this page was made. No trial has started." in page.text
    assert "lab run" not in page.text


def test_trials_without_a_value_leave_charts_out_and_are_listed(tmp_path):
    page = page_of(tmp_path, small(trial(0, None, "running"), trial(1, math.nan, "failed")))
    assert "No trial has a value of loss that can be compared." in page.text
    assert "No trial has a value of loss yet." in page.text
    assert not page.marks("circle")


def test_values_that_are_not_finite_break_no_chart(tmp_path):
    curve = ((1, 1, 3.0), (2, 2, math.nan), (3, 3, math.inf), (4, 4, 2.0))
    page = page_of(tmp_path, small(trial(0, 2.0, curve=curve), trial(1, math.inf), trial(2, 9.0)))
    drawn = [attrs["d"] for tag, attrs in page.tags if tag == "path"]
    assert drawn
    assert not any("nan" in path or "inf" in path for path in drawn if path)


def test_what_comes_from_outside_is_text_and_no_markup(tmp_path):
    evil = "</script><script>alert(1)</script>"
    results = small(
        trial(0, 1.0, "stopped", stopped_by=evil, values={"optimizer.lr": evil}),
        trial(1, 2.0, "failed", error=evil),
        name=evil,
        metric=evil,
        source=evil,
        facts=((evil, evil),),
        commands=((evil, evil),),
        parameters=[Parameter(name="optimizer.lr", choices=(evil, "b"))],
    )
    page = page_of(tmp_path, results)
    assert "<script>alert" not in page.source
    assert sum(tag == "script" for tag, _ in page.tags) == 2


def test_the_page_names_no_other_page_but_the_runs(tmp_path):
    runs = tmp_path / "runs"
    done = runs / "musicvae" / "musicvae-20260102-030405-0000"
    done.mkdir(parents=True)
    (done / "report.html").touch()
    folder = tmp_path / "sweeps" / "s"
    folder.mkdir(parents=True)
    page = page_of(folder, sample_sweep(4, runs=runs))
    links = {a["href"] for tag, a in page.tags if tag == "a" and not a["href"].startswith("#")}
    assert links == {
        "../../runs/musicvae/musicvae-20260102-030405-0000/report.html",
        *(f"../../runs/musicvae/musicvae-20260102-030405-000{n}" for n in (1, 2, 3)),
    }
    assert "http" not in page.source.replace("http-equiv", "")


def test_parameters_that_never_vary_are_listed_apart(tmp_path):
    page = page_of(tmp_path, sample_sweep(20))
    assert "The same in all trials 1 bars 2" in page.text


def test_few_trials_are_told_to_be_too_few_for_importance(tmp_path):
    page = page_of(tmp_path, sample_sweep(4))
    assert "It takes 20 trials with a value of the metric to tell; there are 4." in page.text


def test_the_data_of_the_script_orders_trials_from_the_best_to_the_worst(tmp_path):
    results = sample_sweep(30)
    page = page_of(tmp_path, results)
    found = re.search(r'id="data">(.*?)</script>', page.source)
    assert found is not None
    data = json.loads(found[1])
    scores = {row.number: row.score for row in results.trials}
    assert [scores[number] for number in data["order"]] == sorted(
        score for score in scores.values() if score is not None
    )
    assert set(data["labels"]) == {str(row.number) for row in results.trials}


def test_three_hundred_trials_make_a_page_below_a_megabyte(tmp_path):
    path = build(tmp_path, sample_sweep(300))
    assert path.stat().st_size < 1_000_000


@pytest.mark.parametrize(
    ("distribution", "expected", "varies"),
    [
        (Constant(value=3), Parameter(name="x", choices=(3,)), False),
        (Categorical(values=("a", "b")), Parameter(name="x", choices=("a", "b")), True),
        (Categorical(values=(32,)), Parameter(name="x", choices=(32,)), False),
        (make("q_uniform", min=50, max=100, q=10), Parameter(name="x", low=50, high=100), True),
        (Normal(mu=0, sigma=1), Parameter(name="x"), True),
    ],
)
def test_a_parameter_is_described_as_its_distribution_draws(distribution, expected, varies):
    found = Parameter.of("x", distribution)
    assert found == expected
    assert found.varies is varies


def test_a_logarithmic_distribution_has_a_logarithmic_axis_between_its_values():
    found = Parameter.of("x", make("log_uniform", min=math.log(1e-4), max=math.log(0.1)))
    assert found.log
    assert (found.low, found.high) == pytest.approx((1e-4, 0.1))


def test_a_state_that_there_is_not_is_refused():
    with pytest.raises(ValueError, match="trial 3 is 'pruned'; use one of"):
        dataclasses.replace(trial(3, 1.0), state="pruned")
