"""Boxes on the plan, against polygons clipped by each other and against sampled points."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugins.render.rooms.scenes.rotation import yaw_matrix
from plugins.render.rooms.scenes.space import Boxes, Place, Space

BOXES = st.tuples(
    st.floats(-3, 3),
    st.floats(0, 2),
    st.floats(-3, 3),
    st.floats(0.1, 2),
    st.floats(0.1, 1),
    st.floats(0.1, 2),
    st.floats(-4, 4),
)


def one_box(values) -> Boxes:
    x, y, z, a, b, c, yaw = values
    return Boxes(np.array([[x, y, z]]), np.array([[a, b, c]]), np.array([yaw]))


def shared_area(first: np.ndarray, second: np.ndarray) -> float:
    """Area of two convex polygons' intersection, by clipping one at each edge of the other."""
    polygon = [*first]
    if signed_area(second) < 0:
        second = second[::-1]
    for start, end in zip(second, np.roll(second, -1, axis=0), strict=True):
        kept = []
        for here, after in zip(polygon, polygon[1:] + polygon[:1], strict=True):
            inside = [cross(end - start, point - start) for point in (here, after)]
            if inside[0] >= 0:
                kept.append(here)
            if inside[0] * inside[1] < 0:
                kept.append(here + (after - here) * inside[0] / (inside[0] - inside[1]))
        polygon = kept
        if len(polygon) < 3:
            return 0.0
    return abs(signed_area(np.array(polygon)))


def cross(a: np.ndarray, b: np.ndarray) -> float:
    return float(a[0] * b[1] - a[1] * b[0])


def signed_area(polygon: np.ndarray) -> float:
    x, y = polygon.T
    return float((x * np.roll(y, -1) - y * np.roll(x, -1)).sum() / 2)


@settings(max_examples=300, deadline=None)
@given(first=BOXES, second=BOXES)
def test_boxes_meet_if_their_plans_and_their_heights_do(first, second):
    one, other = one_box(first), one_box(second)
    area = shared_area(one.corners[0], other.corners[0])
    gap = abs(first[1] - second[1]) - first[4] - second[4]
    space = Space()
    space.take(other)

    if gap > 0 or area == 0:
        assert not space.meets(one)
    elif gap < -0.01 and area > 0.02:
        assert space.meets(one)


@settings(max_examples=100, deadline=None)
@given(box=BOXES, point=st.tuples(*[st.floats(-5, 5)] * 3))
def test_the_distance_to_a_box_is_that_to_its_nearest_point(box, point):
    boxes = one_box(box)
    steps = np.linspace(-1, 1, 25)
    lattice = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(-1, 3) * boxes.halves
    points = lattice @ yaw_matrix(box[-1]).T + boxes.centres
    nearest = np.linalg.norm(points - point, axis=1).min()
    coarse = float(np.linalg.norm(boxes.halves)) / 12

    assert nearest - coarse <= boxes.distance(np.array([point]))[0, 0] <= nearest + 1e-9


def test_what_only_touches_does_not_meet():
    space = Space()
    space.take(Boxes(np.array([[0.0, 1, 0]]), np.array([[1.0, 1, 1]]), np.zeros(1)))
    beside = Boxes(np.array([[2.0, 1, 0]]), np.array([[1.0, 1, 1]]), np.zeros(1))
    on_top = Boxes(np.array([[0.0, 2.5, 0]]), np.array([[1.0, 0.5, 1]]), np.zeros(1))

    assert not space.meets(beside)
    assert not space.meets(on_top)
    assert space.meets(beside, margin=0.1)


def test_empty_space_is_infinitely_clear():
    space = Space()

    assert not space.meets(one_box((0, 0, 0, 1, 1, 1, 0)))
    assert np.isinf(space.clearance(np.zeros((2, 3)))).all()


def test_a_place_within_a_place_is_turned_with_it():
    place = Place(1, 0, 2, np.pi / 2).of(0.5, 0.25, 1, 0.1)

    # Turned by a quarter, +z points to +x and +x to -z.
    assert (place.x, place.y, place.z) == pytest.approx((2, 0.25, 1.5))
    assert place.yaw == pytest.approx(np.pi / 2 + 0.1)


def test_bounds_at_a_place_become_a_turned_box():
    bounds = np.array([[(-1, 0, 0), (1, 2, 4)]])
    boxes = Boxes.at(bounds, Place(10, 1, 0, np.pi / 2))

    assert boxes.centres == pytest.approx(np.array([[12, 2, 0]]))
    assert sorted(map(tuple, boxes.corners[0].round(9).tolist())) == [
        (10, -1),
        (10, 1),
        (14, -1),
        (14, 1),
    ]
