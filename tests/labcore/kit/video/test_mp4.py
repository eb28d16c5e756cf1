"""MP4 as a player reads it (PyAV)."""

from dataclasses import dataclass

import av
import numpy as np
import pytest

from labcore.kit.video import Mp4Writer


def write(path, frames, fps=12.0):
    with Mp4Writer(path, fps=fps) as writer:
        for frame in frames:
            writer.add(frame)
    return path


def colours(count, height=64, width=96):
    for index in range(count):
        frame = np.empty((height, width, 3), dtype=np.uint8)
        frame[:] = (30 + 20 * index, 200, 250 - 20 * index)
        yield frame


@dataclass(frozen=True)
class Film:
    """What a player knows of a film; a stream that was closed knows nothing any more."""

    frames: list[np.ndarray]
    fps: float
    seconds: float
    pixels: str
    codec: str


def read(path):
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return Film(
            frames=[frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)],
            fps=float(stream.average_rate),
            seconds=float(stream.duration * stream.time_base),
            pixels=stream.codec_context.pix_fmt,
            codec=stream.codec_context.name,
        )


def test_every_frame_comes_back_in_its_colour(tmp_path):
    given = list(colours(9))
    film = read(write(tmp_path / "a.mp4", given))
    assert len(film.frames) == 9
    for frame, wanted in zip(film.frames, given, strict=True):
        assert np.abs(frame.mean(axis=(0, 1)) - wanted[0, 0]).max() < 6
    assert film.fps == 12
    assert film.seconds == pytest.approx(9 / 12)


def test_its_pixels_are_stored_as_browsers_want_them(tmp_path):
    film = read(write(tmp_path / "a.mp4", colours(2)))
    assert film.pixels == "yuv420p"
    assert film.codec == "h264"


def test_a_browser_can_start_before_it_has_the_whole_file(tmp_path):
    content = write(tmp_path / "a.mp4", colours(2)).read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


def test_odd_sides_get_one_more_pixel(tmp_path):
    film = read(write(tmp_path / "a.mp4", colours(2, 33, 65)))
    assert film.frames[0].shape == (34, 66, 3)
    assert np.abs(film.frames[0][-1, -1].astype(int) - film.frames[0][0, 0]).max() < 6


def test_without_h264_it_is_mpeg4(tmp_path, monkeypatch):
    monkeypatch.setattr(av, "codecs_available", {"mpeg4"})
    film = read(write(tmp_path / "a.mp4", colours(3)))
    assert film.codec == "mpeg4"
    assert len(film.frames) == 3


def test_broken_rates_such_as_ntsc_are_kept(tmp_path):
    film = read(write(tmp_path / "a.mp4", colours(2), fps=29.97))
    assert film.fps == pytest.approx(29.97, abs=0.01)


def test_a_film_that_stands_still_for_ever_is_refused(tmp_path):
    with pytest.raises(ValueError, match="more than 0 frames a second"):
        Mp4Writer(tmp_path / "a.mp4", fps=0)
