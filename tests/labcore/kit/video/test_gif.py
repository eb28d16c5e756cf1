"""GIFs as another program reads them (Pillow)."""

import numpy as np
import pytest
from PIL import Image

from labcore.kit.video import GifWriter


def write(path, frames, fps=10.0):
    with GifWriter(path, fps=fps) as writer:
        for frame in frames:
            writer.add(frame)
    return path


def read(path):
    with Image.open(path) as image:
        frames, delays = [], []
        for index in range(image.n_frames):
            image.seek(index)
            frames.append(np.asarray(image.convert("RGB")))
            delays.append(image.info["duration"])
        return frames, delays, image.info


def moving_square(count, height=40, width=60):
    for index in range(count):
        frame = np.full((height, width, 3), 255, dtype=np.uint8)
        frame[5 + index : 15 + index, 8 : 20 + 2 * index] = (200, 30, 10 * index)
        yield frame


def test_frames_of_few_colours_come_back_exactly(tmp_path):
    given = list(moving_square(12))
    frames, _, _ = read(write(tmp_path / "a.gif", given))
    assert len(frames) == 12
    for frame, wanted in zip(frames, given, strict=True):
        assert np.array_equal(frame, wanted)


def test_frames_of_many_colours_come_back_nearly(tmp_path):
    y, x = np.mgrid[0:64, 0:64]
    given = [
        np.stack([x * 4, y * 4, (x + y + 8 * i) % 256], axis=-1).astype(np.uint8) for i in range(3)
    ]
    frames, _, _ = read(write(tmp_path / "a.gif", given))
    for frame, wanted in zip(frames, given, strict=True):
        assert np.abs(frame.astype(int) - wanted).mean() < 8


@pytest.mark.parametrize("fps", [7, 12, 24, 30, 50])
def test_the_film_lasts_as_long_as_it_should(tmp_path, fps):
    _, delays, _ = read(write(tmp_path / "a.gif", moving_square(14), fps))
    assert sum(delays) == pytest.approx(14_000 / fps, abs=5.1)
    assert max(delays) - min(delays) <= 10


def test_it_loops_for_ever(tmp_path):
    _, _, info = read(write(tmp_path / "a.gif", moving_square(2)))
    assert info["loop"] == 0


def test_a_still_picture_costs_next_to_nothing_after_the_first_frame(tmp_path):
    rng = np.random.default_rng(0)
    still = rng.integers(0, 255, (100, 100, 3), dtype=np.uint8)
    one = write(tmp_path / "a.gif", [still]).stat().st_size
    many = write(tmp_path / "b.gif", [still] * 20)
    assert many.stat().st_size < one + 20 * 60
    frames, _, _ = read(many)
    assert len(frames) == 20
    # One pixel is written again, in its exact colour.
    assert all((frame != frames[0]).any(axis=-1).sum() <= 1 for frame in frames)


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (301, 3)])
def test_odd_sizes_and_single_colours_are_written(tmp_path, size):
    given = [np.full((*size, 3), value, dtype=np.uint8) for value in (0, 128, 255)]
    frames, _, _ = read(write(tmp_path / "a.gif", given))
    assert [int(frame.mean()) for frame in frames] == [0, 128, 255]


@pytest.mark.parametrize("fps", [0, -1, 51])
def test_a_rate_that_a_gif_cannot_have_is_refused(tmp_path, fps):
    with pytest.raises(ValueError, match="at most 50 frames a second"):
        GifWriter(tmp_path / "a.gif", fps=fps)
