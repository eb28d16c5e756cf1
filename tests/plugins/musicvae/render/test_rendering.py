import wave
from pathlib import Path

import numpy as np
import pretty_midi
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from plugins.musicvae.data import NO_EVENT, NOTE_OFF, Note, decode, encode, read_midi
from plugins.musicvae.render import write_midi, write_pianoroll, write_wav
from plugins.musicvae.render.audio import FLUIDSYNTH, SINE_TONES
from plugins.musicvae.render.pianoroll import pitch_name

MELODY = encode([Note(60, 0, 4), Note(60, 4, 8), Note(64, 10, 16), Note(67, 16, 32)], 32)

sampled = arrays(np.uint8, st.just(64), elements=st.integers(0, 129)) | arrays(
    np.uint8, st.just(64), elements=st.sampled_from([60, 60, 64, NOTE_OFF, NO_EVENT, NO_EVENT])
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tokens=sampled, tempo=st.sampled_from([33.3, 90.0, 120.0, 251.7]))
def test_whatever_is_sampled_reads_back_with_the_same_notes(
    tmp_path: Path, tokens: np.ndarray, tempo: float
) -> None:
    assume(decode(tokens))

    piece = read_midi(write_midi(tokens, tmp_path / "a.mid", tempo_bpm=tempo))

    assert [decode(melody) for melody in piece.melodies] == [decode(tokens)]


def test_the_file_has_the_tempo_velocity_and_instrument_asked_for(tmp_path: Path) -> None:
    path = write_midi(MELODY, tmp_path / "a.mid", tempo_bpm=90, velocity=55, program=40)

    score = pretty_midi.PrettyMIDI(str(path))
    (instrument,) = score.instruments
    assert score.get_tempo_changes()[1] == pytest.approx(
        [90], rel=1e-5
    )  # whole microseconds a beat
    assert instrument.program == 40
    assert {note.velocity for note in instrument.notes} == {55}
    assert instrument.notes[-1].end == pytest.approx(8 * 60 / 90)
    (metre,) = score.time_signature_changes
    assert (metre.numerator, metre.denominator) == (4, 4)


def test_silence_is_written_as_a_file_without_notes(tmp_path: Path) -> None:
    path = write_midi(np.full(32, NO_EVENT), tmp_path / "a.mid")

    assert [entry.reason for entry in read_midi(path).rejected] == ["no notes"]


def read_wav(path: Path) -> tuple[np.ndarray, wave._wave_params]:
    with wave.open(str(path), "rb") as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
        return samples / 32768, file.getparams()


@pytest.fixture(params=[True, False], ids=["with FluidSynth", "without FluidSynth"])
def synthesiser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if not request.param:
        monkeypatch.setattr(pretty_midi.fluidsynth, "_HAS_FLUIDSYNTH", False)
        return SINE_TONES
    if not pretty_midi.fluidsynth._HAS_FLUIDSYNTH:
        pytest.skip("needs pyfluidsynth and libfluidsynth3 (apt install libfluidsynth3)")
    return FLUIDSYNTH


def test_the_sound_is_heard_and_does_not_clip(tmp_path: Path, synthesiser: str) -> None:
    midi = write_midi(MELODY, tmp_path / "a.mid")

    assert write_wav(midi, tmp_path / "a.wav") == synthesiser

    samples, parameters = read_wav(tmp_path / "a.wav")
    assert (parameters.nchannels, parameters.sampwidth, parameters.framerate) == (1, 2, 44100)
    assert 4.0 <= len(samples) / 44100 <= 6.0  # two bars at 120, and a tail
    assert np.abs(samples).max() == pytest.approx(0.89, abs=0.01)
    assert np.sqrt(np.mean(samples[: 44100 * 4] ** 2)) > 0.02


def test_the_sound_has_the_pitch_of_the_note(tmp_path: Path, synthesiser: str) -> None:
    midi = write_midi(encode([Note(69, 0, 16)], 16), tmp_path / "a.mid")
    write_wav(midi, tmp_path / "a.wav")

    samples, _ = read_wav(tmp_path / "a.wav")
    second = samples[11025 : 11025 + 44100]
    spectrum = np.abs(np.fft.rfft(second * np.hanning(second.size)))
    strongest = int(np.argmax(spectrum[100:2000])) + 100  # bins are 1 Hz
    assert min(abs(strongest - 440), abs(strongest - 880)) <= 4


def test_rests_are_silent_compared_with_notes(tmp_path: Path, synthesiser: str) -> None:
    midi = write_midi(encode([Note(72, 0, 4), Note(72, 28, 32)], 32), tmp_path / "a.mid")
    write_wav(midi, tmp_path / "a.wav")

    samples, _ = read_wav(tmp_path / "a.wav")
    note, rest = samples[: 44100 // 4], samples[2 * 44100 : 3 * 44100]
    assert np.std(rest) < 0.1 * np.std(note)


def test_a_file_without_notes_gives_a_short_silence(tmp_path: Path, synthesiser: str) -> None:
    midi = write_midi(np.full(32, NO_EVENT), tmp_path / "a.mid")
    write_wav(midi, tmp_path / "a.wav")

    samples, _ = read_wav(tmp_path / "a.wav")
    assert len(samples) == 22050
    assert not samples.any()


def picture(path: Path) -> np.ndarray:
    from matplotlib.image import imread

    return imread(path)


def test_a_piano_roll_is_a_picture_with_notes_in_colour(tmp_path: Path) -> None:
    path = write_pianoroll([("one", MELODY)], tmp_path / "a.png", title="A title")

    image = picture(path)
    colourful = np.ptp(image[..., :3], axis=-1) > 0.3
    assert image.shape[1] == 660  # its letters are legible in a card of a third of the page
    assert colourful.mean() > 0.01


def test_melodies_are_stacked_one_above_the_other(tmp_path: Path) -> None:
    one = picture(write_pianoroll([("one", MELODY)], tmp_path / "a.png"))
    two = picture(write_pianoroll([("one", MELODY), ("two", MELODY)], tmp_path / "b.png"))

    assert two.shape[0] > 1.7 * one.shape[0]
    top, bottom = np.array_split(two, 2)
    blue = (top[..., 2] - top[..., 0] > 0.3).sum()
    orange = (bottom[..., 0] - bottom[..., 2] > 0.3).sum()
    assert blue > 1000
    assert orange > 1000


def test_pictures_of_a_pair_have_the_same_axes(tmp_path: Path) -> None:
    high = np.where(MELODY < 128, MELODY + 20, MELODY)
    alone = picture(write_pianoroll([("one", MELODY)], tmp_path / "a.png"))
    paired = [
        picture(write_pianoroll([("x", each)], tmp_path / "b.png", range_of=[MELODY, high]))
        for each in (MELODY, high)
    ]

    assert paired[0].shape == paired[1].shape
    assert paired[0].shape[0] > alone.shape[0]


def test_silence_and_long_melodies_are_drawn_too(tmp_path: Path) -> None:
    melodies = [("silence", np.full(256, NO_EVENT)), ("long", np.tile(MELODY, 32))]

    assert picture(write_pianoroll(melodies, tmp_path / "a.png")).ndim == 3


def test_a_piano_roll_of_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least one melody"):
        write_pianoroll([], tmp_path / "a.png")


def test_pitches_are_named_with_middle_c_as_c4() -> None:
    assert [pitch_name(pitch) for pitch in (60, 61, 70, 21)] == ["C4", "C♯4", "B♭4", "A0"]
