"""Sampling of textures, against a loop over texels and against the average over a footprint."""

import math

import numpy as np
import pytest
import torch

from plugins.render.rooms.faces import TextureHits
from plugins.render.rooms.texture import TextureSet

pytestmark = pytest.mark.ml

SIZE = 32


@pytest.fixture(scope="module")
def textures():
    return np.random.default_rng(0).uniform(0, 1, (3, SIZE, SIZE, 3)).astype(np.float32)


def hits(uv, by_x, by_y):
    count = len(uv)
    spread = [torch.tensor([d], dtype=torch.float32).repeat(count, 1) for d in (by_x, by_y)]
    return TextureHits(torch.tensor(uv, dtype=torch.float32), *spread)


def bilinear(texture, u, v):
    """Texel (row r, column c) is at u = (c + 0.5) / S, v = (r + 0.5) / S, over and over."""
    x, y = u * SIZE - 0.5, v * SIZE - 0.5
    c, r = math.floor(x), math.floor(y)
    a, b = x - c, y - r
    texel = lambda row, column: texture[row % SIZE, column % SIZE]  # noqa: E731
    top = texel(r, c) * (1 - a) + texel(r, c + 1) * a
    return top * (1 - b) + (texel(r + 1, c) * (1 - a) + texel(r + 1, c + 1) * a) * b


def test_a_tiny_footprint_is_bilinear_and_wraps(textures):
    rng = np.random.default_rng(1)
    uv = np.concatenate([rng.uniform(-3, 3, (200, 2)), [[0, 0], [1, 1], [-0.001, 0.999]]])
    which = rng.integers(0, 3, len(uv))
    colour = TextureSet.build(textures).sample(
        torch.tensor(which), hits(uv, (1e-4, 0), (0, 1e-4)), 1.0
    )
    expected = [bilinear(textures[w], *place) for w, place in zip(which, uv, strict=True)]
    np.testing.assert_allclose(colour.numpy(), expected, atol=2e-5)


def test_a_footprint_of_a_texture_is_its_mean(textures):
    uv = np.random.default_rng(2).uniform(0, 1, (20, 2))
    colour = TextureSet.build(textures).sample(
        torch.full((20,), 1), hits(uv, (1.0, 0), (0, 1.0)), 1.0
    )
    np.testing.assert_allclose(
        colour.numpy(), np.tile(textures[1].mean((0, 1)), (20, 1)), atol=1e-5
    )


def test_a_footprint_of_a_few_texels_is_about_their_mean(textures):
    """A mip level of 4 x 4 texels at its texels' centres is exactly their mean."""
    side = SIZE // 4
    centres = (np.arange(side) + 0.5) / side
    uv = np.stack(np.meshgrid(centres, centres), axis=-1).reshape(-1, 2)
    colour = TextureSet.build(textures).sample(
        torch.zeros(len(uv), dtype=torch.int64), hits(uv, (4 / SIZE, 0), (0, 4 / SIZE)), 1.0
    )
    blocks = textures[0].reshape(side, 4, side, 4, 3).mean((1, 3)).reshape(-1, 3)
    np.testing.assert_allclose(colour.numpy(), blocks, atol=1e-5)


def test_a_long_narrow_footprint_keeps_the_detail_across_it():
    """Stripes along the long axis stay; a footprint as wide as it is long would blur them."""
    stripes = np.zeros((1, SIZE, SIZE, 3), np.float32)
    stripes[:, :, ::8] = stripes[:, :, 1::8] = stripes[:, :, 2::8] = stripes[:, :, 3::8] = 1
    texture = TextureSet.build(stripes)
    columns = (np.arange(SIZE) + 0.5) / SIZE
    uv = np.stack([columns, np.full(SIZE, 0.5)], axis=1)
    which = torch.zeros(SIZE, dtype=torch.int64)
    narrow = texture.sample(which, hits(uv, (1 / SIZE, 0), (0, 4 / SIZE)), 1.0)
    wide = texture.sample(which, hits(uv, (8 / SIZE, 0), (0, 8 / SIZE)), 1.0)
    assert narrow.std() > 0.45
    assert wide.std() < 0.1


def test_textures_must_be_squares_of_a_power_of_two():
    for shape in ((1, 20, 20, 3), (1, 16, 32, 3)):
        with pytest.raises(ValueError, match="2\\^n"):
            TextureSet.build(np.zeros(shape, np.float32))
