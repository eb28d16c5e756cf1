import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from labcore.errors import RequirementError, RunFailed
from plugins.musicvae.config import DataConfig
from plugins.musicvae.data import convert, sources
from plugins.musicvae.data.corpus import prepare
from plugins.musicvae.data.windows import transposition_key

WriteSong = Callable[..., Path]


@pytest.fixture
def songs(tmp_path: Path, write_song: WriteSong) -> Path:
    """A folder of 12 random melodies of four bars that share their last two bars."""
    random = np.random.default_rng(0)
    folder = tmp_path / "songs"
    for index in range(12):
        pitches = [*random.integers(50, 80, 8), 60, 62, 64, 65, 67, 69, 71, 72]
        notes = [(int(pitch), beat, beat + 1) for beat, pitch in enumerate(pitches)]
        suffix = (".mid", ".MID", ".midi")[index % 3]
        write_song(folder / f"part{index % 2}" / f"song{index}{suffix}", notes)
    return folder


@pytest.fixture
def conversions(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """Lists the files of every shard that is converted in this process."""
    seen: list[tuple[str, ...]] = []
    real = convert.convert_shard

    def counted(job: convert.Job) -> None:
        seen.append(job[1])
        real(job)

    monkeypatch.setattr(convert, "convert_shard", counted)
    monkeypatch.setattr(convert, "FILES_PER_SHARD", 4)
    return seen


def config(folder: Path, **options: object) -> DataConfig:
    defaults = {"dataset": "folder", "folder": str(folder), "workers": 1,
                "validation_fraction": 0.2, "test_fraction": 0.2}  # fmt: skip
    return DataConfig(**defaults | options)  # type: ignore[arg-type]


def test_a_folder_becomes_windows_of_three_splits(songs: Path, tmp_path: Path) -> None:
    result = prepare(config(songs), 2, None, tmp_path / "cache")

    assert result.train.dtype == result.validation.dtype == result.test.dtype == np.uint8
    assert result.train.shape[1] == 32
    assert result.counts.files == result.counts.pieces == result.counts.melodies == 12
    assert result.counts.windows == 12 * 3
    assert result.counts.unique == 12 * 2 + 1  # the last window is the same in all
    assert result.summary()["train_windows"] == len(result.train)


def test_every_window_belongs_to_a_piece_of_its_split(songs: Path, tmp_path: Path) -> None:
    result = prepare(config(songs), 2, None, tmp_path / "cache")

    parts = [set(p.tolist()) for p in
             (result.train_pieces, result.validation_pieces, result.test_pieces)]  # fmt: skip
    assert sum(map(len, parts)) == len(set.union(*parts)) == len(result.piece_names) == 12
    assert len(result.test_pieces) == len(result.test)
    assert result.piece_names[result.test_pieces[0]].startswith("part")


def test_no_held_out_window_occurs_in_training(songs: Path, tmp_path: Path) -> None:
    result = prepare(config(songs), 2, None, tmp_path / "cache")

    keys = [
        set(map(bytes, transposition_key(part)))
        for part in (result.train, result.validation, result.test)
    ]
    assert not keys[0] & keys[1]
    assert not keys[0] & keys[2]
    assert not keys[1] & keys[2]


def test_a_second_preparation_converts_nothing(
    songs: Path, tmp_path: Path, conversions: list[tuple[str, ...]]
) -> None:
    first = prepare(config(songs), 2, None, tmp_path / "cache")
    assert len(conversions) == 3
    calls: list[tuple[int, int]] = []

    second = prepare(
        config(songs), 2, None, tmp_path / "cache", lambda done, total: calls.append((done, total))
    )

    assert len(conversions) == 3
    assert calls == []
    assert second.counts == first.counts
    assert second.piece_names == first.piece_names
    np.testing.assert_array_equal(second.train, first.train)
    np.testing.assert_array_equal(second.test_pieces, first.test_pieces)


def test_another_window_length_uses_the_converted_pieces(
    songs: Path, tmp_path: Path, conversions: list[tuple[str, ...]]
) -> None:
    prepare(config(songs), 2, None, tmp_path / "cache")
    longer = prepare(config(songs), 3, None, tmp_path / "cache")

    assert len(conversions) == 3
    assert longer.train.shape[1] == 48


def test_a_changed_file_is_converted_again(
    songs: Path, tmp_path: Path, conversions: list[tuple[str, ...]]
) -> None:
    prepare(config(songs), 2, None, tmp_path / "cache")
    os.utime(next(songs.rglob("*.mid")), ns=(0, 0))
    prepare(config(songs), 2, None, tmp_path / "cache")

    assert len(conversions) == 6


def test_an_interrupted_preparation_goes_on_where_it_stopped(
    songs: Path, tmp_path: Path, conversions: list[tuple[str, ...]]
) -> None:
    def interrupt(done: int, total: int) -> None:
        if done >= 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(config(songs), 2, None, tmp_path / "cache", interrupt)
    assert len(conversions) == 2
    calls: list[tuple[int, int]] = []

    resumed = prepare(
        config(songs), 2, None, tmp_path / "cache", lambda done, total: calls.append((done, total))
    )
    straight = prepare(config(songs), 2, None, tmp_path / "another cache")

    assert len(conversions) == 2 + 1 + 3
    assert calls == [(8, 12), (12, 12)]
    np.testing.assert_array_equal(resumed.train, straight.train)


def test_damaged_cache_files_are_made_again(songs: Path, tmp_path: Path) -> None:
    first = prepare(config(songs), 2, None, tmp_path / "cache")
    damaged = [*(tmp_path / "cache").rglob("*.npz")]
    for path in damaged:
        path.write_bytes(path.read_bytes()[:50])

    second = prepare(config(songs), 2, None, tmp_path / "cache")

    assert len(damaged) == 2
    np.testing.assert_array_equal(second.train, first.train)


def test_processes_give_the_same_as_one(
    songs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(convert, "FILES_PER_SHARD", 6)
    alone = prepare(config(songs), 2, None, tmp_path / "a")
    together = prepare(config(songs, workers=2), 2, None, tmp_path / "b")

    np.testing.assert_array_equal(alone.train, together.train)
    np.testing.assert_array_equal(alone.test_pieces, together.test_pieces)


def test_what_is_left_out_is_listed_with_the_reason(
    songs: Path, tmp_path: Path, write_song: WriteSong
) -> None:
    (songs / "broken.mid").write_bytes(b"no music")
    write_song(songs / "waltz.mid", [(60, 0, 3)], metres=[(0, 3, 4)])
    write_song(songs / "mixed.mid", [(60, 0, 8), (62, 8, 11)], metres=[(0, 4, 4), (8, 3, 4)])

    result = prepare(config(songs), 2, None, tmp_path / "cache")

    assert [(row.name, row.kind) for row in result.skipped.rows] == [
        ("broken.mid", "unreadable"),
        ("mixed.mid", "partly"),
        ("waltz.mid", "unused"),
    ]
    assert result.skipped.rows[2].reason == "metre 3/4"
    again = prepare(config(songs), 2, None, tmp_path / "cache")
    assert again.skipped.rows == result.skipped.rows
    assert (result.counts.unreadable, result.counts.unused) == (1, 1)


def test_too_many_unreadable_files_fail_the_run(songs: Path, tmp_path: Path) -> None:
    for index in range(4):
        (songs / f"broken{index}.mid").write_bytes(b"no music")

    strict = prepare(config(songs, max_rejected=0.2), 2, None, tmp_path / "cache")
    with pytest.raises(RunFailed, match=r"4 of 16 pieces cannot be read \(25%\)") as failure:
        strict.skipped.check(strict.counts.pieces)
    assert "raise data.max_rejected" in str(failure.value.fix)
    generous = prepare(config(songs, max_rejected=0.3), 2, None, tmp_path / "cache")
    generous.skipped.check(generous.counts.pieces)
    generous.check()


def test_pieces_in_another_metre_do_not_count_as_unreadable(
    songs: Path, tmp_path: Path, write_song: WriteSong
) -> None:
    for index in range(20):
        write_song(songs / f"waltz{index}.mid", [(60, 0, 3)], metres=[(0, 3, 4)])

    result = prepare(config(songs, max_rejected=0.0), 2, None, tmp_path / "cache")
    result.skipped.check(result.counts.pieces)
    assert result.counts.unused == 20


def test_no_window_at_all_fails_with_the_counts(tmp_path: Path, write_song: WriteSong) -> None:
    write_song(tmp_path / "songs" / "waltz.mid", [(60, 0, 3)], metres=[(0, 3, 4)])

    result = prepare(config(tmp_path / "songs"), 2, None, tmp_path / "cache")
    with pytest.raises(RunFailed, match="1 have nothing usable") as failure:
        result.check()
    assert "data.rebar=true" in str(failure.value)


def test_a_missing_folder_is_a_requirement_not_met(tmp_path: Path) -> None:
    with pytest.raises(RequirementError, match="there is no folder") as failure:
        prepare(config(tmp_path / "nowhere"), 2, None, tmp_path / "cache")
    assert "data.folder" in str(failure.value)


def test_a_folder_without_midi_is_a_requirement_not_met(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("do re mi")

    with pytest.raises(RequirementError, match=r"no \.mid or \.midi files"):
        prepare(config(tmp_path), 2, None, tmp_path / "cache")


def test_folk_that_is_not_fetched_yet_says_how_to_fetch_it(tmp_path: Path) -> None:
    with pytest.raises(RequirementError, match="lab data prepare"):
        prepare(DataConfig(dataset="folk"), 2, None, tmp_path / "cache")


def test_fiddle_without_music21_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources.importlib.util, "find_spec", lambda name: None)

    with pytest.raises(RequirementError, match="pip install music21"):
        prepare(DataConfig(dataset="fiddle"), 2, None, tmp_path / "cache")


def test_an_unknown_dataset_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match="folk, fiddle, folder"):
        DataConfig(dataset="jazz")


def test_preparing_imports_no_framework() -> None:
    heavy = "{'torch', 'music21', 'matplotlib'}"
    code = f"import sys, plugins.musicvae.data; print({heavy} & set(sys.modules))"
    outcome = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    # pyfluidsynth prints a line of its own where CI is set.
    assert outcome.stdout.splitlines()[-1] == "set()"
