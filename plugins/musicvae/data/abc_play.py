"""Plays an ABC tune: repeats in full, bars aligned, ties joined; the result is a score.

A tune's bars are often not whole: pickups, the beats that a pickup takes from the last bar of a
repeat, and slips of the transcriber. Bar lines as written are what windows are cut at, so they are
kept on the grid by rests: before a pickup, after a short bar.
"""

import numpy as np

from plugins.musicvae.data.abc import QUARTER, Measure, Tune
from plugins.musicvae.data.melody import Metre, Score

__all__ = ["align", "play_repeats", "to_score"]

MAX_MEASURES = 4096
"""Longer tunes are cut; no folk tune is."""


def play_repeats(measures: list[Measure]) -> list[Measure]:
    """Lists the measures in the order in which they are played, numbered endings in their turn."""
    played: list[Measure] = []
    index = start = 0
    turn = 1
    while index < len(measures) and len(played) < MAX_MEASURES:
        measure = measures[index]
        if measure.opens and index != start:
            start, turn = index, 1
        if measure.endings and turn not in measure.endings:
            index = _ending_end(measures, index)
            continue
        played.append(measure)
        if measure.closes and turn < _num_turns(measures, start, index):
            index, turn = start, turn + 1
            continue
        if measure.closes or (measure.strong and turn > 1):
            start, turn = index + 1, 1
        index += 1
    return played


def _ending_end(measures: list[Measure], index: int) -> int:
    """Gives the index after the ending that starts at ``index``."""
    while True:
        done = measures[index].strong
        index += 1
        if done or index == len(measures) or measures[index].endings:
            return index


def _num_turns(measures: list[Measure], start: int, close: int) -> int:
    """Says how often a passage is played: as its endings say, else as the repeat sign says."""
    numbers: set[int] = set()
    index = start
    while index < len(measures):
        numbers |= measures[index].endings
        past = index >= close and measures[index].strong
        index += 1
        if past and not (index < len(measures) and measures[index].endings):
            break
    return max(numbers) if numbers else measures[close].closes


def align(measures: list[Measure]) -> tuple[list[tuple[int, int, int]], list[Metre]]:
    """Lays measures on the time axis so that bar lines fall on multiples of a bar.

    Two short measures that make up a bar (the end of a repeat and the pickup it returns to) are
    joined. Otherwise a short measure at the start of a section, with a whole one behind it, is a
    pickup and gets its rest before; any other gets it behind.

    Returns:
        Notes as (pitch, start, end) in ticks, and the metres at their ticks.
    """
    measures = [measure for measure in measures if measure.ticks]
    notes: list[tuple[int, int, int]] = []
    metres: list[Metre] = []
    position = phase = 0
    tied: int | None = None
    for index, measure in enumerate(measures):
        numerator, denominator = measure.metre
        bar = 4 * QUARTER * numerator // denominator
        if not metres or metres[-1][1:] != measure.metre:
            if phase:  # finish the bar of the old metre
                position += _bar_ticks(metres[-1]) - phase
                phase = 0
            metres.append(Metre(position, numerator, denominator))
        length = measure.ticks
        if bar:
            if phase and phase + length > bar:
                position += bar - phase
                phase = 0
            if phase + length < bar and _is_pickup(measures, index, phase, bar):
                position += bar - phase - length
                phase = bar - length
            phase = (phase + length) % bar
        for sound in measure.sounds:
            end = position + sound.ticks
            if sound.pitch is not None and sound.ticks:
                joins = tied == sound.pitch and notes[-1][2] == position
                notes[-1:] = (
                    [(sound.pitch, notes[-1][1], end)]
                    if joins
                    else [*notes[-1:], (sound.pitch, position, end)]
                )
            tied = sound.pitch if sound.tied else None
            position = end
    return notes, metres


def _bar_ticks(metre: Metre) -> int:
    return 4 * QUARTER * metre.numerator // metre.denominator


def _is_pickup(measures: list[Measure], index: int, phase: int, bar: int) -> bool:
    starts_section = index == 0 or measures[index - 1].strong or phase > 0
    return starts_section and index + 1 < len(measures) and measures[index + 1].ticks >= bar


def to_score(tune: Tune) -> Score:
    """Makes a score of a tune."""
    notes, metres = align(play_repeats(tune.measures))
    return Score(QUARTER, [np.array(notes, dtype=np.int64).T] if notes else [], metres)
