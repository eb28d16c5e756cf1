import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from plugins.musicvae.data.tokens import (
    NO_EVENT,
    NOTE_OFF,
    NUM_TOKENS,
    Note,
    canonical,
    decode,
    encode,
    sounding,
)

OFF, ___ = NOTE_OFF, NO_EVENT
any_tokens = arrays(np.uint8, st.integers(0, 70), elements=st.integers(0, NUM_TOKENS - 1))
eventful_tokens = arrays(
    np.uint8, st.integers(0, 70), elements=st.sampled_from([60, 60, 62, OFF, OFF, ___, ___])
)


@st.composite
def melodies(draw: st.DrawFn) -> tuple[list[Note], int]:
    """Notes that follow each other, with or without a rest, and a number of steps they fit in."""
    notes, step = [], 0
    for _ in range(draw(st.integers(0, 12))):
        step += draw(st.integers(0, 5))
        length = draw(st.integers(1, 6))
        notes.append(Note(draw(st.integers(0, 127)), step, step + length))
        step += length
    return notes, step + draw(st.integers(0, 5))


def by_hand(tokens: np.ndarray) -> list[Note]:
    """Decodes as a synthesiser would, one step at a time."""
    notes: list[Note] = []
    pitch, start = None, 0
    for step, token in enumerate([*tokens.tolist(), OFF]):
        if token == ___:
            continue
        if pitch is not None:
            notes.append(Note(pitch, start, step))
        pitch, start = (None, 0) if token == OFF else (token, step)
    return notes


def test_a_melody_is_written_as_the_encoding_says() -> None:
    notes = [Note(60, 1, 3), Note(60, 3, 4), Note(64, 6, 8)]

    assert encode(notes, 10).tolist() == [___, 60, ___, 60, OFF, ___, 64, ___, OFF, ___]


def test_a_repeated_note_differs_from_a_held_one() -> None:
    repeated = encode([Note(60, 0, 2), Note(60, 2, 4)], 4)
    held = encode([Note(60, 0, 4)], 4)

    assert repeated.tolist() == [60, ___, 60, ___]
    assert held.tolist() == [60, ___, ___, ___]


@given(melodies())
def test_decoding_undoes_encoding(melody: tuple[list[Note], int]) -> None:
    notes, num_steps = melody

    assert decode(encode(notes, num_steps)) == notes


@given(any_tokens | eventful_tokens)
def test_encoding_undoes_decoding_up_to_idle_note_offs(tokens: np.ndarray) -> None:
    rewritten = encode(decode(tokens), tokens.size)

    np.testing.assert_array_equal(rewritten, canonical(tokens))


@given(any_tokens | eventful_tokens)
def test_decoding_agrees_with_playing_step_by_step(tokens: np.ndarray) -> None:
    assert decode(tokens) == by_hand(tokens)


@given(eventful_tokens)
def test_sounding_marks_the_steps_of_the_notes(tokens: np.ndarray) -> None:
    expected = np.zeros(tokens.size, dtype=bool)
    for note in by_hand(tokens):
        expected[note.start_step : note.end_step] = True

    np.testing.assert_array_equal(sounding(tokens), expected)


@given(arrays(np.uint8, (3, 20), elements=st.sampled_from([60, OFF, ___])))
def test_canonical_form_of_a_batch_is_that_of_each_row(batch: np.ndarray) -> None:
    np.testing.assert_array_equal(canonical(batch), np.stack([canonical(row) for row in batch]))


@pytest.mark.parametrize(
    ("notes", "complaint"),
    [
        ([Note(60, 0, 4), Note(62, 3, 5)], "overlap"),
        ([Note(60, 4, 5), Note(62, 0, 1)], "overlap"),
        ([Note(60, 2, 2)], "at least one step"),
        ([Note(60, 0, 9)], "within steps"),
        ([Note(128, 0, 1)], "0 to 127"),
    ],
)
def test_notes_that_are_no_melody_are_refused(notes: list[Note], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        encode(notes, 8)


@pytest.mark.parametrize("tokens", [[130], [-1], [[60, 60]]])
def test_what_is_no_token_sequence_is_refused(tokens: list[int]) -> None:
    with pytest.raises(ValueError, match="token"):
        decode(tokens)
