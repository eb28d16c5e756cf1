"""Contact sheets: which frames are on them, and where."""

import numpy as np
import pytest
from PIL import Image

from labcore.kit.video import ContactSheet, contact_sheet


def grey(value, height=20, width=30):
    return np.full((height, width, 3), value, dtype=np.uint8)


def read(path):
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))[..., 0]


def middles(sheet, rows, columns):
    height, width = sheet.shape[0] // rows, sheet.shape[1] // columns
    return [
        int(sheet[row * height + height // 2, column * width + width // 2])
        for row in range(rows)
        for column in range(columns)
    ]


def test_all_pictures_are_in_reading_order(tmp_path):
    path = contact_sheet([grey(10 * i) for i in range(6)], tmp_path / "a.png", columns=3)
    assert middles(read(path), 2, 3) == [0, 10, 20, 30, 40, 50]


def test_of_a_long_film_it_has_frames_spread_evenly(tmp_path):
    with ContactSheet(tmp_path / "a.png", num_frames=48) as sheet:
        for index in range(48):
            sheet.add(grey(5 * index))
    assert middles(read(tmp_path / "a.png"), 2, 6) == [20 * i for i in range(12)]


def test_of_a_short_film_it_has_every_frame_and_no_empty_place(tmp_path):
    with ContactSheet(tmp_path / "a.png", num_frames=4) as sheet:
        for index in range(4):
            sheet.add(grey(50 * index))
    picture = read(tmp_path / "a.png")
    assert picture.shape[1] > 4 * 30
    assert middles(picture, 1, 4) == [0, 50, 100, 150]


def test_large_frames_are_made_smaller_in_proportion(tmp_path):
    path = contact_sheet([grey(0, 400, 800)], tmp_path / "a.png", tile_px=100)
    picture = read(path)
    assert (picture == 0).sum() == 50 * 100


def test_a_sheet_of_nothing_is_refused(tmp_path):
    with pytest.raises(ValueError, match="would have no frame"):
        contact_sheet([], tmp_path / "a.png")
