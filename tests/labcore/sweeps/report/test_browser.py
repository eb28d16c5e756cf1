"""The page of a sweep in a real browser: it fits, it follows trials, it keeps and sorts them."""

import dataclasses
import os
import runpy
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from labcore.sweeps.report import build

_TESTS = Path(__file__).parents[3]
_HELPERS = runpy.run_path(str(_TESTS / "e2e" / "test_report_browser.py"))
sample_sweep = runpy.run_path(str(Path(__file__).with_name("sample_sweep.py")))["sample_sweep"]

pytestmark = _HELPERS["pytestmark"]


@pytest.fixture(scope="module")
def browser(tmp_path_factory) -> Iterator:
    browser = _HELPERS["Browser"](tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Callable[[int], Path]:
    def make(num_trials: int = 60) -> Path:
        return build(tmp_path_factory.mktemp("sweep"), sample_sweep(num_trials))

    return make


@pytest.mark.parametrize("num_trials", [4, 60, 300])
@pytest.mark.parametrize(("width", "dark"), [(1280, False), (400, True)])
def test_the_page_fits_its_window_and_every_text_has_contrast(
    browser, page, tmp_path, num_trials, width, dark
):
    path = page(num_trials)
    browser.open(path, width=width, dark=dark)
    album = Path(os.environ.get("LAB_SCREENSHOTS", tmp_path))
    browser.screenshot(album / f"sweep-{num_trials}-{width}.png")
    assert browser.evaluate("document.documentElement.scrollWidth") == width
    assert browser.evaluate(_HELPERS["CONTRAST"]) == []
    assert browser.requests == [path.as_uri()]
    assert browser.complaints == []


def test_a_long_reason_stays_in_its_column(browser, tmp_path):
    sweep = sample_sweep(4)
    reason = "the metric went from 0.5 to 1.3e+09 " * 5 + "x" * 200
    sweep.trials[0] = dataclasses.replace(sweep.trials[0], stopped_by=reason)
    browser.open(build(tmp_path, sweep))
    ends = browser.evaluate(
        """[...document.querySelectorAll("td.why")].map((cell) => {
          const range = document.createRange();
          range.selectNodeContents(cell);
          return [range.getBoundingClientRect().right, cell.getBoundingClientRect().right]; })"""
    )
    assert max(text for text, _ in ends) > 0
    assert all(text <= cell for text, cell in ends)


def test_the_arrow_keys_go_from_the_best_trial_to_the_next_in_all_charts(browser, page):
    browser.open(page())
    order = [trial.number for trial in sample_sweep(60).ranked()]
    browser.evaluate("document.querySelector('.parallel svg').focus()")
    browser.press("ArrowRight")
    read = """[document.getElementById('readout').textContent,
      [...new Set([...document.querySelectorAll('.picked')].map((n) => n.dataset.trial))],
      document.querySelectorAll('figure.chart .mark.picked').length]"""
    text, picked, count = browser.evaluate(read)
    assert text.startswith(f"trial {order[0]}: ")
    assert picked == [str(order[0])]
    assert count == 8
    browser.press("ArrowRight")
    assert browser.evaluate(read)[1] == [str(order[1])]
    browser.press("Escape")
    assert browser.evaluate(read)[1] == []
    assert browser.evaluate("document.getElementById('readout').hidden")


def test_pointing_at_a_row_of_the_table_picks_its_line(browser, page):
    browser.open(page())
    x, y = browser.evaluate(
        """(() => { const row = document.querySelector("tr[data-trial='3']");
          row.scrollIntoView({block: "center", behavior: "instant"});
          const {x, y, height} = row.getBoundingClientRect();
          return [x + 40, y + height / 2]; })()"""
    )
    browser.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
    assert browser.evaluate("document.querySelector('.parallel .picked').dataset.trial") == "3"


def test_dragging_along_an_axis_keeps_the_trials_that_pass_there(browser, page):
    browser.open(page())
    x, top, height = browser.evaluate(
        """(() => { const svg = document.querySelector(".parallel svg");
          svg.scrollIntoView({block: "center", behavior: "instant"});
          const axis = svg.querySelector(".column line");
          const {x, y, width, height} = axis.getBoundingClientRect();
          return [x + width / 2, y, height]; })()"""
    )
    for kind, at in (("mousePressed", 0.0), ("mouseMoved", 0.3), ("mouseReleased", 0.5)):
        browser.call(
            "Input.dispatchMouseEvent",
            type=kind,
            x=x,
            y=top + at * height,
            button="left",
            buttons=0 if kind == "mouseReleased" else 1,
            clickCount=1,
        )
        if kind == "mouseMoved":
            browser.call(
                "Input.dispatchMouseEvent",
                type=kind,
                x=x,
                y=top + 0.5 * height,
                button="left",
                buttons=1,
            )
    shown = browser.evaluate(
        """[...document.querySelectorAll("tr[data-trial]:not(.out)")]
          .map((row) => Number(row.dataset.trial))"""
    )
    # The upper half of the axis, which goes by the logarithm from 0.0001 to 0.1 (0.00316).
    expected = [
        trial.number
        for trial in sample_sweep(60).trials
        if trial.values["optimizer.lr"] > 0.00316 and trial.number
    ]
    assert 0 < len(shown) < 60
    assert set(shown) - {0} == set(expected)
    note = browser.evaluate("document.querySelector('.kept').textContent.trim()")
    assert note.startswith(f"{len(shown)} of 60 trials are kept.")
    browser.evaluate("document.querySelector('.clear').click()")
    assert browser.evaluate("document.querySelectorAll('.out').length") == 0


def test_a_click_on_a_head_sorts_by_size_and_puts_trials_without_a_value_last(browser, page):
    browser.open(page())
    column = """(() => { const head = document.querySelectorAll(".trials th")[2];
      head.querySelector("button").click();
      const rows = [...document.querySelectorAll(".trials tbody tr")];
      return [head.getAttribute("aria-sort"), rows.map((r) => r.cells[2].dataset.key)]; })()"""
    values = [t.best_metric for t in sample_sweep(60).trials if t.best_metric is not None]
    direction, keys = browser.evaluate(column)
    assert direction == "ascending"
    assert [float(key) for key in keys if key] == sorted(values)
    assert keys[-1] == ""
    direction, keys = browser.evaluate(column)
    assert direction == "descending"
    assert [float(key) for key in keys if key] == sorted(values, reverse=True)
    assert keys[-1] == ""
