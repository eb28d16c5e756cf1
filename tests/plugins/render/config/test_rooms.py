"""Options of the RGB-D dataset."""

import pytest

from plugins.render.config.rooms import RgbdConfig


def test_the_defaults_are_valid():
    assert RgbdConfig().size == "small"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"size": "huge"}, "use one of tiny, small, full"),
        ({"scenes": 2}, "train, val and test need one each"),
        ({"frames": 1}, "flow needs two pictures"),
        ({"frames": -3}, "rgbd.frames is -3; use 2 to"),
        ({"height": 8}, "use 16 to 4096"),
        ({"width": 100_000}, "use 16 to 4096"),
        ({"samples": 9}, "use 1 to 8"),
        ({"workers": -1}, "or 0 for the default"),
    ],
)
def test_a_wrong_number_is_refused_with_the_right_ones(options, said):
    with pytest.raises(ValueError, match=said):
        RgbdConfig(**options)
