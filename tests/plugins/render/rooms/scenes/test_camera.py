"""The camera's way and look."""

import numpy as np
import pytest

from plugins.render.rooms.scenes import camera, make_scene
from plugins.render.rooms.scenes.rotation import about, look, yaw_matrix
from plugins.render.rooms.scenes.space import Boxes, Space


def angles_between(rotations: np.ndarray) -> np.ndarray:
    """Degrees from each frame to the next."""
    turn = rotations[1:] @ rotations[:-1].transpose(0, 2, 1)
    cosine = (np.trace(turn, axis1=1, axis2=2) - 1) / 2
    return np.degrees(np.arccos(np.clip(cosine, -1, 1)))


def test_a_camera_that_looks_along_z_has_right_at_minus_x_and_down_at_minus_y():
    (rotation,) = look(np.zeros(1), np.zeros(1), np.zeros(1))

    assert rotation == pytest.approx(np.array([(-1, 0, 0), (0, -1, 0), (0, 0, 1)]), abs=1e-12)


def test_yaw_turns_to_x_and_pitch_looks_up():
    (rotation,) = look(np.array([np.pi / 2]), np.array([np.pi / 6]), np.zeros(1))

    assert rotation[2] == pytest.approx((np.cos(np.pi / 6), 0.5, 0), abs=1e-12)


def test_roll_leaves_the_line_of_sight():
    straight = look(np.array([0.4]), np.array([0.2]), np.zeros(1))[0]
    rolled = look(np.array([0.4]), np.array([0.2]), np.array([0.3]))[0]

    assert rolled[2] == pytest.approx(straight[2])
    assert rolled[0] @ straight[0] == pytest.approx(np.cos(0.3))


def test_turns_about_the_vertical_agree_however_they_are_made():
    angles = np.linspace(-4, 4, 9)

    assert about((0, 1, 0), angles) == pytest.approx(yaw_matrix(angles))


def test_the_lens_sees_60_to_75_degrees_along_the_longer_side():
    for seed in range(20):
        for height, width in ((120, 160), (160, 120)):
            k = camera.intrinsics(np.random.default_rng(seed), height, width)
            view = 2 * np.degrees(np.arctan(80 / k[0, 0]))
            assert 60 <= view <= 75
            assert k[0, 0] == k[1, 1]
            assert (k[0, 2], k[1, 2]) == (width / 2, height / 2)


@pytest.mark.parametrize("kind", ["room", "corridor"])
def test_the_way_is_smooth_and_turns_little_from_frame_to_frame(kind):
    for seed in range(6):
        scene = make_scene(seed, kind, num_frames=40, height=48, width=64, moving=False)
        eyes = -np.einsum("nji,nj->ni", scene.rotations, scene.translations)
        steps = np.linalg.norm(np.diff(eyes, axis=0), axis=1)
        bends = np.linalg.norm(np.diff(eyes, 2, axis=0), axis=1)

        assert steps.max() <= (0.08 if kind == "room" else 0.62)
        assert bends.max() < 0.03
        assert angles_between(scene.rotations).max() < 4
        if kind == "corridor":
            assert steps.min() >= 0.09


def test_rotations_are_orthonormal_and_right_handed(some_scenes):
    for scene in some_scenes:
        products = scene.rotations @ scene.rotations.transpose(0, 2, 1)
        assert products == pytest.approx(np.tile(np.eye(3), (len(products), 1, 1)), abs=1e-8)
        assert np.linalg.det(scene.rotations) == pytest.approx(1, abs=1e-8)


def test_a_long_walk_stays_in_the_middle_of_the_room():
    eyes = camera.walk(np.random.default_rng(0), (1.2, 0.4), 2000, 10.0)

    assert np.abs(eyes[:, 0]).max() <= 1.2
    assert np.abs(eyes[:, 2]).max() <= 0.4
    assert np.ptp(eyes[:, 0]) > 0.5


def test_a_long_drive_ends_before_the_street_does():
    scene = make_scene(4, "corridor", num_frames=600, height=48, width=64, moving=False)
    eyes = -np.einsum("nji,nj->ni", scene.rotations, scene.translations)
    land = max(part.world(0)[:, 2].max() for part in scene.parts if part.name == "kerb")

    assert land - eyes[:, 2].max() > 20
    assert (np.diff(eyes[:, 2]) > 0).all()


def test_the_open_view_is_away_from_a_wall_of_boxes():
    space = Space()
    space.take(Boxes(np.array([[0, 1.0, 0.8]]), np.array([[3.0, 1.0, 0.1]]), np.zeros(1)))

    headings = [
        camera.open_view(np.random.default_rng(seed), space, np.array([0, 1.4, 0]), (4.0, 4.0))
        for seed in range(8)
    ]
    assert (np.cos(headings) < 0.2).all()  # towards -z, or along the boxes at most
