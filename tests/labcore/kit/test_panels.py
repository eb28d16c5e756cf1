"""Numbers as colours, and pictures put together."""

import colorsys

import pytest

np = pytest.importorskip("numpy")
pytest.importorskip("matplotlib", reason="the extra render brings it")
pytest.importorskip("PIL", reason="the extra render brings it")

from labcore.kit.panels import (  # noqa: E402  # after the skip
    beside,
    colour_flow,
    colour_labels,
    colour_normals,
    colour_scalar,
    sheet_of,
    stacked,
)


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


def test_pictures_stand_beside_and_above_each_other_in_order():
    dark, bright = (np.full((20, 30, 3), value, dtype=np.uint8) for value in (10, 240))
    row = beside([dark, bright])
    assert row.shape == (20, 60, 3)
    assert (row[:, :30] == 10).all()
    assert (row[:, 30:] == 240).all()
    assert (stacked([row, row]) == np.concatenate([row, row])).all()


def test_a_word_is_written_into_its_own_picture_only():
    white = np.full((60, 80, 3), 255, dtype=np.uint8)
    row = beside([white, white], ("target",))
    assert (row[:, :80] < 200).any()
    assert (row[:, 80:] == 255).all()
    assert (white == 255).all()


def test_a_sheet_has_its_pictures_in_rows_under_the_titles_of_columns():
    red, blue = np.zeros((2, 20, 30, 3), dtype=np.uint8)
    red[..., 0], blue[..., 2] = 255, 255
    sheet = sheet_of([{"near": red, "far": blue}, {"near": blue, "far": red}], scale=2)
    ys, xs = np.nonzero((sheet == [255, 0, 0]).all(-1))
    assert len(ys) == 2 * 40 * 60
    assert sheet[ys.min() + 5, xs.max()].tolist() == [0, 0, 255]  # beside the first red one
    assert sheet[: ys.min()].min() < 100  # the titles above
