"""What every scene keeps to: the seed, the budget, the labels, the arrays' form."""

import hashlib
import subprocess
import sys
import time
from dataclasses import fields

import numpy as np
import pytest

from plugins.render.rooms.scenes import KINDS, LABELS, Scene, make_scene
from plugins.render.rooms.scenes.stage import MAX_FACES
from plugins.render.rooms.scenes.streams import Streams

SMALL = {"num_frames": 5, "height": 48, "width": 64}


def digest(scene: Scene) -> str:
    """SHA-256 of all that a scene holds."""
    sha = hashlib.sha256()

    def take(value: object) -> None:
        if isinstance(value, np.ndarray):
            sha.update(f"{value.dtype}{value.shape}".encode())
            sha.update(np.ascontiguousarray(value).tobytes())
        elif isinstance(value, tuple):
            for item in value:
                take(item)
        elif hasattr(value, "__dataclass_fields__"):
            for field in fields(value):
                take(getattr(value, field.name))
        else:
            sha.update(repr(value).encode())

    take(scene)
    return sha.hexdigest()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("moving", [False, True])
def test_a_seed_gives_the_same_bytes_again(kind, moving):
    first, second = (digest(make_scene(7, kind, moving=moving, **SMALL)) for _ in range(2))

    assert first == second
    assert first != digest(make_scene(8, kind, moving=moving, **SMALL))


def test_a_seed_gives_the_same_bytes_in_another_process(tmp_path):
    """Hashes of strings differ there, so nothing may hang on them."""
    script = tmp_path / "digests.py"
    script.write_text(
        "import sys\n"
        f"sys.path[:0] = {[path for path in sys.path if path]!r}\n"
        "import importlib.util\n"
        f"spec = importlib.util.spec_from_file_location('scenes_test', {__file__!r})\n"
        "module = importlib.util.module_from_spec(spec)\n"
        "spec.loader.exec_module(module)\n"
        "for kind in module.KINDS:\n"
        "    print(module.digest(module.make_scene(3, kind, moving=True, **module.SMALL)))\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)

    assert done.stdout.split() == [
        digest(make_scene(3, kind, moving=True, **SMALL)) for kind in KINDS
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_the_size_of_the_picture_changes_the_intrinsics_only(kind):
    small = make_scene(2, kind, num_frames=4, height=48, width=64, moving=True)
    large = make_scene(2, kind, num_frames=4, height=96, width=128, moving=True)

    assert large.intrinsics[:2] == pytest.approx(2 * small.intrinsics[:2])
    assert digest(small.parts) == digest(large.parts)
    assert (small.rotations == large.rotations).all()
    assert (small.textures == large.textures).all()


@pytest.mark.parametrize("kind", KINDS)
def test_moving_things_come_on_top_of_what_stands_there_anyway(kind):
    still = make_scene(6, kind, moving=False, **SMALL)
    busy = make_scene(6, kind, moving=True, **SMALL)
    common = busy.parts[: len(still.parts)]

    assert not still.moving
    assert busy.moving
    for before, after in zip(still.parts, common, strict=True):
        assert (before.name, before.instance, before.label) == (
            after.name,
            after.instance,
            after.label,
        )
        assert (before.vertices == after.vertices).all()
        assert (before.uvs == after.uvs).all()
        # What hangs on hinges may turn; all else stands where it stood.
        if after.name != "door":
            assert not after.moves
            assert (before.translations == after.translations).all()
    assert (still.textures == busy.textures[: len(still.textures)]).all()
    assert (still.rotations == busy.rotations).all()


def test_each_concern_has_its_own_random_numbers():
    streams = Streams(1, "room")
    chairs = streams("furniture").random(4)

    assert (Streams(1, "room")("furniture").random(4) == chairs).all()
    for other in (
        streams("texture"),
        Streams(2, "room")("furniture"),
        Streams(1, "x")("furniture"),
    ):
        assert not (other.random(4) == chairs).any()


def test_faces_stay_within_the_budget(many_scenes):
    counts = [len(scene.mesh(0).faces) for scene in many_scenes]

    assert max(counts) <= MAX_FACES
    assert min(counts) >= 500


def test_every_label_but_the_sky_is_somewhere(many_scenes):
    seen = {LABELS[label] for scene in many_scenes for label in np.unique(scene.mesh(0).labels)}

    assert seen == set(LABELS) - {"sky"}


def test_rooms_and_corridors_hold_what_belongs_there(many_scenes):
    for scene in many_scenes:
        labels = {LABELS[part.label] for part in scene.parts}
        if scene.kind == "room":
            assert labels >= {"floor", "wall", "ceiling", "door", "window"}
            assert not labels & {"road", "building", "car"}
        else:
            assert labels >= {"road", "pavement", "grass", "building", "car"}
            assert not labels & {"floor", "ceiling", "sofa"}


def test_the_flat_mesh_is_the_parts_one_after_another(some_scenes):
    for scene in some_scenes:
        for frame in (0, scene.num_frames - 1):
            mesh = scene.mesh(frame)
            face = vertex = 0
            for part in scene.parts:
                rotation, translation = part.pose(frame)
                faces = slice(face, face + len(part.faces))
                moved = np.array([rotation @ v + translation for v in part.vertices])
                assert mesh.vertices[vertex : vertex + len(moved)] == pytest.approx(moved, abs=1e-5)
                assert (mesh.faces[faces] == part.faces + vertex).all()
                assert (mesh.labels[faces] == part.label).all()
                assert (mesh.instances[faces] == part.instance).all()
                assert (mesh.textures[faces] == part.texture).all()
                face, vertex = face + len(part.faces), vertex + len(moved)
            assert face == len(mesh.faces)


def test_arrays_have_the_form_that_is_promised(some_scenes):
    for scene in some_scenes:
        mesh = scene.mesh(0)
        assert mesh.vertices.dtype == np.float32
        assert mesh.uvs.dtype == np.float32
        assert mesh.faces.dtype == np.int64
        assert mesh.faces.max() < len(mesh.vertices)
        assert mesh.textures.max() < len(scene.textures)
        assert mesh.instances.min() == 1
        assert scene.textures.dtype == np.float32
        for array in (mesh.vertices, mesh.uvs, scene.textures, scene.rotations, scene.translations):
            assert np.isfinite(array).all()


def test_parts_of_one_thing_share_its_poses(some_scenes):
    for scene in some_scenes:
        rotations, translations = scene.poses(2)
        for part in scene.parts:
            rotation, translation = part.pose(2)
            assert (rotations[part.instance] == rotation).all()
            assert (translations[part.instance] == translation).all()
        assert (rotations[0] == np.eye(3)).all()


def test_lights_are_of_the_world_they_are_in(many_scenes):
    for scene in many_scenes:
        lights = scene.lights
        assert np.linalg.norm(lights.sun_direction) == pytest.approx(1)
        assert lights.sun_direction[1] > 0
        assert lights.lamp_positions.shape == lights.lamp_colours.shape
        assert (1 <= len(lights.lamp_positions) <= 3) == (scene.kind == "room")
        # A face turned to the sun, away from lamps, is lit well and not beyond white.
        assert 0.25 < (lights.ambient + lights.sun_colour).max() <= 1.05


@pytest.mark.parametrize("kind", KINDS)
def test_one_frame_is_enough(kind):
    scene = make_scene(0, kind, num_frames=1, height=48, width=64, moving=True)

    assert scene.num_frames == 1
    assert len(scene.mesh(0).faces) > 500


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "castle"}, "castle.*room, corridor"),
        ({"seed": -1}, "seed is -1"),
        ({"num_frames": 0}, "use 1 or more"),
        ({"width": 0}, "use 1 or more"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_remedy(change, message):
    wanted = {"seed": 0, "kind": "room", "moving": False, **SMALL, **change}

    with pytest.raises(ValueError, match=message):
        make_scene(wanted.pop("seed"), wanted.pop("kind"), **wanted)


@pytest.mark.parametrize("kind", KINDS)
def test_a_scene_is_made_in_a_fraction_of_a_second(kind):
    seconds = []
    for seed in range(5):
        start = time.process_time()
        make_scene(seed, kind, num_frames=20, height=128, width=160, moving=True)
        seconds.append(time.process_time() - start)

    assert min(seconds) < 0.3
