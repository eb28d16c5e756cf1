"""A sheet of samples: which fields it shows, and how."""

import numpy as np
import pytest

from plugins.render.rooms.sheet import draw_sheet, panels

pytestmark = pytest.mark.ml


def test_a_sheet_has_a_row_for_each_sample_and_a_column_for_each_field(frames):
    samples = [frame.arrays() for frame in frames]
    columns = panels(samples[0])
    height, width = samples[0]["depth"].shape
    sheet = draw_sheet(samples, scale=2)
    assert sheet.dtype == np.uint8
    assert sheet.shape[1] > len(columns) * width * 2
    assert sheet.shape[0] > len(samples) * height * 2
    assert {picture.shape for picture in columns.values()} == {(height, width, 3)}


def test_what_the_other_picture_does_not_show_is_dimmed(frames):
    sample = frames[0].arrays()
    hidden = sample["visible_next"] == 0
    drawn = panels(sample)["flow to next"].max(-1)
    assert drawn[hidden].max() <= 85
    assert drawn[~hidden].min() == 255
