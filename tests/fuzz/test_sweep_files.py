"""A short run of the fuzzer of sweep files; a long one is started by hand."""

import pytest

from tests.fuzz.harness import fuzz
from tests.fuzz.sweep_files import NAME, make, reader

pytest.importorskip("scipy", reason="the distributions are SciPy's")


def test_no_damaged_sweep_file_ends_in_a_traceback_or_hangs(tmp_path):
    outcome = fuzz(NAME, 300, make, reader(tmp_path))
    assert not outcome.escaped, str(outcome)
    assert outcome.refused["UsageError"] > 100
    assert outcome.read > 3
