"""What GIF, MP4 and contact sheet have in common: whole files or none, checked frames, memory."""

import tracemalloc

import numpy as np
import pytest

from labcore.kit.video import ContactSheet, GifWriter, Mp4Writer

MAKERS = {
    "a.gif": lambda path, count: GifWriter(path, fps=10),
    "a.mp4": lambda path, count: Mp4Writer(path, fps=10),
    "a.png": lambda path, count: ContactSheet(path, num_frames=count),
}


@pytest.fixture(params=sorted(MAKERS))
def film(request, tmp_path):
    path = tmp_path / request.param
    return path, lambda count=4: MAKERS[request.param](path, count)


def frames(count, height=32, width=48):
    rng = np.random.default_rng(0)
    for _ in range(count):
        yield rng.integers(0, 255, (height, width, 3), dtype=np.uint8)


def write(writer, given):
    with writer:
        for frame in given:
            writer.add(frame)


def stopped(writer, error):
    """A film that ends with an error after its first frame."""
    with writer:
        writer.add(next(frames(1)))
        raise error


def test_the_file_appears_when_it_is_whole(film):
    path, make = film
    with make() as writer:
        for frame in frames(4):
            writer.add(frame)
            assert not path.exists()
    assert path.stat().st_size > 100
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_an_error_on_the_way_leaves_no_file(film):
    path, make = film
    with pytest.raises(KeyboardInterrupt):
        stopped(make(), KeyboardInterrupt)
    assert list(path.parent.iterdir()) == []


def test_an_error_on_the_way_leaves_an_older_file_as_it_was(film):
    path, make = film
    path.write_bytes(b"older")
    with pytest.raises(RuntimeError):
        stopped(make(), RuntimeError)
    assert path.read_bytes() == b"older"


def test_a_film_without_frames_is_refused(film):
    path, make = film
    with pytest.raises(ValueError, match=f"{path.name} would have no frame"), make():
        pass
    assert list(path.parent.iterdir()) == []


def test_frames_of_another_size_are_refused(film):
    path, make = film
    given = [next(frames(1)), next(frames(1, 20, 10))]
    with pytest.raises(ValueError, match="48x32 pixels; this one has 10x20"):
        write(make(), given)
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize(
    "frame",
    [
        np.zeros((4, 4, 3), dtype=np.float32),
        np.zeros((4, 4), dtype=np.uint8),
        np.zeros((4, 4, 4), dtype=np.uint8),
        np.zeros((0, 4, 3), dtype=np.uint8),
    ],
    ids=["floats", "grey", "alpha", "empty"],
)
def test_what_is_no_picture_is_refused(film, frame):
    _, make = film
    with pytest.raises(ValueError, match="a frame is uint8 of shape"), make() as writer:
        writer.add(frame)


def test_memory_does_not_grow_with_the_frames(film):
    _, make = film

    def peak(count):
        tracemalloc.start()
        with make(count) as writer:
            for frame in frames(count, 120, 160):
                writer.add(frame)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(2)  # what is imported at the first use
    size = 120 * 160 * 3
    assert peak(60) - peak(12) < 2 * size


def test_a_folder_that_is_not_there_is_an_error_of_its_own(tmp_path):
    with pytest.raises(FileNotFoundError), GifWriter(tmp_path / "no" / "a.gif", fps=5) as writer:
        writer.add(next(frames(1)))
