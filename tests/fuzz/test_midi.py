"""A short run of the fuzzer of MIDI files; the long one is by hand."""

from tests.fuzz import midi
from tests.fuzz.harness import fuzz


def test_damaged_midi_files_are_read_or_rejected_within_limits():
    outcome = fuzz(midi.NAME, 150, midi.make, midi.run, ())

    assert not outcome.escaped, str(outcome)
