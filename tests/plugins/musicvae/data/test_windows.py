import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.musicvae.data.tokens import NO_EVENT, NOTE_OFF, Note, canonical, decode, encode
from plugins.musicvae.data.windows import cut_windows, transposition_key, unique_rows

BAR = 16


def whole_note(pitch: int, bar: int) -> Note:
    return Note(pitch, bar * BAR, (bar + 1) * BAR)


def test_windows_slide_by_the_stride() -> None:
    melody = encode([whole_note(60 + bar, bar) for bar in range(5)], 5 * BAR)

    by_one, _ = cut_windows(melody, bars=2)
    by_two, _ = cut_windows(melody, bars=2, stride_bars=2)

    assert by_one[:, 0].tolist() == [60, 61, 62, 63]
    assert by_two[:, 0].tolist() == [60, 62]


def test_a_melody_shorter_than_a_window_gives_none() -> None:
    windows, melody = cut_windows(encode([whole_note(60, 0)], BAR), bars=2)

    assert windows.shape == (0, 32)
    assert melody.shape == (0,)


def test_a_note_held_into_a_window_starts_there() -> None:
    melody = encode([Note(60, 0, 20), Note(62, 24, 32)], 2 * BAR)

    _, second = cut_windows(melody, bars=1)[0]

    assert decode(second) == [Note(60, 0, 4), Note(62, 8, 16)]


def test_a_note_off_on_the_bar_line_does_not_enter_the_window() -> None:
    melody = encode([Note(60, 0, 16), Note(62, 24, 32)], 2 * BAR)
    assert melody[16] == NOTE_OFF

    _, second = cut_windows(melody, bars=1)[0]

    assert second[0] == NO_EVENT
    assert decode(second) == [Note(62, 8, 16)]


def test_too_many_bars_of_rest_in_a_row_are_refused() -> None:
    melody = encode([whole_note(60, 0), whole_note(62, 3), whole_note(64, 5)], 6 * BAR)

    starts_allowing_one = cut_windows(melody, bars=3, max_empty_bars=1)[0]
    starts_allowing_two = cut_windows(melody, bars=3, max_empty_bars=2)[0]

    assert len(starts_allowing_one) == 2 - 1 + 1  # bars 2-4 and 3-5; 0-2 and 1-3 rest twice
    assert len(starts_allowing_two) == 4


def test_a_window_of_rest_only_is_refused_whatever_is_allowed() -> None:
    melody = encode([whole_note(60, 0), whole_note(60, 3)], 4 * BAR)

    windows, _ = cut_windows(melody, bars=2, max_empty_bars=2)

    assert len(windows) == 2


def test_a_bar_that_holds_a_note_is_not_empty() -> None:
    melody = encode([Note(60, 0, 4 * BAR)], 4 * BAR)

    assert len(cut_windows(melody, bars=4, max_empty_bars=0)[0]) == 1


def test_windows_do_not_cross_from_one_melody_to_the_next() -> None:
    first = encode([Note(60, 0, 2 * BAR)], 2 * BAR)  # sounds to its very end
    second = encode([Note(72, 8, 16), whole_note(74, 1)], 2 * BAR)

    windows, melody = cut_windows(np.concatenate([first, second]), np.array([32, 32]), bars=2)

    assert melody.tolist() == [0, 1]
    assert decode(windows[1]) == [Note(72, 8, 16), Note(74, 16, 32)]


@given(
    st.lists(st.sampled_from([60, 62, NOTE_OFF, NO_EVENT, NO_EVENT]), min_size=64, max_size=64),
    st.integers(1, 3),
    st.integers(1, 2),
    st.integers(0, 2),
)
def test_windows_agree_with_cutting_notes_one_by_one(
    raw: list[int], bars: int, stride: int, max_empty: int
) -> None:
    melody = canonical(np.array(raw, dtype=np.uint8))
    expected = []
    for start in range(0, 4 - bars + 1, stride):
        low, high = start * BAR, (start + bars) * BAR
        notes = [
            Note(note.pitch, max(note.start_step, low) - low, min(note.end_step, high) - low)
            for note in decode(melody)
            if note.start_step < high and note.end_step > low
        ]
        rests = "".join(
            "x" if any(n.start_step < b + BAR and n.end_step > b for n in notes) else "-"
            for b in range(0, bars * BAR, BAR)
        )
        if notes and "-" * (max_empty + 1) not in rests:
            expected.append(encode(notes, bars * BAR).tolist())

    windows, _ = cut_windows(melody, bars=bars, stride_bars=stride, max_empty_bars=max_empty)

    assert windows.tolist() == expected


def test_melodies_that_are_no_whole_bars_are_refused() -> None:
    with pytest.raises(ValueError, match="whole bars"):
        cut_windows(np.zeros(17, dtype=np.uint8), bars=1)


def test_the_first_of_equal_rows_is_kept_in_order() -> None:
    rows = np.array([[3, 0], [1, 2], [3, 0], [0, 3], [1, 2]], dtype=np.uint8)

    assert unique_rows(rows).tolist() == [0, 1, 3]


def test_transpositions_share_a_key_and_other_melodies_do_not() -> None:
    windows = np.array(
        [[60, NO_EVENT, 64, NOTE_OFF], [67, NO_EVENT, 71, NOTE_OFF], [60, NO_EVENT, 63, NOTE_OFF]],
        dtype=np.uint8,
    )

    keys = transposition_key(windows)

    assert keys[0].tolist() == keys[1].tolist() == [0, NO_EVENT, 4, NOTE_OFF]
    assert keys[2].tolist() != keys[0].tolist()
