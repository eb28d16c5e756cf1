import struct
import time
from collections.abc import Callable
from pathlib import Path

import mido
import pretty_midi
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plugins.musicvae.data import Note, decode, read_melodies, read_midi
from plugins.musicvae.data.smf import parse_midi

SCALE = [(60, 0.0, 1.0), (62, 1.0, 2.0), (64, 2.0, 3.0), (65, 3.0, 4.0)]
SCALE_STEPS = [Note(60, 0, 4), Note(62, 4, 8), Note(64, 8, 12), Note(65, 12, 16)]

WriteSong = Callable[..., Path]


def notes_of(path: Path, **options: bool) -> list[list[Note]]:
    return [decode(melody) for melody in read_midi(path, **options).melodies]


def reasons_of(path: Path, **options: bool) -> list[str]:
    return [entry.reason for entry in read_midi(path, **options).rejected]


def test_quarter_notes_become_four_steps_each(tmp_path: Path, write_song: WriteSong) -> None:
    assert notes_of(write_song(tmp_path / "a.mid", SCALE)) == [SCALE_STEPS]


def test_a_melody_is_whole_bars(tmp_path: Path, write_song: WriteSong) -> None:
    (melody,) = read_midi(write_song(tmp_path / "a.mid", [(60, 0, 4.25)])).melodies

    assert melody.size == 32


@pytest.mark.parametrize("ticks", [96, 120, 480, 1024])
def test_small_delays_are_rounded_away(tmp_path: Path, write_song: WriteSong, ticks: int) -> None:
    late = [(60, 0.02, 0.98), (62, 1.03, 1.9), (64, 1.97, 3.02), (65, 3.0, 4.0)]

    assert notes_of(write_song(tmp_path / "a.mid", late, ticks=ticks)) == [
        [Note(60, 0, 4), Note(62, 4, 8), Note(64, 8, 12), Note(65, 12, 16)]
    ]


def test_tempo_changes_do_not_move_notes(tmp_path: Path, write_song: WriteSong) -> None:
    path = write_song(tmp_path / "a.mid", SCALE, tempos=[(0, 73), (1.5, 240), (2.5, 31)])

    assert notes_of(path) == [SCALE_STEPS]


def test_metre_outside_the_first_track_is_honoured(tmp_path: Path, write_song: WriteSong) -> None:
    path = write_song(tmp_path / "a.mid", SCALE, metres=[(0, 3, 4)], metre_track=1)

    assert read_midi(path).melodies == []
    assert reasons_of(path) == ["metre 3/4"]


def test_tempo_outside_the_first_track_does_no_harm(tmp_path: Path, write_song: WriteSong) -> None:
    path = write_song(tmp_path / "a.mid", SCALE, tempos=[(0, 90), (2, 40)], metre_track=1)

    assert notes_of(path) == [SCALE_STEPS]


def test_a_change_of_metre_cuts_the_piece(tmp_path: Path, write_song: WriteSong) -> None:
    notes = [*SCALE, (67, 4, 7), *((p, s + 7, e + 7) for p, s, e in SCALE)]
    piece = read_midi(
        write_song(tmp_path / "a.mid", notes, metres=[(0, 4, 4), (4, 3, 4), (7, 4, 4)])
    )

    assert [decode(melody) for melody in piece.melodies] == [SCALE_STEPS, SCALE_STEPS]
    assert [(entry.reason, entry.kind) for entry in piece.rejected] == [("metre 3/4", "partly")]


def test_a_note_held_into_another_metre_ends_there(tmp_path: Path, write_song: WriteSong) -> None:
    path = write_song(tmp_path / "a.mid", [(60, 0, 6)], metres=[(0, 4, 4), (4, 3, 4)])

    assert notes_of(path) == [[Note(60, 0, 16)]]


def test_a_metre_written_again_does_not_cut(tmp_path: Path, write_song: WriteSong) -> None:
    notes = [*SCALE, *((p, s + 4, e + 4) for p, s, e in SCALE)]
    path = write_song(tmp_path / "a.mid", notes, metres=[(0, 4, 4), (4, 4, 4)])

    assert [len(melody) for melody in read_midi(path).melodies] == [32]


def test_no_metre_at_all_means_common_time(tmp_path: Path, write_song: WriteSong) -> None:
    assert notes_of(write_song(tmp_path / "a.mid", SCALE, metres=[])) == [SCALE_STEPS]


def test_cut_time_counts_as_common_time(tmp_path: Path, write_song: WriteSong) -> None:
    assert notes_of(write_song(tmp_path / "a.mid", SCALE, metres=[(0, 2, 2)])) == [SCALE_STEPS]


@pytest.mark.parametrize("metre", [(2, 4), (4, 2)])
def test_half_and_double_bars_are_taken_when_rebarring(
    tmp_path: Path, write_song: WriteSong, metre: tuple[int, int]
) -> None:
    path = write_song(tmp_path / "a.mid", SCALE, metres=[(0, *metre)])

    assert notes_of(path) == []
    assert notes_of(path, rebar=True) == [SCALE_STEPS]


def test_three_four_is_left_out_even_when_rebarring(tmp_path: Path, write_song: WriteSong) -> None:
    path = write_song(tmp_path / "a.mid", SCALE, metres=[(0, 3, 4)])

    assert reasons_of(path, rebar=True) == ["metre 3/4"]


def test_the_highest_of_simultaneous_notes_wins(tmp_path: Path, write_song: WriteSong) -> None:
    chord = [(60, 0, 2), (67, 0, 1), (64, 0, 2)]

    assert notes_of(write_song(tmp_path / "a.mid", chord)) == [[Note(67, 0, 4)]]


def test_a_new_note_cuts_the_running_one(tmp_path: Path, write_song: WriteSong) -> None:
    overlapping = [(72, 0, 4), (60, 1, 2)]

    assert notes_of(write_song(tmp_path / "a.mid", overlapping)) == [
        [Note(72, 0, 4), Note(60, 4, 8)]
    ]


def test_a_note_too_short_for_the_grid_gets_a_step(tmp_path: Path, write_song: WriteSong) -> None:
    assert notes_of(write_song(tmp_path / "a.mid", [(60, 0, 0.02)])) == [[Note(60, 0, 1)]]


def test_every_instrument_gives_a_melody(tmp_path: Path, write_song: WriteSong) -> None:
    bass = [(40, 0, 4)]

    assert notes_of(write_song(tmp_path / "a.mid", SCALE, bass)) == [SCALE_STEPS, [Note(40, 0, 16)]]


def test_drums_give_no_melody(tmp_path: Path, write_song: WriteSong) -> None:
    assert reasons_of(write_song(tmp_path / "a.mid", SCALE, channel=9)) == ["only drums"]


def test_running_triplets_are_left_out_as_off_the_grid(
    tmp_path: Path, write_song: WriteSong
) -> None:
    triplets = [(60 + i % 5, i / 3, (i + 1) / 3) for i in range(24)]

    (reason,) = reasons_of(write_song(tmp_path / "a.mid", triplets))
    assert "67% of the notes are off the grid" in reason


def test_a_single_triplet_is_let_through(tmp_path: Path, write_song: WriteSong) -> None:
    notes = [*SCALE, (60, 4, 4 + 1 / 3), (62, 4 + 1 / 3, 4 + 2 / 3), (64, 4 + 2 / 3, 5)]

    assert notes_of(write_song(tmp_path / "a.mid", notes)) == [
        [*SCALE_STEPS, Note(60, 16, 17), Note(62, 17, 19), Note(64, 19, 20)]
    ]


def test_a_file_without_notes_is_unused_not_unreadable(
    tmp_path: Path, write_song: WriteSong
) -> None:
    (entry,) = read_midi(write_song(tmp_path / "a.mid", []), name="a").rejected

    assert (entry.name, entry.reason, entry.kind) == ("a", "no notes", "unused")


def key_signature_of_eight_flats(path: Path, write_song: WriteSong) -> Path:
    content = write_song(path, SCALE).read_bytes()
    # One more event in front of the first track: meta 0x59, 8 flats (-8), major.
    event = bytes([0, 0xFF, 0x59, 2, 0xF8, 0])
    start = content.index(b"MTrk")
    size = int.from_bytes(content[start + 4 : start + 8], "big") + len(event)
    path.write_bytes(content[: start + 4] + size.to_bytes(4, "big") + event + content[start + 8 :])
    return path


def test_an_impossible_key_signature_does_not_matter(tmp_path: Path, write_song: WriteSong) -> None:
    assert notes_of(key_signature_of_eight_flats(tmp_path / "a.mid", write_song)) == [SCALE_STEPS]


def track(events: bytes) -> bytes:
    return b"MTrk" + struct.pack(">I", len(events)) + events


HEADER = b"MThd" + struct.pack(">IHHH", 6, 1, 1, 480)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "truncated or empty"),
        (b"MThd", "truncated or empty"),
        (HEADER, "no track"),
        (HEADER + track(b"\0\x3c\x40"), "first event has no status"),
        (HEADER + track(b"\0\x90\x3c\xff"), "a value above 127"),
        (HEADER + track(b"\0\xf4\0"), "no event 0xf4"),
        (HEADER + track(b"\xff\xff\xff\xff\x7f\x90\x3c\x40"), "more than four bytes"),
        (HEADER + track(b"\0\xff\x58\1\4"), "time signature is cut short"),
        (HEADER + track(b"\0\x90\x3c"), "track 1 ends in the middle of an event"),
        (HEADER + track(b"\0\xff\x01\x20ends"), "track 1 ends in the middle of an event"),
        (b"this is not music at all, it is a sentence", "MThd not found"),
        (b"MThd\0\0\0\6\0\1\0\1\xe7\x28MTrk\0\0\0\4\0\xff\x2f\0", "SMPTE"),
    ],
)
def test_broken_files_are_reported_with_a_reason(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    path = tmp_path / "broken.mid"
    path.write_bytes(content)

    (entry,) = read_midi(path).rejected
    assert reason in entry.reason
    assert entry.kind == "unreadable"


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    assert reasons_of(tmp_path / "gone.mid") == ["cannot be opened: No such file or directory"]


def test_a_truncated_file_is_reported(tmp_path: Path, write_song: WriteSong) -> None:
    path = write_song(tmp_path / "a.mid", SCALE)
    path.write_bytes(path.read_bytes()[:-11])

    (entry,) = read_midi(path).rejected
    assert entry.kind == "unreadable"


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 120), value=st.integers(0, 255), cut=st.integers(0, 120))
def test_damaged_bytes_never_raise(
    tmp_path: Path, write_song: WriteSong, place: int, value: int, cut: int
) -> None:
    content = bytearray(write_song(tmp_path / "a.mid", SCALE).read_bytes())
    content[place % len(content)] = value
    (tmp_path / "b.mid").write_bytes(content[: len(content) - cut // 4])

    piece = read_midi(tmp_path / "b.mid")
    assert piece.melodies or piece.rejected


def test_read_melodies_says_why_there_are_none(tmp_path: Path, write_song: WriteSong) -> None:
    path = write_song(tmp_path / "a.mid", SCALE, metres=[(0, 6, 8)])

    assert read_melodies(path) == ([], "metre 6/8")


EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("note_on"), st.integers(0, 2), st.integers(60, 62), st.integers(0, 1)),
        st.tuples(st.just("note_off"), st.integers(0, 2), st.integers(60, 62), st.just(0)),
        st.tuples(st.just("program_change"), st.integers(0, 2), st.integers(0, 2), st.just(0)),
    ).flatmap(lambda event: st.tuples(st.just(event), st.integers(0, 2))),
    max_size=30,
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tracks=st.lists(EVENTS, min_size=1, max_size=2))
def test_notes_and_instruments_are_those_that_pretty_midi_finds(
    tmp_path: Path, tracks: list[list[tuple[tuple[str, int, int, int], int]]]
) -> None:
    file = mido.MidiFile(ticks_per_beat=480)
    for events in tracks:
        file.tracks.append(mido.MidiTrack())
        for (kind, channel, number, loud), wait in events:
            values = (
                {"program": number}
                if kind == "program_change"
                else {"note": number, "velocity": loud * 90}
            )
            message = mido.Message(kind, channel=channel, time=wait * 120, **values)
            file.tracks[-1].append(message)
    path = tmp_path / "a.mid"
    file.save(path)

    score = pretty_midi.PrettyMIDI(str(path))
    expected = [
        [(n.pitch, score.time_to_tick(n.start), score.time_to_tick(n.end)) for n in part.notes]
        for part in score.instruments
    ]
    parts = parse_midi(path.read_bytes()).parts
    assert [[tuple(note) for note in part.T.tolist()] for part in parts] == expected


def test_many_instruments_and_changes_of_metre_take_no_time(tmp_path: Path) -> None:
    metres = b"".join(b"\x60\xff\x58\4" + bytes([3 + i % 2, 2, 24, 8]) for i in range(10_000))
    note = b"\0\x90\x3c\x50\x60\x3c\0"
    programs = track(b"".join(bytes([0, 0xC0, program]) + note for program in range(120)))
    path = tmp_path / "a.mid"
    path.write_bytes(HEADER + track(metres) + programs * 16)

    began = time.process_time()
    piece = read_midi(path)
    assert time.process_time() - began < 5  # 0.6 s; sections times instruments were 40 s
    assert len(piece.melodies) == 960


def test_a_file_that_is_cut_into_too_many_parts_is_left_out(tmp_path: Path) -> None:
    note = b"\0\x90\x3c\x50\x60\x3c\0"
    programs = track(b"".join(bytes([0, 0xC0, program]) + note for program in range(120)))
    path = tmp_path / "a.mid"
    path.write_bytes(HEADER + programs * 170)

    assert reasons_of(path) == ["instruments and changes of metre cut it into over 20,000 parts"]
