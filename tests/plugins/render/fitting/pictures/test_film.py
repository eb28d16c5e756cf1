"""The film of a fit, also of one that was stopped and resumed, or ended early."""

import numpy as np
import pytest
from PIL import Image

from plugins.render.fitting.pictures import Film, film_steps

pytestmark = pytest.mark.ml


def frame(value):
    return np.full((8, 8, 3), value, dtype=np.uint8)


def brightness(path):
    values = []
    with Image.open(path) as film:
        for index in range(film.n_frames):
            film.seek(index)
            values.append(int(np.asarray(film.convert("L")).mean().round()))
    return values


def test_a_film_begins_at_the_first_step_and_ends_at_the_last():
    steps = film_steps(600, 36)
    assert steps[0] == 0
    assert steps[-1] == 600
    assert len(steps) == len(set(steps)) <= 36
    assert steps == sorted(steps)


def test_most_pictures_are_early():
    steps = film_steps(1000, 21)
    assert sum(step <= 250 for step in steps) == 11


def test_a_short_fit_has_a_picture_of_each_step():
    assert film_steps(3, 36) == [0, 1, 2, 3]


def test_pictures_are_in_the_order_of_their_steps(tmp_path):
    film = Film(tmp_path / "film", last_step=4, count=3)
    kept = [step for step in range(4) if film.index(step) is not None]
    for step in reversed(kept):
        film.keep(step, frame(40 * step))
    film.write(tmp_path / "fit.gif", [frame(200), frame(240)], fps=10)
    assert brightness(tmp_path / "fit.gif") == [0, 40, 200, 240]


def test_a_single_picture_at_the_end_stands_still(tmp_path):
    film = Film(tmp_path / "film", last_step=1, count=2)
    film.keep(0, frame(0))
    film.write(tmp_path / "fit.gif", [frame(200)], fps=10)
    assert brightness(tmp_path / "fit.gif") == [0] + [200] * 15


def test_a_resumed_fit_draws_some_pictures_again_and_finds_the_others(tmp_path):
    stopped = Film(tmp_path / "film", last_step=9, count=4)
    for step in (0, 1, 4):
        stopped.keep(step, frame(10 * step))
    resumed = Film(tmp_path / "film", last_step=9, count=4)
    resumed.keep(4, frame(100))
    resumed.write(tmp_path / "fit.gif", [frame(200), frame(210)], fps=10)
    assert brightness(tmp_path / "fit.gif") == [0, 10, 100, 200, 210]


def test_a_fit_that_ends_early_has_a_film_of_what_it_did(tmp_path):
    film = Film(tmp_path / "film", last_step=100, count=5)
    film.keep(0, frame(0))
    film.write(tmp_path / "fit.gif", [frame(50), frame(60)], fps=10)
    assert brightness(tmp_path / "fit.gif") == [0, 50, 60]
