"""A reader for monophonic tunes in ABC notation, from text to measures of notes.

Written because music21's own reader needs some 100 ms a tune and drops accidentals within a bar
(https://github.com/cuthbertLab/music21/issues/386). What a tune says is kept as written here;
:mod:`abc_play` plays the repeats out and aligns the bars.

Read: X, T, M, L, K (modes, explicit accidentals), in the header, on lines and inline; accidentals,
which last until the bar line for notes of that letter and octave, as in print; broken rhythm;
tuplets; ties; repeats and numbered endings; of a chord the highest note. Skipped: grace notes,
chord symbols, decorations, slurs, lyrics, all voices but the first, and part orders (P), which are
played as written.
"""

import re
from dataclasses import dataclass, field

from plugins.musicvae.data.abc_fields import ACCIDENTALS, key_signature, read_metre

__all__ = ["QUARTER", "Measure", "Sound", "Tune", "read_tunes"]

QUARTER = 6720
"""Ticks of a quarter note: divisible by 64, 3, 5 and 7, so that all usual lengths are whole."""

_SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_MAX_COUNT = 64
"""Bars of rest in one symbol, and passes of a repeat; more is a slip of the pen."""
_TUPLET_TIME = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}

_FIELD = re.compile(r"([A-Za-z]):(?![|:])(.*)")
_LENGTH = r"(\d*)(/*)(\d*)"
_NOTE = r"(\^\^|\^|__|_|=)?([A-Ga-g])([,']*)" + _LENGTH
_NOTE_PATTERN = re.compile(_NOTE)
_TOKEN = re.compile(
    r"""
      (?P<skip>"[^"]*"|!\w[\w.()]*!|\{[^}]*\}|&[^|]*)
    | \[(?P<field>[A-Za-z]):(?P<value>[^\]]*)\]
    | (?P<bar>:*\|[|\]]*:*|:*\[\|:*|::+)(?:\s*\[?(?P<bar_ending>\d[\d,-]*))?
    | \[(?P<ending>\d[\d,-]*)
    | \((?P<tuplet>\d)(?::(?P<time>\d*))?(?::(?P<count>\d*))?
    | (?P<note>(?:\[[^\]|]+\]|(?:\^\^|\^|__|_|=)?[A-Ga-g][,']*)\d*/*\d*)(?P<tie>-?)
    | (?P<rest>[zxZ]\d*/*\d*)
    | (?P<broken><+|>+)
    """,
    re.VERBOSE,
)


@dataclass(slots=True)
class Sound:
    """A note, or a rest when ``pitch`` is None."""

    pitch: int | None
    ticks: int
    tied: bool = False
    """Joined to the next note if that has the same pitch (else the mark is a slur)."""


@dataclass(slots=True)
class Measure:
    """What stands between two bar lines."""

    metre: tuple[int, int]
    """Numerator and denominator; a numerator of 0 is free metre."""
    sounds: list[Sound] = field(default_factory=list)
    opens: bool = False
    """A repeat starts here."""
    closes: int = 0
    """A repeat ends here: how often the passage is played, or 0."""
    endings: frozenset[int] = frozenset()
    """Passes in which the ending that starts here is played; empty when none starts."""
    strong: bool = False
    """Ends with a double bar or a repeat: a section of the tune is over."""

    @property
    def ticks(self) -> int:
        """Length of what is in it."""
        return sum(sound.ticks for sound in self.sounds)


@dataclass(slots=True)
class Tune:
    """One tune of a tune book."""

    number: str
    title: str = ""
    measures: list[Measure] = field(default_factory=list)


def read_tunes(text: str) -> list[Tune]:
    """Reads every tune of a tune book; a tune goes from its X field to a blank line."""
    tunes: list[Tune] = []
    reader: _Reader | None = None
    for line in text.splitlines():
        line = line.strip()
        if line.startswith("X:"):
            reader = _Reader(Tune(line[2:].split("%")[0].strip()))
            tunes.append(reader.tune)
        elif not line and reader is not None:
            reader.finish()
            reader = None
        elif reader is not None:
            reader.read_line(line)
    if reader is not None:
        reader.finish()
    return tunes


def _length(digits: str, slashes: str, divisor: str) -> tuple[int, int]:
    """Reads the length behind a note as a fraction of the unit: 3/2, /, //, 2."""
    numerator = int(digits) if digits else 1
    if not slashes:
        return numerator, 1
    return numerator, (int(divisor) or 1) if divisor else 2 ** len(slashes)


class _Reader:
    """The state that ABC carries from one symbol to the next."""

    def __init__(self, tune: Tune) -> None:
        self.tune = tune
        self._metre = (0, 4)
        self._unit: int | None = None
        self._key: dict[str, int] = {}
        self._in_body = False
        self._voice: str | None = None
        self._silent = False
        self._sounded: tuple[tuple[str, int], int] | None = None
        self._tie: tuple[tuple[str, int], int] | None = None
        self._start_measure()

    def read_line(self, line: str) -> None:
        if line.startswith("%"):
            return
        line = line.split("%", 1)[0]
        match = _FIELD.fullmatch(line)
        if match is not None:
            self._read_field(match[1], match[2])
        elif self._in_body:
            self._read_music(line)

    def finish(self) -> None:
        if self._measure.sounds:
            self._end_measure()

    def _read_field(self, letter: str, value: str) -> None:
        if letter == "T" and not self.tune.title:
            self.tune.title = value.strip()
        elif letter == "M":
            self._metre = read_metre(value)
            if not self._measure.sounds:
                self._measure.metre = self._metre
        elif letter == "L":
            match = re.match(r"\s*(\d+)\s*/\s*(\d+)", value)
            if match is not None and int(match[1]) and int(match[2]):
                self._unit = 4 * QUARTER * int(match[1]) // int(match[2])
        elif letter == "K":
            self._key = key_signature(value)
            self._in_body = True
        elif letter == "V" and self._in_body:
            name = value.split()[0] if value.split() else ""
            self._voice = self._voice or name
            self._silent = name != self._voice

    def _start_measure(self) -> None:
        self._measure = Measure(self._metre)
        self._marks: dict[tuple[str, int], int] = {}
        self._broken: tuple[int, int] | None = None
        self._tuplet = (1, 1, 0)

    def _end_measure(self) -> None:
        self.tune.measures.append(self._measure)
        self._start_measure()

    def _read_music(self, line: str) -> None:
        for match in _TOKEN.finditer(line):
            kind = match.lastgroup
            if match["field"]:
                self._read_field(match["field"], match["value"])
            elif self._silent or kind == "skip":
                continue
            elif match["bar"]:
                self._read_bar(match["bar"], match["bar_ending"])
            elif match["ending"]:
                self._read_ending(match["ending"])
            elif match["tuplet"]:
                self._start_tuplet(match)
            elif match["note"]:
                self._read_note(match["note"], bool(match["tie"]))
            elif match["rest"]:
                self._read_rest(match["rest"])
            elif match["broken"]:
                self._break_rhythm(match["broken"])

    def _read_bar(self, text: str, ending: str | None) -> None:
        measures = self.tune.measures
        if self._measure.sounds:
            self._end_measure()
        left, right = len(text) - len(text.lstrip(":")), len(text) - len(text.rstrip(":"))
        if not text.strip(":"):  # "::" closes one repeat and opens the next
            left = right = len(text) // 2
        if measures and (left or right or len(text) > 1):
            measures[-1].strong = True
        if measures and left:
            measures[-1].closes = max(measures[-1].closes, left + 1)
        self._measure.opens = self._measure.opens or right > 0
        if ending:
            self._read_ending(ending)

    def _read_ending(self, text: str) -> None:
        passes: set[int] = set()
        for part in text.strip(",-").split(","):
            first, _, last = part.partition("-")
            if first:
                passes.update(range(int(first), min(int(last or first), _MAX_COUNT) + 1))
        if self._measure.sounds:  # an ending that starts within a bar is a measure of its own
            self._end_measure()
        self._measure.endings = frozenset(passes)

    def _start_tuplet(self, match: re.Match[str]) -> None:
        num_notes = int(match["tuplet"])
        compound = self._metre[0] % 3 == 0 and self._metre[0] > 3
        time = int(match["time"] or 0) or _TUPLET_TIME.get(num_notes, 3 if compound else 2)
        if num_notes:
            self._tuplet = (time, num_notes, int(match["count"] or 0) or num_notes)

    def _read_note(self, text: str, tied: bool) -> None:
        chord = text.startswith("[")
        notes = _NOTE_PATTERN.findall(text.partition("]")[0] if chord else text)
        if not notes:
            return
        pitch = max(self._pitch(mark, letter, octave) for mark, letter, octave, *_ in notes)
        numerator, denominator = _length(*notes[0][3:])
        if chord:
            outer = re.match(_LENGTH, text.partition("]")[2])
            assert outer is not None  # every part of the pattern is optional
            extra = _length(*outer.groups())
            numerator, denominator = numerator * extra[0], denominator * extra[1]
            tied = tied or "-" in text
        self._add(pitch, numerator, denominator, tied)

    def _read_rest(self, text: str) -> None:
        match = re.match(_LENGTH, text[1:])
        assert match is not None  # every part of the pattern is optional
        numerator, denominator = _length(*match.groups())
        if text[0] != "Z":
            self._add(None, numerator, denominator, False)
            return
        beats, beat = self._metre
        for _ in range(min(numerator, _MAX_COUNT)):  # Z3 is three bars of rest
            self._measure.sounds.append(Sound(None, 4 * QUARTER * beats // beat))
            self._end_measure()

    def _add(self, pitch: int | None, numerator: int, denominator: int, tied: bool) -> None:
        time, per, left = self._tuplet
        ticks = self._unit_ticks() * numerator * (time if left else 1)
        ticks //= denominator * (per if left else 1)
        self._tuplet = (time, per, max(0, left - 1))
        if self._broken is not None:
            ticks = ticks * self._broken[0] // self._broken[1]
            self._broken = None
        self._tie = self._sounded if tied else None
        self._measure.sounds.append(Sound(pitch, ticks, tied))

    def _break_rhythm(self, marks: str) -> None:
        """a>b: a gets half as much again and b a half; a>>b: 7/4 and 1/4; < the other way."""
        if not self._measure.sounds:
            return
        short, whole = 1, 2 ** len(marks)
        long = 2 * whole - short
        first, second = (long, short) if marks[0] == ">" else (short, long)
        before = self._measure.sounds[-1]
        before.ticks = before.ticks * first // whole
        self._broken = (second, whole)

    def _unit_ticks(self) -> int:
        """L, or by the standard a sixteenth in metres under 3/4 and an eighth in others."""
        if self._unit is None:
            beats, beat = self._metre
            self._unit = QUARTER // 4 if 0 < beats / beat < 0.75 else QUARTER // 2
        return self._unit

    def _pitch(self, accidental: str, letter: str, octave_marks: str) -> int:
        upper = letter.upper()
        octave = 60 + 12 * (letter.islower() + octave_marks.count("'") - octave_marks.count(","))
        place = (upper, octave)
        if accidental:
            self._marks[place] = ACCIDENTALS[accidental]
        shift = self._marks.get(place, self._key.get(upper, 0))
        if self._tie is not None and self._tie[0] == place and not accidental:
            shift = self._tie[1]  # a tie takes its accidental over the bar line
        self._sounded = place, shift
        return min(127, max(0, octave + _SEMITONES[upper] + shift))
