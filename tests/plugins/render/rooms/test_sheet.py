"""Drawing fields as colours."""

import colorsys

import numpy as np
import pytest

from plugins.render.rooms.sheet import (
    colour_flow,
    colour_labels,
    colour_normals,
    colour_scalar,
    draw_sheet,
    panels,
)

pytestmark = pytest.mark.ml


def test_the_hue_of_flow_is_its_direction_and_white_is_rest():
    flow = np.array([[[4.0, 0], [0, 4], [-4, 0], [0, 0]]])
    drawn = colour_flow(flow, longest=4)[0] / 255
    hues = [colorsys.rgb_to_hsv(*pixel)[0] for pixel in drawn[:3]]
    assert hues == pytest.approx([0, 0.25, 0.5], abs=0.01)
    assert (drawn[3] == 1).all()
    half = colour_flow(flow / 2, longest=4)[0] / 255
    assert colorsys.rgb_to_hsv(*half[0])[1] == pytest.approx(0.5, abs=0.01)


def test_numbers_span_the_colour_map_and_invalid_ones_are_black():
    values = np.array([[1.0, 2.0, 3.0, 99.0]])
    drawn = colour_scalar(values, values < 50, "gray")
    assert drawn[0, :, 0].tolist() == [0, pytest.approx(128, abs=2), 255, 0]
    assert not colour_scalar(values, values > 100, "gray")[0, 3].any()


def test_equal_labels_are_equal_colours_and_others_are_not():
    drawn = colour_labels(np.arange(31)[None])
    assert len(np.unique(drawn[0], axis=0)) == 31
    assert not drawn[0, 0].any()


def test_normals_point_their_colours():
    normals = np.array([[[1, 0, 0], [0, -1, 0], [0, 0, -1], [0, 0, 0]]], dtype=np.float16)
    drawn = colour_normals(normals, np.array([[True, True, True, False]]))
    assert drawn[0].argmax(-1).tolist()[:3] == [0, 1, 2]
    assert not drawn[0, 3].any()


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
