"""Poses that are off by what is asked for, and how that is measured; against SciPy."""

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from plugins.render.cameras import orbit
from plugins.render.fitting import (
    Guesses,
    cameras_at,
    coverage,
    measure_poses,
    offset_poses,
    rotation_angle_deg,
)
from plugins.render.meshes import primitive

pytestmark = pytest.mark.ml


@pytest.fixture(scope="module")
def truth():
    return orbit(1, distance=3.0, elevation_deg=25.0, start_deg=40.0, fov_deg=45.0)


@pytest.mark.parametrize("angle_deg", [0.0, 15.0, 90.0, 180.0])
def test_starts_are_off_by_the_angle_and_the_distance(truth, angle_deg):
    rotations, translations = offset_poses(truth, 5, angle_deg=angle_deg, distance=0.3, seed=1)()
    between = Rotation.from_matrix(truth.R[0].numpy()).inv() * Rotation.from_matrix(
        rotations.detach().numpy()
    )
    np.testing.assert_allclose(np.rad2deg(between.magnitude()), angle_deg, atol=0.05)
    moved = (translations - truth.T).norm(dim=1)
    torch.testing.assert_close(moved, torch.full((5,), 0.3))


def test_starts_go_different_ways_and_depend_on_the_seed(truth):
    first, again, other = (
        offset_poses(truth, 4, angle_deg=30.0, distance=0.2, seed=seed) for seed in (1, 1, 2)
    )
    assert torch.equal(first.rotations, again.rotations)
    assert not torch.equal(first.translations, other.translations)
    apart = torch.cdist(first.rotations.flatten(1), first.rotations.flatten(1))
    assert float((apart + 10 * torch.eye(4)).min()) > 0.1


@pytest.mark.parametrize("angle_deg", [1e-3, 0.5, 60.0, 179.9])
def test_the_angle_between_rotations_is_exact_for_small_and_large_ones(angle_deg):
    first = Rotation.random(3, random_state=0)
    second = first * Rotation.from_rotvec(np.deg2rad(angle_deg) * np.array([[0.0, 0.6, 0.8]]))
    measured = rotation_angle_deg(
        torch.from_numpy(first.as_matrix()), torch.from_numpy(second.as_matrix())
    )
    np.testing.assert_allclose(measured.numpy(), angle_deg, rtol=1e-5)


def test_a_guess_at_the_truth_has_no_error(truth):
    mesh = primitive("cube")
    target = coverage(mesh, truth, 32)[0]
    poses = offset_poses(truth, 2, angle_deg=0.0, distance=0.0, seed=0)
    guesses = measure_poses(poses, mesh, truth, target)
    torch.testing.assert_close(guesses.iou, torch.ones(2))
    assert float(guesses.rotation_deg.max()) < 0.01
    assert float(guesses.translation.max()) < 1e-6


def test_turning_a_guess_leaves_the_place_of_the_object(truth):
    """Turned by any angle, the camera still sees the origin where the true one does."""
    rotations, translations = offset_poses(truth, 3, angle_deg=70.0, distance=0.0, seed=0)()
    cameras = cameras_at(truth, rotations, translations)
    origin = torch.zeros(1, 3)
    view = truth.get_world_to_view_transform().transform_points(origin)
    seen = cameras.get_world_to_view_transform().transform_points(origin)
    torch.testing.assert_close(seen, view.expand(3, 1, 3))


def guesses(ious, degrees):
    number = len(ious)
    return Guesses(
        torch.eye(3).expand(number, 3, 3),
        torch.zeros(number, 3),
        torch.tensor(ious),
        torch.tensor(degrees),
        torch.zeros(number),
    )


def test_the_silhouette_alone_decides_which_start_is_best():
    assert guesses([0.9, 0.95, 0.2], [1.0, 170.0, 0.0]).best == 1


def test_silhouettes_that_agree_from_poses_far_apart_are_ambiguous():
    assert guesses([0.9, 0.99], [1.0, 170.0]).is_ambiguous
    assert not guesses([0.9, 0.99], [170.0, 1.0]).is_ambiguous
    assert not guesses([0.6, 0.7], [170.0, 170.0]).is_ambiguous
