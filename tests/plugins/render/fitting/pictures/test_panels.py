"""Pictures put together."""

import numpy as np
import pytest
import torch

from plugins.render.fitting.pictures import beside, overlay, stacked

pytestmark = pytest.mark.ml


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


def test_an_overlay_tells_what_only_one_covers_from_what_both_cover():
    target = torch.tensor([[0.0, 1.0, 0.0, 1.0]])
    ours = torch.tensor([[0.0, 0.0, 1.0, 1.0]])
    neither, orange, blue, both = overlay(target, ours)[0].astype(int)
    assert neither.tolist() == [255, 255, 255]
    assert orange[0] > 200 > orange[2]
    assert blue[2] > 200 > blue[0]
    assert both.max() < 100
