"""The renderer against a ray caster of another library, on scenes by hand and generated ones."""

import numpy as np
import pytest

from plugins.render.rooms.scenes import make_scene

pytestmark = pytest.mark.ml


@pytest.fixture(scope="module", params=["by hand", "room", "corridor"])
def rendered(request, helpers, made, frames):
    if request.param == "by hand":
        return made, frames
    scene = make_scene(
        11, request.param, num_frames=2, height=helpers.HEIGHT, width=helpers.WIDTH, moving=True
    )
    return scene, helpers.render(scene)


def world_points(frame):
    return frame.camera.unproject(frame.surface.depth.numpy())


def moved(scene, frame, other):
    """Where the points of a frame are at another frame, thing by thing."""
    points, instances = world_points(frame), frame.arrays()["instances"]
    result = points.copy()
    now, then = scene.poses(frame.index), scene.poses(other)
    for thing in np.unique(instances):
        chosen = instances == thing
        local = (points[chosen] - now[1][thing]) @ now[0][thing]
        result[chosen] = local @ then[0][thing].T + then[1][thing]
    return result


def test_depth_labels_and_things_are_those_that_rays_hit(helpers, rendered):
    scene, frames = rendered
    for frame in frames:
        referee = helpers.Referee(scene, frame.index)
        face, depth = referee.look(frame.camera)
        hit = face >= 0
        arrays = frame.arrays()
        assert (hit == (arrays["depth"] > 0)).mean() > 0.998
        same = hit & (arrays["instances"] == np.where(hit, referee.mesh.instances[face], 0))
        assert same.mean() > hit.mean() - 0.005  # a tie where two things touch
        close = np.abs(arrays["depth"] - depth) < 1e-4 * depth
        assert close[same].mean() > 0.997
        assert (arrays["labels"] == referee.mesh.labels[face])[same].mean() > 0.997


def test_normals_are_those_of_the_faces_that_rays_hit(helpers, rendered):
    scene, frames = rendered
    referee = helpers.Referee(scene, 0)
    camera = frames[0].camera
    face, depth = referee.look(camera)
    normals = referee.trimesh.face_normals[face] @ camera.R.T
    towards = (normals * camera.rays()).sum(-1, keepdims=True)
    normals = np.where(towards > 0, -normals, normals)
    ours = frames[0].arrays()["normals"].astype(float)
    hit = (face >= 0) & (np.abs(frames[0].arrays()["depth"] - depth) < 1e-4 * depth)
    assert ((normals * ours).sum(-1)[hit] > 0.999).mean() > 0.99


def test_flow_is_the_reprojection_of_the_moved_points(rendered):
    scene, frames = rendered
    for frame in frames:
        for step, matches in ((1, frame.to_next), (-1, frame.to_previous)):
            if matches is None:
                continue
            other = frame.index + step
            there = frames[other].camera.project(moved(scene, frame, other))
            here = frame.camera.project(world_points(frame))
            surface = (frame.arrays()["depth"] > 0) & np.isfinite(there).all(-1)
            ours = frame.arrays()["flow_next" if step == 1 else "flow_previous"]
            np.testing.assert_allclose(ours[surface], (there - here)[surface], atol=2e-4)
    some = frames[0].arrays()["flow_next"]
    assert np.abs(some).max() > 0.5


def test_what_stays_visible_is_what_rays_reach(helpers, rendered):
    scene, frames = rendered
    agree, hidden = [], []
    for frame in frames:
        surface = frame.arrays()["depth"] > 0
        pairs = [(frame.to_right, frame.camera.moved_right(helpers.BASELINE_M), frame.index)]
        for step, matches in ((1, frame.to_next), (-1, frame.to_previous)):
            if matches is not None:
                other = frame.index + step
                pairs.append((matches, frames[other].camera, other))
        for matches, camera, other in pairs:
            reached = helpers.Referee(scene, other).sees(camera, moved(scene, frame, other))
            agree.append((matches.visible.numpy() == reached)[surface].mean())
            hidden.append(1 - reached[surface].mean())
    assert np.mean(agree) > 0.9985
    assert min(agree) > 0.995
    assert np.mean(hidden) > 0.01  # there was something to find
