"""Artifacts: grouping, embedding within a budget, and staying inside the folder."""

import array
import base64
import io
import sys
import wave

import pytest

from labcore.record.artifacts import ArtifactStore
from labcore.report.artifacts import Budget, arrange


def silence(seconds: float) -> bytes:
    stream = io.BytesIO()
    with wave.open(stream, "wb") as sound:
        sound.setnchannels(2)
        sound.setsampwidth(2)
        sound.setframerate(44_100)
        sound.writeframes(array.array("h", [0] * int(2 * 44_100 * seconds)).tobytes())
    return stream.getvalue()


@pytest.fixture
def sections(bare_run):
    def read(**budget: int):
        return arrange(bare_run, ArtifactStore(bare_run).read(), Budget(**budget))

    return read


def test_sections_and_cards_follow_the_manifest(bare_run, add_artifact, sections):
    for name, section in [("b.txt", "Two"), ("a.txt", "One"), ("c.txt", "Two")]:
        add_artifact(bare_run, name, "x", "text", section=section)
    assert [(title, [card.title for card in cards]) for title, cards in sections().items()] == [
        ("Two", ["b.txt", "c.txt"]),
        ("One", ["a.txt"]),
    ]


def test_files_of_one_stem_are_one_card_picture_first(bare_run, add_artifact, sections):
    for suffix, kind in [("mid", "midi"), ("wav", "audio"), ("png", "image")]:
        add_artifact(bare_run, f"s/1.{suffix}", b"x", kind, title="One", caption="same")
    add_artifact(bare_run, "t/1.wav", b"x", "audio")
    ((first, second),) = sections().values()
    assert [item.kind for item in first.items] == ["image", "audio", "midi"]
    assert (first.title, first.captions) == ("One", ["same"])
    assert len(second.items) == 1


def test_the_card_is_called_after_its_sound(bare_run, add_artifact, sections):
    add_artifact(bare_run, "1.png", b"x", "image", title="One (piano roll)")
    add_artifact(bare_run, "1.wav", b"x", "audio", title="One")
    assert sections()[""][0].title == "One"


def test_a_file_within_the_budget_is_put_in_byte_for_byte(bare_run, add_artifact, sections):
    add_artifact(bare_run, "a.png", b"\x89PNG-data", "image")
    source = sections()[""][0].items[0].source
    head, _, data = source.partition(",")
    assert head == "data:image/png;base64"
    assert base64.b64decode(data) == b"\x89PNG-data"


def test_what_is_over_the_budget_is_linked(bare_run, add_artifact, sections):
    add_artifact(bare_run, "small.png", bytes(60), "image")
    add_artifact(bare_run, "large.png", bytes(101), "image")
    add_artifact(bare_run, "third.png", bytes(60), "image")
    items = [card.items[0] for card in sections(file_bytes=100, total_bytes=110)[""]]
    assert [bool(item.source) for item in items] == [True, False, False]
    assert items[1].href == "artifacts/large.png"
    assert "too large" in items[1].facts[-1]


def test_a_sound_says_how_long_it_is_and_whether_it_is_silent(bare_run, add_artifact, sections):
    add_artifact(bare_run, "a.wav", silence(1.5), "audio")
    facts = sections()[""][0].items[0].facts
    assert facts[:4] == ["1.5 s", "44.1 kHz", "stereo", "silent"]


def test_a_sound_that_sounds_is_not_called_silent(bare_run, add_artifact, sections, sample):
    add_artifact(bare_run, "a.wav", sample["wav_bytes"]([(60, 0, 8)]), "audio")
    assert "silent" not in sections()[""][0].items[0].facts


def test_many_sounds_go_into_the_page_as_mp3_where_pyav_is(
    bare_run, add_artifact, sections, sample, monkeypatch
):
    av = pytest.importorskip("av", reason="the extra musicvae or render brings it")
    wav = sample["wav_bytes"]([(60, 0, 8)])
    monkeypatch.setattr("labcore.report.artifacts._SOUND_BYTES", -1)
    add_artifact(bare_run, "a.wav", wav, "audio")
    item = sections()[""][0].items[0]
    head, _, data = item.source.partition(",")
    assert head == "data:audio/mpeg;base64"
    sound = base64.b64decode(data)
    assert len(sound) < len(wav) / 5
    with av.open(io.BytesIO(sound)) as container, wave.open(io.BytesIO(wav)) as original:
        seconds = sum(f.samples / f.sample_rate for f in container.decode(audio=0))
        assert seconds == pytest.approx(original.getnframes() / original.getframerate(), abs=0.1)
    assert item.href == "artifacts/a.wav"


@pytest.mark.parametrize("are_many", [True, False])
def test_few_sounds_go_into_the_page_as_they_are_and_many_without_pyav(
    bare_run, add_artifact, sections, sample, monkeypatch, are_many
):
    wav = sample["wav_bytes"]([(60, 0, 8)])
    if are_many:
        monkeypatch.setitem(sys.modules, "av", None)
        monkeypatch.setattr("labcore.report.artifacts._SOUND_BYTES", -1)
    add_artifact(bare_run, "a.wav", wav, "audio")
    _, _, data = sections()[""][0].items[0].source.partition(",")
    assert base64.b64decode(data) == wav


def test_a_damaged_sound_is_still_a_card(bare_run, add_artifact, sections):
    add_artifact(bare_run, "a.wav", b"RIFF", "audio")
    assert sections()[""][0].items[0].facts == ["4 B"]


@pytest.mark.parametrize("path", ["../secret.txt", "artifacts/../../secret.txt", "/etc/hostname"])
def test_a_path_that_climbs_out_of_the_folder_is_not_read(bare_run, add_artifact, sections, path):
    (bare_run.parent / "secret.txt").write_text("secret")
    add_artifact(bare_run, "a.txt", "x", "text")
    manifest = bare_run / "artifacts" / "manifest.json"
    manifest.write_text(manifest.read_text().replace("artifacts/a.txt", path))
    item = sections()[""][0].items[0]
    assert (item.text, item.source, item.href) == ("", "", "")
    assert item.facts == ["the file is not there"]


def test_a_link_that_leads_out_of_the_folder_is_not_read(bare_run, add_artifact, sections):
    secret = bare_run.parent / "secret.png"
    secret.write_bytes(b"secret")
    add_artifact(bare_run, "a.png", b"x", "image")
    (bare_run / "artifacts" / "a.png").unlink()
    (bare_run / "artifacts" / "a.png").symlink_to(secret)
    assert sections()[""][0].items[0].source == ""


def test_a_kind_or_format_the_page_cannot_show_becomes_a_link(bare_run, add_artifact, sections):
    add_artifact(bare_run, "a.xyz", b"x", "hologram")
    add_artifact(bare_run, "b.exr", b"x", "image")
    items = [card.items[0] for card in sections()[""]]
    assert [(item.kind, item.source) for item in items] == [("file", ""), ("file", "")]


def test_a_table_that_cannot_be_read_is_shown_as_text(bare_run, add_artifact, sections):
    add_artifact(bare_run, "a.json", "{broken", "table")
    item = sections()[""][0].items[0]
    assert (item.kind, item.text) == ("text", "{broken")
