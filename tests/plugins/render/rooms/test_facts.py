"""Counting what the pixels hold."""

import numpy as np
import pytest

from plugins.render.rooms.facts import Facts
from plugins.render.rooms.scenes import LABELS

pytestmark = pytest.mark.ml


def frame(seed=0):
    rng = np.random.default_rng(seed)
    depth = rng.uniform(0.2, 12, (4, 5)).astype(np.float32)
    depth[0] = 0
    seen = (depth > 0).astype(np.uint8)
    return {
        "depth": depth,
        "labels": np.where(depth > 0, rng.integers(1, 4, (4, 5)), 0).astype(np.uint8),
        "visible_right": seen * rng.integers(0, 2, (4, 5)).astype(np.uint8),
        "visible_next": seen,
        "visible_previous": np.zeros((4, 5), np.uint8),
        "flow_next": rng.normal(size=(4, 5, 2)).astype(np.float32) * seen[..., None],
    }


def counted(*frames):
    facts = Facts()
    for arrays in frames:
        facts.count(arrays, has_next=True, has_previous=False)
    return facts


def test_shares_and_ranges_are_those_of_the_pixels():
    arrays = frame()
    summary = counted(arrays).summary()
    some = arrays["depth"][arrays["depth"] > 0]
    assert summary["frames"] == 1
    assert summary["share_with_depth"] == 0.75
    assert summary["depth_min_m"] == pytest.approx(some.min(), abs=1e-3)
    assert summary["depth_max_m"] == pytest.approx(some.max(), abs=1e-3)
    assert sum(summary["depth_histogram"]["share"]) == pytest.approx(1, abs=1e-3)
    edges = summary["depth_histogram"]["edges_m"]
    between = ((some >= edges[3]) & (some < edges[9])).mean()
    assert sum(summary["depth_histogram"]["share"][3:9]) == pytest.approx(between, abs=1e-3)
    for name, share in summary["label_share"].items():
        assert share == (arrays["labels"] == LABELS.index(name)).mean()
    lengths = np.hypot(*np.moveaxis(arrays["flow_next"], -1, 0))
    assert summary["flow_mean_px"] == pytest.approx(lengths.sum() / 15, abs=1e-3)
    assert summary["flow_max_px"] == pytest.approx(lengths.max(), abs=1e-2)


def test_visibility_is_a_share_of_the_points_that_have_such_a_picture():
    arrays = frame()
    shares = counted(arrays).summary()["visible_share"]
    assert shares["next"] == 1
    assert shares["right"] == pytest.approx(arrays["visible_right"].sum() / 15, abs=1e-4)
    assert "previous" not in shares  # the first frame of a sequence has none


def test_adding_counts_is_counting_all():
    frames = [frame(seed) for seed in range(4)]
    total = counted(frames[0])
    for one in frames[1:]:
        total.add(counted(one))
    assert total.summary() == counted(*frames).summary()


def test_frames_of_nothing_but_sky_are_counted_too():
    empty = {name: np.zeros_like(array) for name, array in frame().items()}
    summary = counted(empty).summary()
    assert summary["share_with_depth"] == 0
    assert summary["depth_min_m"] is None
    assert summary["flow_mean_px"] is None
    assert summary["label_share"] == {"sky": 1}
