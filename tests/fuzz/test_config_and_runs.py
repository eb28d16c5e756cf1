"""Short runs of the fuzzers of overrides and run folders; the long ones are made by hand."""

from tests.fuzz import overrides, run_folders
from tests.fuzz.harness import fuzz


def test_no_override_escapes() -> None:
    outcome = fuzz("overrides", 120, overrides.make_case, overrides.run_case)
    assert not outcome.escaped, outcome
    assert outcome.read > 1  # few words are right by chance
    assert outcome.refused["UsageError"] > 10


def test_no_run_folder_escapes() -> None:
    outcome = fuzz("run folders", 60, run_folders.make_case, run_folders.run_case)
    assert not outcome.escaped, outcome
    assert outcome.read > 5
    assert outcome.refused["UsageError"] > 5
