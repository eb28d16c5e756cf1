"""Textures: they tile, they hold no detail beyond the cut-off, and they are albedos."""

import builtins

import numpy as np
import pytest

from labcore.errors import RequirementError
from plugins.render.rooms.scenes.indoor.catalogue import CATALOGUE as INDOOR
from plugins.render.rooms.scenes.materials import Materials
from plugins.render.rooms.scenes.streams import Streams
from plugins.render.rooms.scenes.street.catalogue import CATALOGUE as STREET
from plugins.render.rooms.scenes.textures import (
    CUTOFF,
    PHOTOGRAPHS,
    SIZE,
    band_limited,
    photograph,
    photographs,
    to_albedo,
)
from plugins.render.rooms.scenes.textures.noise import noise
from plugins.render.rooms.scenes.textures.pictures import vivid

ROLES = [("room", role) for role in sorted(INDOOR)] + [("street", role) for role in sorted(STREET)]


def materials_of(kind: str, seed: int) -> Materials:
    return Materials(Streams(seed, kind), INDOOR if kind == "room" else STREET)


def albedos(kind: str, role: str) -> np.ndarray:
    """Three variants of a material, (3, S, S, 3)."""
    materials = materials_of(kind, 5)
    for variant in range(3):
        materials(role, variant)
    return materials.textures.astype(np.float64)


@pytest.mark.parametrize(("kind", "role"), ROLES)
def test_a_texture_is_an_albedo_that_shows_something(kind, role):
    pictures = albedos(kind, role)

    assert pictures.shape == (3, SIZE, SIZE, 3)
    assert np.isfinite(pictures).all()
    assert pictures.min() >= 0
    assert pictures.max() <= 1
    assert ((pictures.std(axis=(1, 2)) / pictures.mean(axis=(1, 2))).max(axis=-1) > 0.04).all()
    assert len({picture.tobytes() for picture in pictures}) == 3


@pytest.mark.parametrize(("kind", "role"), ROLES)
def test_a_texture_has_no_seam(kind, role):
    """Texels differ across the edges of the tile no more than within it."""
    for picture in albedos(kind, role):
        for axis in (0, 1):
            steps = np.abs(np.roll(picture, -1, axis=axis) - picture).max(axis=(1 - axis, 2))
            assert steps[-1] <= steps[:-1].max() * 1.25 + 1e-3


@pytest.mark.parametrize(("kind", "role"), ROLES)
def test_a_texture_has_no_detail_that_a_pixel_would_lose(kind, role):
    """Neighbouring texels are close: a step from black to white takes several of them."""
    for picture in albedos(kind, role):
        shown = picture ** (1 / 2.4)
        steps = max(np.abs(np.roll(shown, -1, axis=axis) - shown).max() for axis in (0, 1))
        # An ideal edge blurred by S / (2 pi CUTOFF) = 1.27 texels rises 0.31 of its height a texel.
        assert steps < 0.36


def test_the_filter_damps_each_wave_by_the_gaussian_and_keeps_the_mean():
    x = (np.arange(SIZE) + 0.5) / SIZE
    for cycles in (1, 8, 16, 32):
        wave = 0.5 + 0.4 * np.cos(2 * np.pi * cycles * x)
        picture = np.broadcast_to(wave[None, :, None], (SIZE, SIZE, 3))
        left = band_limited(picture)
        expected = 0.4 * np.exp(-0.5 * (cycles / CUTOFF) ** 2)
        amplitude = np.abs(np.fft.rfft(left[0, :, 0]))[cycles] * 2 / SIZE
        assert amplitude == pytest.approx(expected, rel=1e-9)
        assert left.mean() == pytest.approx(0.5)


def test_albedo_is_linear_light_as_the_srgb_standard_has_it():
    shown = np.array([0.0, 0.04045, 0.5, 1.0, 1.7, -0.2])
    expected = [0, 0.04045 / 12.92, 0.21404, 1, 1, 0]

    assert to_albedo(shown) == pytest.approx(expected, abs=2e-4)


def test_noise_is_even_and_tiles():
    field = noise(np.random.default_rng(0), 4, 10)
    step = np.abs(np.diff(field, axis=0)).mean()

    assert field.mean() == pytest.approx(0, abs=1e-9)
    assert field.std() == pytest.approx(1)
    assert np.abs(field[0] - field[-1]).mean() < 1.3 * step


def test_stretched_noise_runs_along_u():
    field = noise(np.random.default_rng(0), 3, 14, stretch=(10, 1))

    assert np.abs(np.diff(field, axis=1)).mean() < 0.3 * np.abs(np.diff(field, axis=0)).mean()


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_a_photograph_keeps_its_colour_and_its_pattern(name):
    colour = (0.6, 0.4, 0.2)
    picture = photograph(name, colour, contrast=0.2)

    assert picture.mean(axis=(0, 1)) == pytest.approx(np.array(colour), rel=0.05)
    assert 0.08 < picture[..., 0].std() / 0.6 < 0.25


def test_a_photograph_tiles():
    for name in PHOTOGRAPHS:
        picture = photograph(name, (0.5, 0.5, 0.5))[..., 0]
        for axis in (0, 1):
            steps = np.abs(np.roll(picture, -1, axis=axis) - picture).mean(axis=1 - axis)
            assert steps[-1] < 1.6 * steps[:-1].mean()


def test_only_photographs_in_the_public_domain_are_used():
    """The package says so itself, where it describes them."""
    from skimage import data

    for name in PHOTOGRAPHS:
        assert "Creative Commons CC0" in " ".join(getattr(data, name).__doc__.split())


def test_without_scikit_image_one_is_told_what_to_install(monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.split(".")[0] == "skimage":
            raise ImportError("No module named 'skimage'")
        return real(name, *args, **kwargs)

    photographs._tile.cache_clear()
    monkeypatch.setattr(builtins, "__import__", without)

    with pytest.raises(RequirementError, match="scikit-image") as caught:
        photograph("grass", (0.3, 0.5, 0.2))
    assert caught.value.exit_code == 3
    assert "unified-ml-lab[render]" in caught.value.fix


def test_a_material_is_painted_once_and_does_not_depend_on_the_others():
    first, second = materials_of("room", 3), materials_of("room", 3)
    for role in ("wall", "cloth", "wood"):
        second(role)
    chosen, same = first("wood", 1), second("wood", 1)
    alone, among = first.textures[chosen.texture], second.textures[same.texture]

    assert first("wood", 1) == chosen
    assert len(first.textures) == 1
    assert (alone == among).all()


def test_a_vivid_colour_has_a_hue():
    for seed in range(50):
        colour = vivid(np.random.default_rng(seed))
        assert 0 <= min(colour) < 0.7 * max(colour) <= 0.7
