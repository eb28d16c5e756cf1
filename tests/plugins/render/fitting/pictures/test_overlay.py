"""Silhouettes over each other."""

import pytest
import torch

from plugins.render.fitting.pictures import overlay

pytestmark = pytest.mark.ml


def test_an_overlay_tells_what_only_one_covers_from_what_both_cover():
    target = torch.tensor([[0.0, 1.0, 0.0, 1.0]])
    ours = torch.tensor([[0.0, 0.0, 1.0, 1.0]])
    neither, orange, blue, both = overlay(target, ours)[0].astype(int)
    assert neither.tolist() == [255, 255, 255]
    assert orange[0] > 200 > orange[2]
    assert blue[2] > 200 > blue[0]
    assert both.max() < 100
