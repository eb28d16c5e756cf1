"""What the pixels of a dataset hold: depths, classes, motion; counted while it is rendered."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from plugins.render.rooms.scenes import LABELS

__all__ = ["DEPTH_EDGES_M", "Facts"]

DEPTH_EDGES_M = (0.0, 0.5, 1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10, 15, 20, 30, 50, 100, 1000)
"""Edges of the depth histogram."""


@dataclass(slots=True)
class Facts:
    """Counts that can be added up over frames, shards and splits."""

    frames: int = 0
    pixels: int = 0
    with_depth: int = 0
    depth_min_m: float = float("inf")
    depth_max_m: float = 0.0
    depth_histogram: list[int] = field(default_factory=lambda: [0] * (len(DEPTH_EDGES_M) - 1))
    """Pixels with a depth between two of :data:`DEPTH_EDGES_M`."""
    labels: dict[str, int] = field(default_factory=dict)
    """Pixels by name of the class."""
    visible: dict[str, int] = field(default_factory=dict)
    """Pixels whose point the next, previous or right picture shows too."""
    matched: dict[str, int] = field(default_factory=dict)
    """Pixels with a depth that have such a picture."""
    flow_sum_px: float = 0.0
    """Lengths of the flow to the next picture, summed over pixels."""
    flow_max_px: float = 0.0

    def count(self, arrays: dict[str, NDArray[Any]], *, has_next: bool, has_previous: bool) -> None:
        """Counts a frame."""
        depth = arrays["depth"]
        some = depth[depth > 0]
        self.frames += 1
        self.pixels += depth.size
        self.with_depth += some.size
        if some.size:
            self.depth_min_m = min(self.depth_min_m, float(some.min()))
            self.depth_max_m = max(self.depth_max_m, float(some.max()))
        histogram = np.histogram(some, DEPTH_EDGES_M)[0]
        self.depth_histogram = (self.depth_histogram + histogram).tolist()
        counts = np.bincount(arrays["labels"].ravel(), minlength=len(LABELS)).tolist()
        labels = {name: count for name, count in zip(LABELS, counts, strict=True) if count}
        self.labels = _sum(self.labels, labels)
        exists = {"right": True, "next": has_next, "previous": has_previous}
        seen = {name: int(arrays[f"visible_{name}"].sum()) for name in exists}
        self.visible = _sum(self.visible, seen)
        self.matched = _sum(self.matched, {name: some.size * has for name, has in exists.items()})
        lengths = np.linalg.norm(arrays["flow_next"], axis=-1)
        self.flow_sum_px += float(lengths.sum(dtype=np.float64))
        self.flow_max_px = max(self.flow_max_px, float(lengths.max()))

    def add(self, other: Self) -> None:
        """Adds the counts of other frames."""
        self.frames += other.frames
        self.pixels += other.pixels
        self.with_depth += other.with_depth
        self.depth_min_m = min(self.depth_min_m, other.depth_min_m)
        self.depth_max_m = max(self.depth_max_m, other.depth_max_m)
        both = zip(self.depth_histogram, other.depth_histogram, strict=True)
        self.depth_histogram = [a + b for a, b in both]
        self.labels = _sum(self.labels, other.labels)
        self.visible = _sum(self.visible, other.visible)
        self.matched = _sum(self.matched, other.matched)
        self.flow_sum_px += other.flow_sum_px
        self.flow_max_px = max(self.flow_max_px, other.flow_max_px)

    def summary(self) -> dict[str, Any]:
        """Returns shares and ranges, rounded, for people and for the manifest."""
        shares = {name: count / self.pixels for name, count in self.labels.items()}
        by_share = sorted(shares.items(), key=lambda item: (-item[1], item[0]))
        moved = self.matched.get("next", 0)
        return {
            "frames": self.frames,
            "share_with_depth": round(self.with_depth / self.pixels, 4),
            "depth_min_m": round(self.depth_min_m, 3) if self.with_depth else None,
            "depth_max_m": round(self.depth_max_m, 3),
            "depth_histogram": {
                "edges_m": list(DEPTH_EDGES_M),
                "share": [round(n / max(self.with_depth, 1), 4) for n in self.depth_histogram],
            },
            "label_share": {name: round(share, 5) for name, share in by_share},
            "visible_share": {
                name: round(self.visible[name] / count, 4)
                for name, count in self.matched.items()
                if count
            },
            "flow_mean_px": round(self.flow_sum_px / moved, 3) if moved else None,
            "flow_max_px": round(self.flow_max_px, 2),
        }


def _sum(one: dict[str, int], other: dict[str, int]) -> dict[str, int]:
    total = Counter(one)
    total.update(other)  # unlike +, keeps zeros
    return dict(total)
