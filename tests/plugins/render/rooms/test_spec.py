"""What a dataset is made of."""

from collections import Counter

import pytest

from plugins.render.rooms.spec import SIZES, RoomsSpec


def spec(scenes, seed=0):
    return RoomsSpec(scenes=scenes, frames=2, height=16, width=16, seed=seed)


@pytest.mark.parametrize("scenes", [3, 4, 10, 100])
def test_every_split_has_scenes_and_every_scene_a_split(scenes):
    counts = Counter(scene.split for scene in spec(scenes).all_scenes())
    assert counts.total() == scenes
    assert counts["val"] == counts["test"] >= 1
    assert counts["train"] >= counts["test"]


def test_a_tenth_each_is_held_out():
    counts = Counter(scene.split for scene in spec(100).all_scenes())
    assert (counts["train"], counts["val"], counts["test"]) == (80, 10, 10)


def test_kinds_and_motion_are_mixed_in_every_split():
    for split in ("train", "val", "test"):
        scenes = [scene for scene in spec(100).all_scenes() if scene.split == split]
        assert len({(scene.kind, scene.moving) for scene in scenes}) == 4


def test_scenes_have_seeds_of_their_own_and_depend_on_the_seed_only():
    seeds = {scene.seed for base in range(3) for scene in spec(50, seed=base).all_scenes()}
    assert len(seeds) == 150
    assert spec(10).scene(4).seed == spec(99).scene(4).seed


def test_names_and_files_are_unique():
    scenes = spec(50).all_scenes()
    assert len({scene.path for scene in scenes}) == 50
    assert scenes[0].path == "train/room-00000.tar"


def test_the_sizes_grow():
    def pixels(size):
        return size.scenes * size.frames * size.height * size.width

    assert list(SIZES) == ["tiny", "small", "full"]
    assert pixels(SIZES["tiny"]) < pixels(SIZES["small"]) < pixels(SIZES["full"])
