"""Every expected value here is worked out by hand from the notation."""

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.musicvae.config import DataConfig
from plugins.musicvae.data.abc import QUARTER, read_tunes
from plugins.musicvae.data.abc_fields import key_signature, read_metre
from plugins.musicvae.data.abc_play import align, play_repeats, to_score
from plugins.musicvae.data.sources import find_source, read_pieces
from plugins.musicvae.data.tokens import Note, decode

C, D, E, F, G, A, B = 60, 62, 64, 65, 67, 69, 71


def tune_text(body: str, *, key: str = "C", metre: str = "4/4", unit: str = "1/4") -> str:
    return f"X:1\nT:A tune\nM:{metre}\nL:{unit}\nK:{key}\n{body}\n"


def play(body: str, **header: str) -> list[tuple[int, float, float]]:
    """Pitch, start and end in quarter notes."""
    (tune,) = read_tunes(tune_text(body, **header))
    notes, _ = align(play_repeats(tune.measures))
    return [(pitch, start / QUARTER, end / QUARTER) for pitch, start, end in notes]


def pitches(body: str, **header: str) -> list[int]:
    return [pitch for pitch, _, _ in play(body, **header)]


def lengths(body: str, **header: str) -> list[float]:
    return [pytest.approx(end - start) for _, start, end in play(body, **header)]


def test_letters_and_octave_marks_give_pitches() -> None:
    assert pitches("C, C c c'") == [48, 60, 72, 84]


def test_lengths_multiply_and_divide_the_unit() -> None:
    assert lengths("C2 D/ E// F3/2 G/4 A3") == [2, 0.5, 0.25, 1.5, 0.25, 3]


def test_without_a_unit_an_eighth_is_meant_or_a_sixteenth_in_short_metres() -> None:
    common, short = "X:1\nM:4/4\nK:C\nC8|\n", "X:1\nM:2/4\nK:C\nC8|\n"

    assert [read_tunes(text)[0].measures[0].ticks for text in (common, short)] == [
        4 * QUARTER,
        2 * QUARTER,
    ]


@pytest.mark.parametrize(
    ("key", "signature"),
    [
        ("C", {}),
        ("G", {"F": 1}),
        ("Am", {}),
        ("E Minor", {"F": 1}),
        ("Gm", {"B": -1, "E": -1}),
        ("ADor", {"F": 1}),
        ("Dmix", {"F": 1}),
        ("Bphr", {"F": 1}),
        ("F lydian", {}),
        ("B loc", {}),
        ("EM", {"F": 1, "C": 1, "G": 1, "D": 1}),
        ("F#m", {"F": 1, "C": 1, "G": 1}),
        ("Bb", {"B": -1, "E": -1}),
        ("D =c", {"F": 1}),
        ("C ^f _b", {"F": 1, "B": -1}),
        ("HP", {}),
        ("Hp", {"F": 1, "C": 1}),
        ("none", {}),
    ],
)
def test_key_signatures(key: str, signature: dict[str, int]) -> None:
    assert key_signature(key) == signature


@pytest.mark.parametrize(
    ("text", "metre"),
    [("C", (4, 4)), ("C|", (2, 2)), ("6/8", (6, 8)), ("2+3/8", (5, 8)), ("none", (0, 4))],
)
def test_metres(text: str, metre: tuple[int, int]) -> None:
    assert read_metre(text) == metre


def test_the_key_applies_to_every_octave() -> None:
    assert pitches("F f", key="G") == [66, 78]


def test_an_accidental_lasts_until_the_bar_line() -> None:
    assert pitches("^F F G F | F4", key="C") == [66, 66, G, 66, F]


def test_an_accidental_holds_for_its_own_octave_only() -> None:
    assert pitches("_B b B _b") == [70, 83, 70, 82]


def test_a_natural_undoes_the_key_until_the_bar_line() -> None:
    assert pitches("=F F | F2", key="G") == [F, F, 66]


def test_double_accidentals() -> None:
    assert pitches("^^F __B") == [67, 69]


def test_broken_rhythm_moves_length_between_neighbours() -> None:
    assert lengths("C>D E<F G>>A") == [1.5, 0.5, 0.5, 1.5, 1.75, 0.25]


def test_broken_rhythm_reaches_over_grace_notes() -> None:
    assert play("C>{d}E F2") == [(C, 0, 1.5), (E, 1.5, 2), (F, 2, 4)]


def test_a_triplet_puts_three_in_the_time_of_two() -> None:
    assert lengths("(3CDE F") == pytest.approx([2 / 3, 2 / 3, 2 / 3, 1])


def test_tuplets_may_say_their_time_and_their_notes() -> None:
    assert lengths("(3:2:4 C/D/E/F/ G") == pytest.approx([1 / 3] * 4 + [1])


def test_five_in_the_time_of_three_in_compound_metre() -> None:
    assert lengths("(5CDEFG", metre="6/8", unit="1/8") == pytest.approx([0.3] * 5)


def test_a_tie_joins_equal_notes() -> None:
    assert play("C3 D- | D2 E2") == [(C, 0, 3), (D, 3, 6), (E, 6, 8)]


def test_a_tie_between_different_notes_is_a_slur() -> None:
    assert pitches("C-D E2") == [C, D, E]


def test_a_tie_takes_its_accidental_over_the_bar_line_but_no_further() -> None:
    assert play("C3 ^F- | F F G2") == [(C, 0, 3), (66, 3, 5), (F, 5, 6), (G, 6, 8)]


def test_equal_notes_without_a_tie_stay_apart() -> None:
    assert play("C C C2") == [(C, 0, 1), (C, 1, 2), (C, 2, 4)]


def test_rests_take_time_and_give_no_note() -> None:
    assert play("C z2 D | z4 | Z2 | E4") == [(C, 0, 1), (D, 3, 4), (E, 16, 20)]


def test_ornaments_chords_symbols_and_slurs_are_skipped() -> None:
    assert pitches('"Am"C .D (EF) {gag}G | !trill!A uB ~C T"^up"D`E | ') == [
        C, D, E, F, G, A, B, C, D, E,
    ]  # fmt: skip


def test_of_a_chord_the_highest_note_is_taken() -> None:
    assert play("[CEG]2 [c2E2]") == [(G, 0, 2), (72, 2, 4)]


def test_comments_and_other_fields_are_no_music() -> None:
    assert pitches("C4 | % D4\nN:a note\nw:la la\n%%abc E\nF4 |") == [C, F]


def test_a_repeat_is_played_twice() -> None:
    assert pitches("|: C4 | D4 :| E4 |]") == [C, D, C, D, E]


def test_a_repeat_without_a_start_goes_back_to_the_beginning() -> None:
    assert pitches("C4 | D4 :| E4 | F4 :|") == [C, D, C, D, E, F, E, F]


def test_a_double_repeat_sign_ends_one_and_starts_another() -> None:
    assert pitches("C4 :: D4 :|") == [C, C, D, D]


@pytest.mark.parametrize("first_second", ["|1 D4 :|2 E4 ||", "|[1 D4 :| [2 E4 |]"])
def test_first_and_second_endings_are_played_in_turn(first_second: str) -> None:
    assert pitches(f"|: C4 {first_second} F4 |]") == [C, D, C, E, F]


def test_endings_may_serve_several_passes() -> None:
    assert pitches("|: C4 |1,3 D4 :|2 E4 :|") == [C, D, C, E, C, D]


def test_both_halves_of_a_tune_may_have_endings() -> None:
    tune = "|: C4 |1 D4 :|2 E4 |: F4 |1 G4 :|2 A4 |]"

    assert pitches(tune) == [C, D, C, E, F, G, F, A]


def test_a_pickup_ends_at_the_bar_line() -> None:
    assert play("G | C2 D2 | E4") == [(G, 3, 4), (C, 4, 6), (D, 6, 8), (E, 8, 12)]


def test_the_last_bar_of_a_repeat_and_its_pickup_make_one_bar() -> None:
    notes = play("G | C4 | D3 :| E4 |]")

    assert notes == [
        (G, 3, 4), (C, 4, 8), (D, 8, 11), (G, 11, 12), (C, 12, 16), (D, 16, 19), (E, 20, 24),
    ]  # fmt: skip


def test_a_short_bar_in_the_middle_is_filled_up() -> None:
    assert play("C4 | D3 | E4") == [(C, 0, 4), (D, 4, 7), (E, 8, 12)]


def test_key_and_metre_may_change_within_a_tune() -> None:
    (tune,) = read_tunes(tune_text("F4 | [K:G] F4 |[M:3/4] C3 |\nM:4/4\nD4 |"))
    notes, metres = align(play_repeats(tune.measures))

    assert [note[0] for note in notes] == [F, 66, C, D]
    assert [(metre.tick / QUARTER, str(metre)) for metre in metres] == [
        (0, "4/4"),
        (8, "3/4"),
        (11, "4/4"),
    ]


def test_only_the_first_voice_is_read() -> None:
    assert pitches("V:1\nC4 |\nV:2\nE4 |\nV:1\nD4 |\n[V:2] F4 |\n[V:1] G4 |") == [C, D, G]


def test_a_book_gives_its_tunes_in_order() -> None:
    book = f"%abc\n\n{tune_text('C4|')}\nsome text in between\n\n{tune_text('D4|', key='D')}"

    assert [[s.pitch for m in tune.measures for s in m.sounds] for tune in read_tunes(book)] == [
        [C],
        [D],
    ]


def test_a_tune_becomes_a_score_with_the_same_notes() -> None:
    score = to_score(read_tunes(tune_text("C2 (3DEF | G4"))[0])

    pitches, starts, _ = score.parts[0].tolist()
    assert pitches == [C, D, E, F, G]
    assert starts == [0, 2 * QUARTER, 2 * QUARTER + 4480, 2 * QUARTER + 8960, 4 * QUARTER]
    assert score.metres == [(0, 4, 4)]


@given(st.text(alphabet="ABcdeg zxZ|:[]()123/<>^_=-{}\"!&,'\n", max_size=60))
def test_no_text_makes_the_reader_raise(body: str) -> None:
    for tune in read_tunes(tune_text(body)):
        notes, _ = align(play_repeats(tune.measures))
        assert all(start < end for _, start, end in notes)
        assert all(a[2] <= b[1] for a, b in itertools.pairwise(notes))


def test_fiddle_tunes_come_from_the_books_below_the_package(tmp_path: Path) -> None:
    for book, name in (
        ("oneills1850", "a.abc"),
        ("airdsAirs", "b.abc"),
        ("essenFolksong", "c.abc"),
    ):
        file = tmp_path / "music21" / "corpus" / book / name
        file.parent.mkdir(parents=True)
        file.write_text(tune_text("CDEF|") + "\n" + tune_text("CDE|", metre="3/4"))

    source = find_source(DataConfig(dataset="fiddle"), tmp_path / "music21")
    pieces = [piece for file in source.files for piece in read_pieces(source, file)]

    assert source.files == ("airdsAirs/b.abc", "oneills1850/a.abc")
    assert [piece.name for piece in pieces[:2]] == ["airdsAirs/b.abc#1:1", "airdsAirs/b.abc#2:1"]
    assert decode(pieces[0].melodies[0]) == [
        Note(C, 0, 4), Note(D, 4, 8), Note(E, 8, 12), Note(F, 12, 16),
    ]  # fmt: skip
    assert pieces[1].rejected[0].reason == "metre 3/4"
