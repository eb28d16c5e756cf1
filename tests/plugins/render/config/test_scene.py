"""What the options refuse, and what they say about it."""

import pytest

from labcore.config import compose
from labcore.discovery import find_plugins
from labcore.errors import UsageError
from plugins.render.config.scene import CameraConfig, MeshConfig, TurntableConfig

WRONG = [
    ("turntable.frames=0", "at least 1 picture"),
    ("turntable.frames=-3", "at least 1 picture"),
    ("turntable.fps=0", "use 0.1 to 50"),
    ("turntable.fps=60", "use 0.1 to 50"),
    ("turntable.shading=fong", "did you mean phong?"),
    ("turntable.shading=xyz", "use one of phong, flat"),
    ("turntable.background=[1,1]", "red, green and blue"),
    ("turntable.background=[2,0,0]", "0 to 1"),
    ("turntable.supersampling=4", "use 1, 2 or 3"),
    ("turntable.point_radius=0", "turntable.point_radius"),
    ("mesh.name=torsu", "did you mean torus?"),
    ("mesh.up=x", "use y or z"),
    ("mesh.as_points=-1", "mesh.as_points"),
    ("camera.image_size=4", "8 to 4096 pixels"),
    ("camera.image_size=4096", "67,108,864 samples a picture, over 16,777,216"),
    ("camera.width=5000", "camera.width is 5000"),
    ("camera.distance=0.5", "more than 1"),
    ("camera.elevation_deg=91", "-90 to 90"),
    ("camera.fov_deg=180", "1 to 150"),
    ("light.direction=[0,0,0]", "not all 0"),
    ("light.location=[1,2]", "three numbers"),
    ("light.ambient=-1", "light.ambient"),
    ("light.shininess=0", "light.shininess"),
]


@pytest.mark.parametrize(("override", "told"), WRONG, ids=[word for word, _ in WRONG])
def test_a_wrong_option_is_named_with_what_to_do(override, told):
    words = ["plugin=render", "preset=laptop", override]
    with pytest.raises(UsageError) as caught:
        compose(find_plugins()["render"], words, preset_for_auto=lambda _: "laptop")
    assert told in str(caught.value)
    assert override.split("=")[0] in str(caught.value)


def test_pictures_are_square_unless_a_width_is_given():
    assert CameraConfig(image_size=100).size == (100, 100)
    assert CameraConfig(image_size=100, width=60).size == (100, 60)


def test_the_defaults_are_a_turn_of_three_seconds_round_a_textured_model():
    turn = TurntableConfig()
    assert turn.frames / turn.fps == 3
    assert MeshConfig().name == "duck"
